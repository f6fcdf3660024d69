// SPDX-License-Identifier: Apache-2.0
// Attention on GPUs: a block of queries, past which keys and values go.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "abi/attention.h"
SFT_PUSH(SFT_ATTENTION_OPERANDS, SFT_ATTENTION_WORDS);
#include "lib/attention.glsl"

const uint RESIDENT = 1;
#include "lib/attention_tiled.glsl"

void main()
{
    real4 top = real4(LOWEST), total = real4(0.0);
    if (linear_group() >= blocks) return;
    load_resident(0, q, pitch);
    clear(sums);
    for (uint key = 0; key < tokens; key += TILE) {
        real4 s[COLUMNS], most = top, before;
        barrier();
        load_passing(k, key, pitch);
        barrier();
        multiply(0, s);
        [[unroll]] for (uint j = 0; j < COLUMNS; j++) {
            s[j] = key + column(j) < tokens ? s[j] * scale : real4(LOWEST);
            most = max(most, s[j]);
        }
        most = max_across(most);
        before = exp(top - most);
        total *= before;
        [[unroll]] for (uint j = 0; j < COLUMNS; j++) {
            s[j] = exp(s[j] - most);
            total += s[j];
        }
        [[unroll]] for (uint i = 0; i < EACH; i++)
            [[unroll]] for (uint m = 0; m < SHARE; m++) sums[i][m] *= before[i];
        mix(s);
        load_passing(v, key, pitch);
        barrier();
        combine(sums);
        top = most;
    }
    total = sum_across(total);
    store_rows(y, width, sums, 1.0 / total);
    store_numbers(lse, top + log(total));
}
