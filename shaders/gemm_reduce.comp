// SPDX-License-Identifier: Apache-2.0
// The parts of a product's sum, added in their order: d = part 0 + part 1 + ... + bias.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"

layout(constant_id = 1) const bool VEC4 = true;
layout(push_constant) uniform Push
{
    F32 parts; F32 bias; F32 d;
    uint count;   // elements of d
    uint columns; // of d and the bias
    uint splits;
    uint relu;
};

void main()
{
    uint i = linear_invocation() * (VEC4 ? 4 : 1);
    if (i >= count) return;
    vec4 sum = vec4(0.0);
    for (uint s = 0; s < splits; s++) {
        if (VEC4) sum += QUADS(parts).at[(s * count + i) / 4];
        else sum.x += parts.at[s * count + i];
    }
    if (PRESENT(bias)) sum += VEC4 ? QUADS(bias).at[i % columns / 4] : vec4(bias.at[i % columns]);
    if (relu != 0) sum = max(sum, vec4(0.0));
    if (VEC4) QUADS(d).at[i / 4] = sum;
    else d.at[i] = sum.x;
}
