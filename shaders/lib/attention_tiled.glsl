// SPDX-License-Identifier: Apache-2.0
// Attention on GPUs. The block's rows lie in shared memory (RESIDENT tensors of them, say the queries and dy),
// and tiles of the other side pass by. A lane makes EACH x 4 elements of a matrix (rows by columns of the
// passing tile), which then go through `mixed` to be multiplied by the tile: there a lane has the sums of EACH
// rows and of a share of their columns. The order of all sums is fixed. Long loops stay loops: unrolled, they
// take twice the registers.
const uint ACROSS = SFT_ATTENTION_ACROSS, EACH = SFT_ATTENTION_EACH, TILE = SFT_ATTENTION_TILE;
const uint DOWN = GROUP_SIZE / ACROSS;
const uint ROWS = DOWN * EACH;
const uint COLUMNS = TILE / ACROSS; // of a lane
const uint PITCH = QUADS_DEEP + 1;  // quads, odd for the usual depths: against bank conflicts
const uint PASSING = RESIDENT * ROWS * PITCH;
const uint SHARE = (QUADS_DEEP + ACROSS - 1) / ACROSS; // quads of a sum's row that a lane has

shared real4 tiles[PASSING + TILE * PITCH + ACROSS]; // the last lanes' shares may end behind the last row
shared real4 mixed[TILE * (DOWN + 1)];
shared real4 parts[ACROSS * DOWN];

real4 sums[EACH][SHARE];

uint across() { return gl_LocalInvocationID.x % ACROSS; }
uint down() { return gl_LocalInvocationID.x / ACROSS; }

// The block's place.
uint block_head() { return linear_group() / ((tokens + ROWS - 1) / ROWS); }
uint block_first() { return linear_group() % ((tokens + ROWS - 1) / ROWS) * ROWS; }
uint row_token(uint i) { return block_first() + down() * EACH + i; }
uint column(uint j) { return across() + j * ACROSS; } // of the passing tile

// `count` rows from token `first` on, zeros behind the last token.
void load_rows(uint to, uint count, Stored x, uint first, uint row)
{
    [[dont_unroll]] for (uint i = gl_LocalInvocationID.x; i < count * QUADS_DEEP; i += GROUP_SIZE) {
        uint line = i / QUADS_DEEP, c = i % QUADS_DEEP;
        bool inside = first + line < tokens;
        tiles[to + line * PITCH + c] =
            inside ? load_quad(x, place(block_head(), first + line, row), c) : real4(0.0);
    }
}

void load_resident(uint which, Stored x, uint row)
{
    load_rows(which * ROWS * PITCH, ROWS, x, block_first(), row);
}

// Replaces the passing tile, which nobody may still read.
void load_passing(Stored x, uint first, uint row) { load_rows(PASSING, TILE, x, first, row); }

// s[j][i] = row i of resident tensor `which` times column j.
void multiply(uint which, out real4 s[COLUMNS])
{
    uint a = (which * ROWS + down() * EACH) * PITCH, b = PASSING + across() * PITCH;
    [[unroll]] for (uint j = 0; j < COLUMNS; j++) s[j] = real4(0.0);
    [[dont_unroll]] for (uint c = 0; c < QUADS_DEEP; c++) {
        real4 row[EACH];
        [[unroll]] for (uint i = 0; i < EACH; i++) row[i] = tiles[a + i * PITCH + c];
        [[unroll]] for (uint j = 0; j < COLUMNS; j++) {
            real4 other = tiles[b + j * ACROSS * PITCH + c];
            [[unroll]] for (uint i = 0; i < EACH; i++) s[j][i] += dot(row[i], other);
        }
    }
}

void mix(real4 s[COLUMNS])
{
    [[unroll]] for (uint j = 0; j < COLUMNS; j++) mixed[column(j) * (DOWN + 1) + down()] = s[j];
}

// What this lane gave to column j; it may stay there instead of in registers.
real4 mixed_own(uint j) { return mixed[column(j) * (DOWN + 1) + down()]; }

// total += mixed times the passing tile.
void combine(inout real4 total[EACH][SHARE])
{
    [[dont_unroll]] for (uint k = 0; k < TILE; k++) {
        real4 weight = mixed[k * (DOWN + 1) + down()];
        [[unroll]] for (uint m = 0; m < SHARE; m++) {
            real4 other = tiles[PASSING + k * PITCH + across() + m * ACROSS];
            [[unroll]] for (uint i = 0; i < EACH; i++)
                total[i][m] = fma(real4(weight[i]), other, total[i][m]);
        }
    }
}

void clear(out real4 total[EACH][SHARE])
{
    [[unroll]] for (uint i = 0; i < EACH; i++)
        [[unroll]] for (uint m = 0; m < SHARE; m++) total[i][m] = real4(0.0);
}

// Row i times factor[i] to x.
void store_rows(Stored x, uint row, real4 total[EACH][SHARE], real4 factor)
{
    [[unroll]] for (uint i = 0; i < EACH; i++) {
        if (row_token(i) >= tokens) continue;
        [[unroll]] for (uint m = 0; m < SHARE; m++) {
            uint c = across() + m * ACROSS;
            if (c < QUADS_DEEP)
                store_quad(x, place(block_head(), row_token(i), row), c, total[i][m] * factor[i]);
        }
    }
}

// Of the values that the lanes of a row have, the sum or the largest. Has a barrier on either side.
real4 sum_across(real4 value)
{
    real4 sum = real4(0.0);
    barrier();
    parts[across() * DOWN + down()] = value;
    barrier();
    for (uint x = 0; x < ACROSS; x++) sum += parts[x * DOWN + down()];
    return sum;
}

real4 max_across(real4 value)
{
    barrier();
    parts[across() * DOWN + down()] = value;
    barrier();
    for (uint x = 0; x < ACROSS; x++) value = max(value, parts[x * DOWN + down()]);
    return value;
}

// A number of each of the lane's rows, from tensors shaped like lse.
real4 row_numbers(Stored x)
{
    real4 numbers = real4(0.0);
    [[unroll]] for (uint i = 0; i < EACH; i++)
        if (row_token(i) < tokens) numbers[i] = real(x.at[block_head() * tokens + row_token(i)]);
    return numbers;
}

void store_numbers(Stored x, real4 numbers)
{
    [[unroll]] for (uint i = 0; i < EACH; i++)
        if (across() == 0 && row_token(i) < tokens)
            x.at[block_head() * tokens + row_token(i)] = stored(numbers[i]);
}
