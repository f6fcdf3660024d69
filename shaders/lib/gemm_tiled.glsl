// SPDX-License-Identifier: Apache-2.0
// D = A B for GPUs. A work-group makes TILE_ROWS x TILE_COLUMNS elements; each thread keeps Y x X sums in
// registers. STEP k at a time lie in shared memory, twice: while one half is multiplied, the next elements
// are on their way from memory to registers, and then into the other half, so that one barrier a step is
// enough. Shared memory needs 17 KiB for the largest tile.
//
// The including shader defines, for quads of A and B (what lies outside counts as zero),
//     real4 fetch_a(uint i, uint row, uint k), real4 fetch_b(uint i, uint column, uint k)
// where row, column and k count from the tile and the step, and void next_step(), which moves on by STEP. A
// quad goes along k, or with TRANSPOSED_A along rows; one of B along columns, or with TRANSPOSED_B along k. i
// numbers a thread's quads.
#include "abi/gemm.h"
#include "lib/grid.glsl"
layout(constant_id = SFT_TILED_ROWS_ID) const uint TILE_ROWS = 64;
layout(constant_id = SFT_TILED_COLUMNS_ID) const uint TILE_COLUMNS = 64;
layout(constant_id = SFT_TILED_Y_ID) const uint Y = 8;
layout(constant_id = SFT_TILED_X_ID) const uint X = 4;
layout(constant_id = SFT_TILED_VEC_A_ID) const bool VEC_A = true; // a quad of A is one aligned quad in memory
layout(constant_id = SFT_TILED_VEC_B_ID) const bool VEC_B = true;
layout(constant_id = SFT_TILED_TRANSPOSED_A_ID) const bool TRANSPOSED_A = false;
layout(constant_id = SFT_TILED_TRANSPOSED_B_ID) const bool TRANSPOSED_B = false;
layout(constant_id = SFT_TILED_VEC_D_ID) const bool VEC_D = true; // four columns are a quad of D and the bias

const uint STEP = SFT_TILE_STEP;
const uint ACROSS = TILE_COLUMNS / X; // threads
const uint DOWN = TILE_ROWS / Y;
const uint A_QUADS = TILE_ROWS * STEP / 4;
const uint B_QUADS = TILE_COLUMNS * STEP / 4;
const uint A_LOADS = (A_QUADS + GROUP_SIZE - 1) / GROUP_SIZE;
const uint B_LOADS = (B_QUADS + GROUP_SIZE - 1) / GROUP_SIZE;
const uint A_PITCH = TILE_ROWS / 4 + SFT_TILE_PAD / 4; // quads
const uint B_PITCH = TILE_COLUMNS / 4 + SFT_TILE_PAD / 4;

shared real4 shared_a[2 * STEP * A_PITCH];
shared real4 shared_b[2 * STEP * B_PITCH];

real4 sums[Y][X / 4];
real4 next_a[A_LOADS], next_b[B_LOADS];
uint tile_row, tile_column; // of this group's tile; its matrix is gl_WorkGroupID.z

real4 fetch_a(uint i, uint row, uint k);
real4 fetch_b(uint i, uint column, uint k);
void next_step();

