// SPDX-License-Identifier: Apache-2.0
// y = w + rho*g/norm: the ascent of SAM (Foret et al. 2021, eq. 2).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "abi/optimizer.h"

SFT_PUSH(SFT_PERTURB_OPERANDS, SFT_OPTIMIZER_WORDS);
SFT_HYPERS(SFT_NUMBER)

void main()
{
    uint i = linear_invocation();
    if (i >= count) return;
    y.at[i] = stored(real(w.at[i]) + real(hyper.at[SFT_HYPER_RHO]) / real(norm.at[0]) * real(g.at[i]));
}
