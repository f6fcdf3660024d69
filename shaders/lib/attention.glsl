// SPDX-License-Identifier: Apache-2.0
// What the kernels of attention have in common, after their push constants. A work-group has one block of
// queries or keys of one head.
#include "lib/grid.glsl"
layout(constant_id = SFT_ATTENTION_DEPTH_ID) const uint DEPTH = 16;
layout(constant_id = SFT_ATTENTION_VEC_ID) const bool VEC = true;

const uint QUADS_DEEP = (DEPTH + 3) / 4;
const real LOWEST = -3.0e38; // in place of minus infinity, which a driver need not keep

// Element of a head's first number of a token, in tensors with rows of `row` elements; `head` counts heads
// over all images.
uint place(uint head, uint token, uint row)
{
    return (head / heads * tokens + token) * row + head % heads * DEPTH;
}

// Elements 4*i .. 4*i + 3 of the row at `at`, zeros behind its end.
real4 load_quad(Stored x, uint at, uint i)
{
    real4 quad = real4(0.0);
    if (VEC) return real4(QUADS(x).at[at / 4 + i]);
    [[unroll]] for (uint e = 0; e < 4; e++)
        if (4 * i + e < DEPTH) quad[e] = real(x.at[at + 4 * i + e]);
    return quad;
}

void store_quad(Stored x, uint at, uint i, real4 quad)
{
    if (VEC) QUADS(x).at[at / 4 + i] = stored4(quad);
    else
        [[unroll]] for (uint e = 0; e < 4; e++)
            if (4 * i + e < DEPTH) x.at[at + 4 * i + e] = stored(quad[e]);
}
