// SPDX-License-Identifier: Apache-2.0
// y[k] = finish(sum of f(x) over the reduced axes). The sum may be split into `parts`, which a second dispatch adds up:
// column = part * kept + k. Up to three kept and three reduced axes, innermost first.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"

layout(constant_id = 2) const bool SQUARE = false; // f(x) = x^2
layout(constant_id = 3) const bool ROOT = false;   // finish(s) = sqrt(s) + number; else s * number
layout(constant_id = 4) const uint AXES = 1;       // reduced ones
layout(push_constant) uniform Push
{
    F32 x; F32 y;
    float number;
    uint kept, rows, parts, part_rows;
    uint kept_size0, kept_size1; // axis 2 has what is left
    uint kept_stride0, kept_stride1, kept_stride2;
    uint size0, size1;
    uint stride0, stride1, stride2;
};

uint kept_offset(uint k)
{
    uint k1 = k / kept_size0, k2 = k1 / kept_size1;
    return k % kept_size0 * kept_stride0 + k1 % kept_size1 * kept_stride1 + k2 * kept_stride2;
}

uint row_offset(uint row)
{
    if (AXES == 1) return row * stride0;
    uint r1 = row / size0;
    if (AXES == 2) return row % size0 * stride0 + r1 * stride1;
    return row % size0 * stride0 + r1 % size1 * stride1 + r1 / size1 * stride2;
}

void main()
{
    uint column = linear_group() * TX + lane_column();
    bool live = column < kept * parts;
    uint part = column / kept, base = kept_offset(column % kept);
    uint begin = part * part_rows, end = live ? min(begin + part_rows, rows) : 0;
    Sum sum = Sum(0.0, 0.0);
    for (uint row = begin + lane_row(); row < end; row += TY) {
        float value = x.at[base + row_offset(row)];
        add(sum, SQUARE ? value * value : value);
    }
    float total = column_total(sum);
    if (live && lane_row() == 0) y.at[column] = ROOT ? sqrt(total) + number : total * number;
}
