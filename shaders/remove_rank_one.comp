// SPDX-License-Identifier: Apache-2.0
// Rounds `first` to `last` of a power iteration on matrices X (rows, columns); to finish, y = X - s left
// right^T. Round 0 takes the first right vector from `start` or makes it from a left one of ones. A column of
// lanes works on one matrix and shares its two vectors through memory; every column of a work-group meets the
// same barriers.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"
#include "abi/lowrank.h"

layout(buffer_reference, std430, buffer_reference_align = SFT_STORED_BYTES) coherent buffer Coherent
{
    stored at[];
};

SFT_PUSH(SFT_REMOVE_RANK_ONE_OPERANDS, SFT_REMOVE_RANK_ONE_WORDS);

uint matrix, left, right; // where this column's matrix and vectors start

void settle()
{
    if (TY == 1) return;
    memoryBarrierBuffer();
    barrier();
}

// v = v / (|v| + 1e-10); gives |v|.
real normalize_vector(uint start, uint n)
{
    Sum squares = NOTHING;
    settle();
    for (uint i = lane_row(); i < n; i += TY)
        add(squares, real(vectors.at[start + i]) * real(vectors.at[start + i]));
    real norm = sqrt(column_total(squares));
    for (uint i = lane_row(); i < n; i += TY)
        vectors.at[start + i] = stored(real(vectors.at[start + i]) / (norm + 1e-10));
    settle();
    return norm;
}

real row_product(uint row)
{
    real sum = 0.0;
    for (uint c = 0; c < columns; c++)
        sum += real(x.at[matrix + row * columns + c]) * real(vectors.at[right + c]);
    return sum;
}

real column_product(uint column, uint n)
{
    real sum = 0.0;
    for (uint p = 0; p < n; p++)
        sum += real(x.at[matrix + p * columns + column]) * real(vectors.at[left + p]);
    return sum;
}

void remove_part(uint number, uint n, real s)
{
    Sum off = NOTHING;
    for (uint p = lane_row(); p < n; p += TY) {
        real difference = row_product(p) - s * real(vectors.at[left + p]);
        add(off, difference * difference);
        for (uint c = 0; c < columns; c++)
            y.at[matrix + p * columns + c] =
                stored(real(x.at[matrix + p * columns + c]) -
                       s * real(vectors.at[left + p]) * real(vectors.at[right + c]));
    }
    real residual = sqrt(column_total(off)) / s;
    if (n > 0 && lane_row() == 0) {
        quality.at[2 * number] = stored(s);
        quality.at[2 * number + 1] = stored(residual);
    }
}

void main()
{
    uint number = linear_group() * TX + lane_column();
    uint n = number < count ? rows : 0, m = number < count ? columns : 0;
    bool given = PRESENT(start);
    real norm = 0.0;
    matrix = number * rows * columns;
    left = number * (rows + columns);
    right = left + rows;
    for (uint i = first; i < last; i++) {
        for (uint p = lane_row(); p < n; p += TY) vectors.at[left + p] = stored(i > 0 ? row_product(p) : 1.0);
        if (i > 0) normalize_vector(left, n);
        settle();
        for (uint c = lane_row(); c < m; c += TY)
            vectors.at[right + c] =
                stored(given && i == 0 ? real(start.at[number * columns + c]) : column_product(c, n));
        norm = normalize_vector(right, m);
    }
    if (finish > 0) remove_part(number, n, norm);
}
