// SPDX-License-Identifier: Apache-2.0
// dx = rstd*(gamma*dz - mean(gamma*dz) - xh*mean(gamma*dz*xh)), the means over the group; FROZEN: without
// them.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "abi/norm.h"

layout(constant_id = SFT_NORM_DX_VEC4_ID) const bool VEC4 = true;
layout(constant_id = SFT_NORM_DX_RELU_ID) const bool RELU = false;
layout(constant_id = SFT_NORM_DX_FROZEN_ID) const bool FROZEN = false;
SFT_PUSH(SFT_NORM_DX_OPERANDS, SFT_NORM_WORDS);

real derivative(real value, real upstream, uint group, real g, real b)
{
    real r = real(rstd.at[group]), xh = (value - real(mean.at[group])) * r, dz = upstream;
    if (RELU && !(xh * g + b > 0.0)) dz = 0.0;
    if (FROZEN) return r * (g * dz);
    return r * (g * dz - real(means.at[group]) - xh * real(means.at[images * (channels / width) + group]));
}

void main()
{
    uint i = linear_invocation() * (VEC4 ? 4 : 1);
    if (i >= images * pixels * channels) return;
    uint pixel = i / channels, channel = i % channels, first = pixel / pixels * (channels / width);
    if (VEC4) {
        real4 v = real4(QUADS(x).at[i / 4]);
        real4 d = real4(QUADS(dy).at[i / 4]);
        real4 g = real4(QUADS(gamma).at[channel / 4]);
        real4 b = real4(QUADS(beta).at[channel / 4]);
        QUADS(dx).at[i / 4] = stored4(derivative(v.x, d.x, first + channel / width, g.x, b.x),
                                      derivative(v.y, d.y, first + (channel + 1) / width, g.y, b.y),
                                      derivative(v.z, d.z, first + (channel + 2) / width, g.z, b.z),
                                      derivative(v.w, d.w, first + (channel + 3) / width, g.w, b.w));
    } else {
        dx.at[i] = stored(derivative(real(x.at[i]), real(dy.at[i]), first + channel / width,
                                     real(gamma.at[channel]), real(beta.at[channel])));
    }
}
