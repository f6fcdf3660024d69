// SPDX-License-Identifier: Apache-2.0
// The parts of a product's sum, added in their order: d = part 0 + part 1 + ... + bias.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "abi/gemm.h"

layout(constant_id = SFT_GEMM_REDUCE_VEC4_ID) const bool VEC4 = true;
SFT_PUSH(SFT_GEMM_REDUCE_OPERANDS, SFT_GEMM_REDUCE_WORDS);

void main()
{
    uint i = linear_invocation() * (VEC4 ? 4 : 1);
    if (i >= count) return;
    real4 sum = real4(0.0);
    for (uint s = 0; s < splits; s++) {
        if (VEC4) sum += real4(QUADS(parts).at[(s * count + i) / 4]);
        else sum.x += real(parts.at[s * count + i]);
    }
    if (PRESENT(bias))
        sum += VEC4 ? real4(QUADS(bias).at[i % columns / 4]) : real4(real(bias.at[i % columns]));
    if (relu != 0) sum = max(sum, real4(0.0));
    if (VEC4) QUADS(d).at[i / 4] = stored4(sum);
    else d.at[i] = stored(sum.x);
}
