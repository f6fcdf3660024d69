// SPDX-License-Identifier: Apache-2.0
// The gradient of attention with respect to a block of queries on GPUs, and D.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "abi/attention.h"
SFT_PUSH(SFT_ATTENTION_DQ_OPERANDS, SFT_ATTENTION_WORDS);
#include "lib/attention.glsl"

const uint RESIDENT = 2;
#include "lib/attention_tiled.glsl"

// dy.y of the lane's rows.
real4 row_products()
{
    real4 product = real4(0.0);
    [[unroll]] for (uint i = 0; i < EACH; i++)
        for (uint c = across(); c < QUADS_DEEP; c += ACROSS)
            if (row_token(i) < tokens) {
                uint at = place(block_head(), row_token(i), width);
                product[i] += dot(load_quad(dy, at, c), load_quad(y, at, c));
            }
    return sum_across(product);
}

void main()
{
    if (linear_group() >= blocks) return;
    real4 whole = row_numbers(lse), D = row_products();
    load_resident(0, q, pitch);
    load_resident(1, dy, width);
    clear(sums);
    for (uint key = 0; key < tokens; key += TILE) {
        real4 s[COLUMNS], ds[COLUMNS];
        barrier();
        load_passing(v, key, pitch);
        barrier();
        multiply(1, ds);
        barrier();
        load_passing(k, key, pitch);
        barrier();
        multiply(0, s);
        [[unroll]] for (uint j = 0; j < COLUMNS; j++)
            ds[j] = key + column(j) < tokens ? exp(s[j] * scale - whole) * (ds[j] - D) : real4(0.0);
        mix(ds);
        barrier();
        combine(sums);
    }
    store_rows(dq, 3 * width, sums, real4(scale));
    store_numbers(along, D);
}
