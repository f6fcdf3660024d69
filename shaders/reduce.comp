// SPDX-License-Identifier: Apache-2.0
// y[k] = finish(sum of f(x) over the reduced axes). The sum may be split into `parts`, which a second
// dispatch adds up: column = part * kept + k. Up to three kept and three reduced axes, innermost first.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"
#include "abi/reduce.h"

// f(x) is x^2 with SQUARE, else x; finish(s) is sqrt(s) + number with ROOT, else s*number.
layout(constant_id = SFT_REDUCE_SQUARE_ID) const bool SQUARE = false;
layout(constant_id = SFT_REDUCE_ROOT_ID) const bool ROOT = false;
layout(constant_id = SFT_REDUCE_AXES_ID) const uint AXES = 1; // reduced ones
SFT_PUSH(SFT_REDUCE_OPERANDS, SFT_REDUCE_WORDS);

uint kept_offset(uint k)
{
    uint k1 = k / kept_size[0], k2 = k1 / kept_size[1];
    return k % kept_size[0] * kept_stride[0] + k1 % kept_size[1] * kept_stride[1] + k2 * kept_stride[2];
}

uint row_offset(uint row)
{
    if (AXES == 1) return row * stride[0];
    uint r1 = row / size[0];
    if (AXES == 2) return row % size[0] * stride[0] + r1 * stride[1];
    return row % size[0] * stride[0] + r1 % size[1] * stride[1] + r1 / size[1] * stride[2];
}

void main()
{
    uint column = linear_group() * TX + lane_column();
    bool live = column < kept * parts;
    uint part = column / kept, base = kept_offset(column % kept);
    uint begin = part * part_rows, end = live ? min(begin + part_rows, rows) : 0;
    Sum sum = NOTHING;
    for (uint row = begin + lane_row(); row < end; row += TY) {
        real value = real(x.at[base + row_offset(row)]);
        add(sum, SQUARE ? value * value : value);
    }
    real total = column_total(sum);
    if (live && lane_row() == 0) y.at[column] = stored(ROOT ? sqrt(total) + number : total * number);
}
