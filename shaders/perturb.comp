// SPDX-License-Identifier: Apache-2.0
// y = w + rho*g/norm: the ascent of SAM (Foret et al. 2021, eq. 2).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "abi/hyper.h"

layout(push_constant) uniform Push { F32 w; F32 g; F32 norm; F32 hyper; F32 y; uint count; };

void main()
{
    uint i = linear_invocation();
    if (i >= count) return;
    y.at[i] = w.at[i] + hyper.at[SFT_AT_RHO] / norm.at[0] * g.at[i];
}
