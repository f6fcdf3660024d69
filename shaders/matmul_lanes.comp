// SPDX-License-Identifier: Apache-2.0
// Matrix product on drivers that run on a CPU.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/gemm_lanes.glsl"
#include "abi/matmul.h"

SFT_PUSH(SFT_MATMUL_OPERANDS, SFT_MATMUL_WORDS);

real4 load_a(uint at, uint left)
{
    if (VEC_A) return real4(QUADS(a).at[at / 4]);
    real4 quad = real4(0.0);
    [[unroll]] for (uint i = 0; i < 4; i++) {
        real value = real(a.at[at + (WHOLE_STEPS ? i : min(i, left - 1)) * a_k]);
        quad[i] = WHOLE_STEPS || i < left ? value : 0.0;
    }
    return quad;
}

void main()
{
    locate_tile(columns);
    uint matrix = gl_WorkGroupID.z / splits, split = gl_WorkGroupID.z % splits;
    uint last = min(COLUMNS, columns - tile_column) - 1, row = tile_row + gl_LocalInvocationID.x;
    uint k = split * part, end = min(depth, k + part);
    uint from = matrix * rows * depth + min(row, rows - 1) * a_row;
    uint to = matrix * depth * columns + tile_column;
    if (k < end) {
        do {
            multiply_add(load_a(from + k * a_k, end - k), b, to + k * b_stride, b_stride, end - k, last);
            k += 4;
        } while (k < end);
    }
    uint at = ((split * batch + matrix) * rows + row) * columns + tile_column;
    if (row < rows) store(d, at, bias, tile_column, relu != 0, last);
}
