// SPDX-License-Identifier: Apache-2.0
// First pass of group norm's statistics: mean and sum of squared deviations of each channel over a stretch of pixels,
// (2, images, parts, channels). Sums are taken around the stretch's first value, so that nothing cancels.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "lib/norm.glsl"

layout(push_constant) uniform Push { F32 x; F32 parts_out; NORM_SIZES; };

void main()
{
    uint column = linear_invocation(), count = images * parts * channels;
    if (column >= count) return;
    uint channel = column % channels, part = column / channels % parts, image = column / channels / parts;
    uint begin = part * part_pixels, end = min(begin + part_pixels, pixels);
    uint at = (image * pixels + begin) * channels + channel;
    float sum = 0.0, squares = 0.0, first = begin < end ? x.at[at] : 0.0;
    for (uint pixel = begin; pixel < end; pixel++, at += channels) {
        float value = x.at[at] - first;
        sum += value;
        squares += value * value;
    }
    float n = max(float(end) - float(begin), 1.0);
    parts_out.at[column] = first + sum / n;
    parts_out.at[count + column] = max(squares - sum * (sum / n), 0.0);
}
