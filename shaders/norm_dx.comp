// SPDX-License-Identifier: Apache-2.0
// dx = rstd*(gamma*dz - mean(gamma*dz) - xh*mean(gamma*dz*xh)), the means over the group; FROZEN: without them.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "lib/norm.glsl"

layout(constant_id = 1) const bool VEC4 = true;
layout(constant_id = 2) const bool RELU = false;
layout(constant_id = 3) const bool FROZEN = false;
layout(push_constant) uniform Push
{
    F32 x; F32 dy; F32 gamma; F32 beta; F32 mean; F32 rstd; F32 means; F32 dx;
    NORM_SIZES;
};

float derivative(float value, float upstream, uint group, float g, float b)
{
    float r = rstd.at[group], xh = (value - mean.at[group]) * r, dz = upstream;
    if (RELU && !(xh * g + b > 0.0)) dz = 0.0;
    if (FROZEN) return r * (g * dz);
    return r * (g * dz - means.at[group] - xh * means.at[images * (channels / width) + group]);
}

void main()
{
    uint i = linear_invocation() * (VEC4 ? 4 : 1);
    if (i >= images * pixels * channels) return;
    uint pixel = i / channels, channel = i % channels, first = pixel / pixels * (channels / width);
    if (VEC4) {
        vec4 v = QUADS(x).at[i / 4], d = QUADS(dy).at[i / 4];
        vec4 g = QUADS(gamma).at[channel / 4], b = QUADS(beta).at[channel / 4];
        QUADS(dx).at[i / 4] = vec4(derivative(v.x, d.x, first + channel / width, g.x, b.x),
                                   derivative(v.y, d.y, first + (channel + 1) / width, g.y, b.y),
                                   derivative(v.z, d.z, first + (channel + 2) / width, g.z, b.z),
                                   derivative(v.w, d.w, first + (channel + 3) / width, g.w, b.w));
    } else {
        dx.at[i] = derivative(x.at[i], dy.at[i], first + channel / width, gamma.at[channel], beta.at[channel]);
    }
}
