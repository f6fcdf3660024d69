// SPDX-License-Identifier: Apache-2.0
// y = exp(x - max) / sum, along rows of `width` elements. y may be x: a lane writes what it alone reads last.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"
#include "abi/loss.h"

SFT_PUSH(SFT_SOFTMAX_OPERANDS, SFT_SOFTMAX_WORDS);

void main()
{
    uint row = linear_group() * TX + lane_column(), end = row < rows ? width : 0, base = row * width;
    real top = end > 0 ? real(x.at[base]) : 0.0, sum = 0.0;
    for (uint i = lane_row(); i < end; i += TY) top = max(top, real(x.at[base + i]));
    top = column_max(top);
    for (uint i = lane_row(); i < end; i += TY) sum += exp(real(x.at[base + i]) - top);
    sum = column_sum(sum);
    for (uint i = lane_row(); i < end; i += TY)
        y.at[base + i] = stored(exp(real(x.at[base + i]) - top) / sum);
}
