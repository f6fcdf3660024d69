// SPDX-License-Identifier: Apache-2.0
// Sums over a stretch of pixels of dz and of dz*xh, by image, stretch and channel: out (2, images, parts,
// channels).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "lib/sum.glsl"
#include "abi/norm.h"

// dz is dy where the normalised value is positive, else 0; without RELU it is dy.
layout(constant_id = SFT_NORM_SUMS_RELU_ID) const bool RELU = false;
SFT_PUSH(SFT_NORM_SUMS_OPERANDS, SFT_NORM_WORDS);

void main()
{
    uint column = linear_invocation(), count = images * parts * channels;
    if (column >= count) return;
    uint channel = column % channels, part = column / channels % parts, image = column / channels / parts;
    uint group = image * (channels / width) + channel / width;
    uint begin = part * part_pixels, end = min(begin + part_pixels, pixels);
    uint at = (image * pixels + begin) * channels + channel;
    real m = real(mean.at[group]), r = real(rstd.at[group]);
    real g = real(gamma.at[channel]), b = real(beta.at[channel]);
    Sum sum = NOTHING, product = NOTHING;
    for (uint pixel = begin; pixel < end; pixel++, at += channels) {
        real xh = (real(x.at[at]) - m) * r, dz = real(dy.at[at]);
        if (RELU && !(xh * g + b > 0.0)) dz = 0.0;
        add(sum, dz);
        add(product, dz * xh);
    }
    sums.at[column] = stored(sum.value - sum.lost);
    sums.at[count + column] = stored(product.value - product.lost);
}
