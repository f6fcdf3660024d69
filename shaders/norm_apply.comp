// SPDX-License-Identifier: Apache-2.0
// y = (x - mean)*rstd*gamma + beta, with max(., 0) where RELU; with VEC4 four channels at a time.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "abi/norm.h"

layout(constant_id = SFT_NORM_APPLY_VEC4_ID) const bool VEC4 = true;
layout(constant_id = SFT_NORM_APPLY_RELU_ID) const bool RELU = false;
SFT_PUSH(SFT_NORM_APPLY_OPERANDS, SFT_NORM_WORDS);

real apply(real value, uint group, real g, real b)
{
    real z = (value - real(mean.at[group])) * real(rstd.at[group]) * g + b;
    return RELU ? max(z, 0.0) : z;
}

void main()
{
    uint i = linear_invocation() * (VEC4 ? 4 : 1);
    if (i >= images * pixels * channels) return;
    uint pixel = i / channels, channel = i % channels, first = pixel / pixels * (channels / width);
    if (VEC4) {
        real4 v = real4(QUADS(x).at[i / 4]);
        real4 g = real4(QUADS(gamma).at[channel / 4]);
        real4 b = real4(QUADS(beta).at[channel / 4]);
        QUADS(y).at[i / 4] = stored4(apply(v.x, first + channel / width, g.x, b.x),
                                     apply(v.y, first + (channel + 1) / width, g.y, b.y),
                                     apply(v.z, first + (channel + 2) / width, g.z, b.z),
                                     apply(v.w, first + (channel + 3) / width, g.w, b.w));
    } else {
        y.at[i] = stored(apply(real(x.at[i]), first + channel / width, real(gamma.at[channel]),
                               real(beta.at[channel])));
    }
}
