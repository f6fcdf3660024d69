// SPDX-License-Identifier: Apache-2.0
// Rounds `first` to `last` of a power iteration on matrices X (rows, columns); to finish, y = X - s left right^T. Round
// 0 takes the first right vector from `start` or makes it from a left one of ones. A column of lanes works on one matrix and shares its two
// vectors through memory; every column of a work-group meets the same barriers.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"

layout(buffer_reference, std430, buffer_reference_align = 4) coherent buffer Shared32 { float at[]; };

layout(push_constant) uniform Push
{
    F32 x; F32 start; F32 y; F32 quality; Shared32 vectors; uint count, rows, columns, first, last, finish;
};

uint matrix, left, right; // where this column's matrix and vectors start

void settle()
{
    if (TY == 1) return;
    memoryBarrierBuffer();
    barrier();
}

// v = v / (|v| + 1e-10); gives |v|.
float normalize_vector(uint start, uint n)
{
    Sum squares = Sum(0.0, 0.0);
    settle();
    for (uint i = lane_row(); i < n; i += TY) add(squares, vectors.at[start + i] * vectors.at[start + i]);
    float norm = sqrt(column_total(squares));
    for (uint i = lane_row(); i < n; i += TY) vectors.at[start + i] /= norm + 1e-10;
    settle();
    return norm;
}

float row_product(uint row)
{
    float sum = 0.0;
    for (uint c = 0; c < columns; c++) sum += x.at[matrix + row * columns + c] * vectors.at[right + c];
    return sum;
}

float column_product(uint column, uint n)
{
    float sum = 0.0;
    for (uint p = 0; p < n; p++) sum += x.at[matrix + p * columns + column] * vectors.at[left + p];
    return sum;
}

void remove_part(uint number, uint n, float s)
{
    Sum off = Sum(0.0, 0.0);
    for (uint p = lane_row(); p < n; p += TY) {
        float difference = row_product(p) - s * vectors.at[left + p];
        add(off, difference * difference);
        for (uint c = 0; c < columns; c++)
            y.at[matrix + p * columns + c] =
                x.at[matrix + p * columns + c] - s * vectors.at[left + p] * vectors.at[right + c];
    }
    float residual = sqrt(column_total(off)) / s;
    if (n > 0 && lane_row() == 0) {
        quality.at[2 * number] = s;
        quality.at[2 * number + 1] = residual;
    }
}

void main()
{
    uint number = linear_group() * TX + lane_column();
    uint n = number < count ? rows : 0, m = number < count ? columns : 0;
    bool given = PRESENT(start);
    float norm = 0.0;
    matrix = number * rows * columns;
    left = number * (rows + columns);
    right = left + rows;
    for (uint i = first; i < last; i++) {
        for (uint p = lane_row(); p < n; p += TY) vectors.at[left + p] = i > 0 ? row_product(p) : 1.0;
        if (i > 0) normalize_vector(left, n);
        settle();
        for (uint c = lane_row(); c < m; c += TY)
            vectors.at[right + c] = given && i == 0 ? start.at[number * columns + c] : column_product(c, n);
        norm = normalize_vector(right, m);
    }
    if (finish > 0) remove_part(number, n, norm);
}
