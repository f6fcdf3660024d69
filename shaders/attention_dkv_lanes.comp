// SPDX-License-Identifier: Apache-2.0
// The gradient of attention with respect to keys and values for the devices of attention_lanes.comp: a lane
// has one key, and all lanes read the same queries.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "abi/attention.h"
SFT_PUSH(SFT_ATTENTION_DKV_OPERANDS, SFT_ATTENTION_WORDS);
#include "lib/attention.glsl"

void main()
{
    if (linear_group() >= blocks) return;
    uint tiles = (tokens + GROUP_SIZE - 1) / GROUP_SIZE, head = linear_group() / tiles;
    uint key = linear_group() % tiles * GROUP_SIZE + gl_LocalInvocationID.x;
    uint mine = min(key, tokens - 1), query = 0, at;
    real4 row[QUADS_DEEP], value[QUADS_DEEP], sum_k[QUADS_DEEP], sum_v[QUADS_DEEP];
    at = place(head, mine, pitch);
    for (uint c = 0; c < QUADS_DEEP; c++) {
        row[c] = load_quad(k, at, c) * scale;
        value[c] = load_quad(v, at, c);
        sum_k[c] = sum_v[c] = real4(0.0);
    }
    do {
        uint from = place(head, query, pitch), from_y = place(head, query, width);
        real s = 0.0, ds = 0.0, p;
        for (uint c = 0; c < QUADS_DEEP; c++) {
            s += dot(row[c], load_quad(q, from, c));
            ds += dot(value[c], load_quad(dy, from_y, c));
        }
        p = exp(s - real(lse.at[head * tokens + query]));
        ds = p * (ds - real(along.at[head * tokens + query]));
        for (uint c = 0; c < QUADS_DEEP; c++) {
            sum_k[c] = fma(real4(ds), load_quad(q, from, c), sum_k[c]);
            sum_v[c] = fma(real4(p), load_quad(dy, from_y, c), sum_v[c]);
        }
        query++;
    } while (query < tokens);
    if (key >= tokens) return;
    at = place(head, key, 3 * width);
    for (uint c = 0; c < QUADS_DEEP; c++) {
        store_quad(dk, at, c, sum_k[c] * scale);
        store_quad(dv, at, c, sum_v[c]);
    }
}
