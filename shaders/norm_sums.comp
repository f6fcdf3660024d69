// SPDX-License-Identifier: Apache-2.0
// Sums over a stretch of pixels of dz and of dz*xh, by image, stretch and channel: out (2, images, parts, channels).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "lib/sum.glsl"
#include "lib/norm.glsl"

layout(constant_id = 1) const bool RELU = false; // dz is dy where the normalised value is positive, else dy
layout(push_constant) uniform Push { F32 x; F32 dy; F32 gamma; F32 beta; F32 mean; F32 rstd; F32 sums; NORM_SIZES; };

void main()
{
    uint column = linear_invocation(), count = images * parts * channels;
    if (column >= count) return;
    uint channel = column % channels, part = column / channels % parts, image = column / channels / parts;
    uint group = image * (channels / width) + channel / width;
    uint begin = part * part_pixels, end = min(begin + part_pixels, pixels);
    uint at = (image * pixels + begin) * channels + channel;
    float m = mean.at[group], r = rstd.at[group], g = gamma.at[channel], b = beta.at[channel];
    Sum sum = Sum(0.0, 0.0), product = Sum(0.0, 0.0);
    for (uint pixel = begin; pixel < end; pixel++, at += channels) {
        float xh = (x.at[at] - m) * r, dz = dy.at[at];
        if (RELU && !(xh * g + b > 0.0)) dz = 0.0;
        add(sum, dz);
        add(product, dz * xh);
    }
    sums.at[column] = sum.value - sum.lost;
    sums.at[count + column] = product.value - product.lost;
}
