// SPDX-License-Identifier: Apache-2.0
// The gradient of attention with respect to a block of keys and values on GPUs.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "abi/attention.h"
SFT_PUSH(SFT_ATTENTION_DKV_OPERANDS, SFT_ATTENTION_WORDS);
#include "lib/attention.glsl"

const uint RESIDENT = 2;
#include "lib/attention_tiled.glsl"

real4 value_sums[EACH][SHARE];

void main()
{
    if (linear_group() >= blocks) return;
    load_resident(0, k, pitch);
    load_resident(1, v, pitch);
    clear(sums);
    clear(value_sums);
    for (uint query = 0; query < tokens; query += TILE) {
        real4 s[COLUMNS];
        barrier();
        load_passing(q, query, pitch);
        barrier();
        multiply(0, s);
        [[unroll]] for (uint j = 0; j < COLUMNS; j++) {
            uint token = query + column(j), at = block_head() * tokens + min(token, tokens - 1);
            s[j] = token < tokens ? exp(s[j] * scale - real(lse.at[at])) : real4(0.0);
        }
        barrier();
        load_passing(dy, query, width);
        mix(s);
        barrier();
        combine(value_sums);
        multiply(1, s);
        [[unroll]] for (uint j = 0; j < COLUMNS; j++) {
            uint at = block_head() * tokens + min(query + column(j), tokens - 1);
            s[j] = mixed_own(j) * (s[j] - real(along.at[at]));
        }
        barrier();
        load_passing(q, query, pitch);
        mix(s);
        barrier();
        combine(sums);
    }
    store_rows(dk, 3 * width, sums, real4(scale));
    store_rows(dv, 3 * width, value_sums, real4(1.0));
}
