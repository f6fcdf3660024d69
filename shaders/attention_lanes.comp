// SPDX-License-Identifier: Apache-2.0
// Attention for drivers that run on a CPU (shaders/lib/gemm_lanes.glsl says what they like), and for heads too
// deep for shared memory: a lane has one query, and all lanes read the same keys and values.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "abi/attention.h"
SFT_PUSH(SFT_ATTENTION_OPERANDS, SFT_ATTENTION_WORDS);
#include "lib/attention.glsl"

const uint KEYS = 4; // at a time

void main()
{
    if (linear_group() >= blocks) return;
    uint tiles = (tokens + GROUP_SIZE - 1) / GROUP_SIZE, head = linear_group() / tiles;
    uint query = linear_group() % tiles * GROUP_SIZE + gl_LocalInvocationID.x;
    uint mine = min(query, tokens - 1), key = 0, at;
    real4 row[QUADS_DEEP], sum[QUADS_DEEP];
    real top = LOWEST, total = 0.0;
    at = place(head, mine, pitch);
    for (uint c = 0; c < QUADS_DEEP; c++) {
        row[c] = load_quad(q, at, c) * scale;
        sum[c] = real4(0.0);
    }
    do {
        uint from[KEYS];
        real s[KEYS], most = top, before;
        [[unroll]] for (uint j = 0; j < KEYS; j++) {
            from[j] = place(head, min(key + j, tokens - 1), pitch);
            s[j] = 0.0;
        }
        for (uint c = 0; c < QUADS_DEEP; c++)
            [[unroll]] for (uint j = 0; j < KEYS; j++) s[j] += dot(row[c], load_quad(k, from[j], c));
        [[unroll]] for (uint j = 0; j < KEYS; j++)
            if (key + j < tokens) most = max(most, s[j]);
        before = exp(top - most);
        total *= before;
        [[unroll]] for (uint j = 0; j < KEYS; j++) {
            s[j] = key + j < tokens ? exp(s[j] - most) : 0.0;
            total += s[j];
        }
        for (uint c = 0; c < QUADS_DEEP; c++) {
            real4 next = sum[c] * before;
            [[unroll]] for (uint j = 0; j < KEYS; j++) next = fma(real4(s[j]), load_quad(v, from[j], c), next);
            sum[c] = next;
        }
        top = most;
        key += KEYS;
    } while (key < tokens);
    if (query >= tokens) return;
    at = place(head, query, width);
    for (uint c = 0; c < QUADS_DEEP; c++) store_quad(y, at, c, sum[c] / total);
    lse.at[head * tokens + query] = stored(top + log(total));
}
