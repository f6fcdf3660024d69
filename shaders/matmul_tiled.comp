// SPDX-License-Identifier: Apache-2.0
// Matrix product on GPUs.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/gemm_tiled.glsl"
#include "abi/matmul.h"

SFT_PUSH(SFT_MATMUL_OPERANDS, SFT_MATMUL_WORDS);

uint matrix, step_k, end_k;

real4 fetch_a(uint i, uint row, uint k)
{
    uint at = matrix * rows * depth + (tile_row + row) * a_row + (step_k + k) * a_k;
    uint m = tile_row + row, n = step_k + k;
    real4 quad = real4(0.0);
    if (VEC_A) return m < rows && n < end_k ? real4(QUADS(a).at[at / 4]) : quad;
    [[unroll]] for (uint e = 0; e < 4; e++) {
        bool inside = TRANSPOSED_A ? m + e < rows && n < end_k : m < rows && n + e < end_k;
        if (inside) quad[e] = real(a.at[at + e]);
    }
    return quad;
}

real4 fetch_b(uint i, uint column, uint k)
{
    uint m = step_k + k, n = tile_column + column;
    uint at = matrix * depth * columns + (TRANSPOSED_B ? n * b_stride + m : m * b_stride + n);
    real4 quad = real4(0.0);
    if (VEC_B) return m < end_k && n < columns ? real4(QUADS(b).at[at / 4]) : quad;
    [[unroll]] for (uint e = 0; e < 4; e++) {
        bool inside = TRANSPOSED_B ? m + e < end_k && n < columns : m < end_k && n + e < columns;
        if (inside) quad[e] = real(b.at[at + e]);
    }
    return quad;
}

void next_step() { step_k += STEP; }

void main()
{
    uint split = gl_WorkGroupID.z % splits;
    locate_tile(columns);
    matrix = gl_WorkGroupID.z / splits;
    step_k = split * part;
    end_k = min(depth, step_k + part);
    multiply(step_k < end_k ? (end_k - step_k + STEP - 1) / STEP : 0);
    [[unroll]] for (uint i = 0; i < Y; i++) {
        uint row = tile_row + sum_row(i);
        uint at = ((split * batch + matrix) * rows + row) * columns + tile_column;
        if (row < rows && tile_column < columns)
            store_row(i, d, at, bias, tile_column, relu != 0, columns - tile_column);
    }
}