void locate_tile(uint columns)
{
    uint across = (columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
    tile_column = linear_group() % across * TILE_COLUMNS;
    tile_row = linear_group() / across * TILE_ROWS;
}

// Where quad i of this thread lies in the tile: (row or column, k).
uvec2 quad_of(uint i, uint size, bool along_k)
{
    uint quad = gl_LocalInvocationID.x + i * GROUP_SIZE;
    return along_k ? uvec2(quad / (STEP / 4), quad % (STEP / 4) * 4)
                   : uvec2(quad % (size / 4) * 4, quad / (size / 4));
}
uvec2 quad_a(uint i) { return quad_of(i, TILE_ROWS, !TRANSPOSED_A); }
uvec2 quad_b(uint i) { return quad_of(i, TILE_COLUMNS, TRANSPOSED_B); }

// Whether this thread has a quad i.
bool has_a(uint i) { return A_QUADS % GROUP_SIZE == 0 || gl_LocalInvocationID.x + i * GROUP_SIZE < A_QUADS; }
bool has_b(uint i) { return B_QUADS % GROUP_SIZE == 0 || gl_LocalInvocationID.x + i * GROUP_SIZE < B_QUADS; }

void fetch()
{
    [[unroll]] for (uint i = 0; i < A_LOADS; i++)
        if (has_a(i)) next_a[i] = fetch_a(i, quad_a(i).x, quad_a(i).y);
    [[unroll]] for (uint i = 0; i < B_LOADS; i++)
        if (has_b(i)) next_b[i] = fetch_b(i, quad_b(i).x, quad_b(i).y);
    next_step();
}

void put(uint side)
{
    [[unroll]] for (uint i = 0; i < A_LOADS; i++) {
        uint at = (side * STEP + quad_a(i).y) * A_PITCH + quad_a(i).x / 4;
        if (!has_a(i)) continue;
        if (TRANSPOSED_A) shared_a[at] = next_a[i];
        else
            [[unroll]] for (uint e = 0; e < 4; e++)
                shared_a[at + e * A_PITCH][quad_a(i).x % 4] = next_a[i][e];
    }
    [[unroll]] for (uint i = 0; i < B_LOADS; i++) {
        uint at = (side * STEP + quad_b(i).y) * B_PITCH + quad_b(i).x / 4;
        if (!has_b(i)) continue;
        if (!TRANSPOSED_B) shared_b[at] = next_b[i];
        else
            [[unroll]] for (uint e = 0; e < 4; e++)
                shared_b[at + e * B_PITCH][quad_b(i).x % 4] = next_b[i][e];
    }
}

void multiply_step(uint side)
{
    uint across = gl_LocalInvocationID.x % ACROSS, down = gl_LocalInvocationID.x / ACROSS;
    [[unroll]] for (uint k = 0; k < STEP; k++) {
        real4 a[Y / 4], b[X / 4];
        [[unroll]] for (uint i = 0; i < Y / 4; i++)
            a[i] = shared_a[(side * STEP + k) * A_PITCH + down + i * DOWN];
        [[unroll]] for (uint j = 0; j < X / 4; j++)
            b[j] = shared_b[(side * STEP + k) * B_PITCH + across + j * ACROSS];
        [[unroll]] for (uint i = 0; i < Y; i++)
            [[unroll]] for (uint j = 0; j < X / 4; j++)
                sums[i][j] = fma(real4(a[i / 4][i % 4]), b[j], sums[i][j]);
    }
}

void multiply(uint steps)
{
    [[unroll]] for (uint i = 0; i < Y; i++)
        [[unroll]] for (uint j = 0; j < X / 4; j++) sums[i][j] = real4(0.0);
    if (steps > 0) {
        fetch();
        put(0);
    }
    barrier();
    for (uint step = 0; step < steps; step++) {
        bool more = step + 1 < steps;
        if (more) fetch();
        multiply_step(step & 1);
        if (more) put(1 - (step & 1));
        barrier();
    }
}

// Row i of this thread, counted from the tile, and the first column of its quad j.
uint sum_row(uint i) { return (gl_LocalInvocationID.x / ACROSS + i / 4 * DOWN) * 4 + i % 4; }
uint sum_column(uint j) { return (gl_LocalInvocationID.x % ACROSS + j * ACROSS) * 4; }

// Stores row i from element `at` of D on (the tile's first column). `bias` (may be absent) starts at element
// `bias_at`; `columns` are left from the tile's first one on.
void store_row(uint i, Stored d, uint at, Stored bias, uint bias_at, bool relu, uint columns)
{
    [[unroll]] for (uint j = 0; j < X / 4; j++) {
        uint column = sum_column(j);
        real4 result = sums[i][j];
        if (VEC_D) {
            if (column >= columns) continue;
            if (PRESENT(bias)) result += real4(QUADS(bias).at[(bias_at + column) / 4]);
            QUADS(d).at[(at + column) / 4] = stored4(relu ? max(result, real4(0.0)) : result);
        } else {
            [[unroll]] for (uint e = 0; e < 4; e++) {
                if (column + e >= columns) continue;
                real value = result[e];
                if (PRESENT(bias)) value += real(bias.at[bias_at + column + e]);
                d.at[at + column + e] = stored(relu ? max(value, 0.0) : value);
            }
        }
    }
}
