// SPDX-License-Identifier: Apache-2.0
// The gradient of attention with respect to the queries, and D, for the devices of attention_lanes.comp: a
// lane has one query, and all lanes read the same keys and values.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "abi/attention.h"
SFT_PUSH(SFT_ATTENTION_DQ_OPERANDS, SFT_ATTENTION_WORDS);
#include "lib/attention.glsl"

void main()
{
    if (linear_group() >= blocks) return;
    uint tiles = (tokens + GROUP_SIZE - 1) / GROUP_SIZE, head = linear_group() / tiles;
    uint query = linear_group() % tiles * GROUP_SIZE + gl_LocalInvocationID.x;
    uint mine = min(query, tokens - 1), key = 0, at, at_y;
    real4 row[QUADS_DEEP], slope[QUADS_DEEP], sum[QUADS_DEEP];
    real whole = real(lse.at[head * tokens + mine]), D = 0.0;
    at = place(head, mine, pitch);
    at_y = place(head, mine, width);
    for (uint c = 0; c < QUADS_DEEP; c++) {
        row[c] = load_quad(q, at, c) * scale;
        slope[c] = load_quad(dy, at_y, c);
        D += dot(slope[c], load_quad(y, at_y, c));
        sum[c] = real4(0.0);
    }
    do {
        uint from = place(head, key, pitch);
        real s = 0.0, ds = 0.0;
        for (uint c = 0; c < QUADS_DEEP; c++) {
            s += dot(row[c], load_quad(k, from, c));
            ds += dot(slope[c], load_quad(v, from, c));
        }
        ds = exp(s - whole) * (ds - D);
        for (uint c = 0; c < QUADS_DEEP; c++) sum[c] = fma(real4(ds), load_quad(k, from, c), sum[c]);
        key++;
    } while (key < tokens);
    if (query >= tokens) return;
    at = place(head, query, 3 * width);
    for (uint c = 0; c < QUADS_DEEP; c++) store_quad(dq, at, c, sum[c] * scale);
    along.at[head * tokens + query] = stored(D);
}
