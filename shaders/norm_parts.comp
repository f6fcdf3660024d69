// SPDX-License-Identifier: Apache-2.0
// First pass of group norm's statistics: mean and sum of squared deviations of each channel over a stretch of
// pixels, (2, images, parts, channels). Sums are taken around the stretch's first value, so that nothing
// cancels.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "abi/norm.h"

SFT_PUSH(SFT_NORM_PARTS_OPERANDS, SFT_NORM_WORDS);

void main()
{
    uint column = linear_invocation(), count = images * parts * channels;
    if (column >= count) return;
    uint channel = column % channels, part = column / channels % parts, image = column / channels / parts;
    uint begin = part * part_pixels, end = min(begin + part_pixels, pixels);
    uint at = (image * pixels + begin) * channels + channel;
    real sum = 0.0, squares = 0.0, first = begin < end ? real(x.at[at]) : 0.0;
    for (uint pixel = begin; pixel < end; pixel++, at += channels) {
        real value = real(x.at[at]) - first;
        sum += value;
        squares += value * value;
    }
    real n = max(real(end) - real(begin), 1.0);
    parts_out.at[column] = stored(first + sum / n);
    parts_out.at[count + column] = stored(max(squares - sum * (sum / n), 0.0));
}
