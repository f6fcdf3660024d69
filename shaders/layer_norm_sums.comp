// SPDX-License-Identifier: Apache-2.0
// What each part of the rows adds to dgamma and dbeta: sums of dy*xh and of dy, by channel.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"
#include "abi/layer_norm.h"

SFT_PUSH(SFT_LAYER_NORM_SUMS_OPERANDS, SFT_LAYER_NORM_WORDS);

void main()
{
    uint column = linear_group() * TX + lane_column(), c = column % width, part = column / width;
    bool live = part < parts;
    uint first = part * part_rows, last = live ? min(rows, first + part_rows) : 0;
    Sum sum = NOTHING, along = NOTHING;
    for (uint row = first + lane_row(); row < last; row += TY) {
        real slope = real(dy.at[row * width + c]);
        add(sum, slope);
        add(along, slope * (real(x.at[row * width + c]) - real(mean.at[row])) * real(rstd.at[row]));
    }
    real whole = column_total(sum), whole_along = column_total(along);
    if (!live || lane_row() != 0) return;
    dbeta.at[column] = stored(whole);
    dgamma.at[column] = stored(whole_along);
}
