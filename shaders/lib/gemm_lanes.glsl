// SPDX-License-Identifier: Apache-2.0
// D = A B for drivers that run on a CPU. Such a driver makes one vector register of the lanes of a subgroup,
// turns a load at a uniform address into one broadcast from memory, and pays for each lane of any other load.
// So a lane owns one row and COLUMNS columns of D: A is loaded by lane, four elements along k at a time, and
// B by all lanes at once, straight into the multiply-adds. No shared memory, no barriers, no subgroup
// operations. B lies in rows of columns: a transposed one, whose columns are a power of two apart, would meet
// in the same few sets of the cache.
//
// Two habits of lavapipe shape this code. It runs the rest of a loop's body with no lane active after the
// loop was left, and a uniform load ignores that: all loops are do-while loops, and the addresses of B are
// always inside B. And only values that no lane can see differently count as uniform.
#include "abi/gemm.h"
#include "lib/grid.glsl"
layout(constant_id = SFT_LANES_COLUMNS_ID) const uint COLUMNS = 64;
layout(constant_id = SFT_LANES_VEC_A_ID) const bool VEC_A = true; // four elements along k are one quad of A
layout(constant_id = SFT_LANES_VEC_B_ID) const bool VEC_B = true; // four columns are one quad of B
layout(constant_id = SFT_LANES_VEC_D_ID) const bool VEC_D = true; // four columns are a quad of D and bias
layout(constant_id = SFT_LANES_WHOLE_COLUMNS_ID) const bool WHOLE_COLUMNS = true; // no tile is cut
layout(constant_id = SFT_LANES_WHOLE_STEPS_ID) const bool WHOLE_STEPS = true;     // k comes in fours

const uint BLOCKS = COLUMNS / 4;
real4 sums[BLOCKS];

uint tile_column, tile_row; // of this group's tile; its matrix is gl_WorkGroupID.z

void locate_tile(uint columns)
{
    uint across = (columns + COLUMNS - 1) / COLUMNS;
    tile_column = linear_group() % across * COLUMNS;
    tile_row = linear_group() / across * GROUP_SIZE;
    [[unroll]] for (uint j = 0; j < BLOCKS; j++) sums[j] = real4(0.0);
}

// B(k, tile_column + column) in four columns; `at` is the element B(k, tile_column), `last` the last column
// of the tile. What is outside is replaced by a neighbour.
real4 load_b(Stored b, uint at, uint column, uint last)
{
    if (VEC_B) return real4(QUADS(b).at[(at + (WHOLE_COLUMNS ? column : min(column, last & ~3u))) / 4]);
    real4 quad;
    [[unroll]] for (uint j = 0; j < 4; j++) quad[j] = real(b.at[at + min(column + j, last)]);
    return quad;
}

// Adds a[i] * B(k + i, column) to each column's sum. `stride` is that of a row of B, `left` >= 1 the rows
// from k on.
void multiply_add(real4 a, Stored b, uint at, uint stride, uint left, uint last)
{
    [[unroll]] for (uint j = 0; j < BLOCKS; j++) {
        [[unroll]] for (uint i = 0; i < 4; i++) {
            uint row = WHOLE_STEPS ? i : min(i, left - 1);
            sums[j] = fma(real4(a[i]), load_b(b, at + row * stride, 4 * j, last), sums[j]);
        }
    }
}

// Stores the sums from element `at` on. `bias` (may be absent) starts at the tile's first column.
void store(Stored d, uint at, Stored bias, uint bias_at, bool relu, uint last)
{
    [[unroll]] for (uint j = 0; j < BLOCKS; j++) {
        if (WHOLE_COLUMNS || 4 * j <= last) {
            real4 result = sums[j];
            if (PRESENT(bias)) {
                uint from = min(4 * j, last);
                if (VEC_D) result += real4(QUADS(bias).at[(bias_at + (from & ~3u)) / 4]);
                else
                    [[unroll]] for (uint i = 0; i < 4; i++)
                        result[i] += real(bias.at[bias_at + min(from + i, last)]);
            }
            if (relu) result = max(result, real4(0.0));
            if (VEC_D) QUADS(d).at[(at + 4 * j) / 4] = stored4(result);
            else
                [[unroll]] for (uint i = 0; i < 4; i++)
                    if (4 * j + i <= last) d.at[at + 4 * j + i] = stored(result[i]);
        }
    }
}
