// SPDX-License-Identifier: Apache-2.0
// y = (x - mean)*rstd*gamma + beta, with max(., 0) where RELU; with VEC4 four channels at a time.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "lib/norm.glsl"

layout(constant_id = 1) const bool VEC4 = true;
layout(constant_id = 2) const bool RELU = false;
layout(push_constant) uniform Push { F32 x; F32 gamma; F32 beta; F32 mean; F32 rstd; F32 y; NORM_SIZES; };

float apply(float value, uint group, float g, float b)
{
    float z = (value - mean.at[group]) * rstd.at[group] * g + b;
    return RELU ? max(z, 0.0) : z;
}

void main()
{
    uint i = linear_invocation() * (VEC4 ? 4 : 1);
    if (i >= images * pixels * channels) return;
    uint pixel = i / channels, channel = i % channels, first = pixel / pixels * (channels / width);
    if (VEC4) {
        vec4 v = QUADS(x).at[i / 4], g = QUADS(gamma).at[channel / 4], b = QUADS(beta).at[channel / 4];
        QUADS(y).at[i / 4] = vec4(apply(v.x, first + channel / width, g.x, b.x),
                                  apply(v.y, first + (channel + 1) / width, g.y, b.y),
                                  apply(v.z, first + (channel + 2) / width, g.z, b.z),
                                  apply(v.w, first + (channel + 3) / width, g.w, b.w));
    } else {
        y.at[i] = apply(x.at[i], first + channel / width, gamma.at[channel], beta.at[channel]);
    }
}
