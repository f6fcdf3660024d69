// SPDX-License-Identifier: Apache-2.0
// Copies a box of up to five axes (innermost first) from one strided place to another, any 32-bit type; with
// VEC4 four neighbours at a time (sizes, strides and starts then count quads).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "abi/copy.h"

layout(constant_id = SFT_COPY_VEC4_ID) const bool VEC4 = false;
layout(constant_id = SFT_COPY_AXES_ID) const uint AXES = 5;
SFT_PUSH(SFT_COPY_OPERANDS, SFT_COPY_WORDS);

layout(buffer_reference, std430, buffer_reference_align = 16) buffer U32x4 { uvec4 at[]; };

void main()
{
    uint i = linear_invocation(), source = from_start, target = to_start;
    if (i >= count) return;
    [[unroll]] for (uint axis = 0; axis < 5; axis++) {
        if (axis >= AXES) break;
        uint at = axis + 1 == AXES ? i : i % size[axis & 3];
        source += at * from_stride[axis];
        target += at * to_stride[axis];
        i /= size[axis & 3];
    }
    if (VEC4)
        U32x4(uvec2(to)).at[target] = U32x4(uvec2(from)).at[source];
    else
        to.at[target] = from.at[source];
}
