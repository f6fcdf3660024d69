// SPDX-License-Identifier: Apache-2.0
// dx = rstd*(gamma*dy - mean(gamma*dy) - xh*mean(gamma*dy*xh)) by row; dx may be dy.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"
#include "abi/layer_norm.h"

SFT_PUSH(SFT_LAYER_NORM_DX_OPERANDS, SFT_LAYER_NORM_WORDS);

void main()
{
    uint row = linear_group() * TX + lane_column(), end = row < rows ? width : 0, base = row * width;
    real middle = row < rows ? real(mean.at[row]) : 0.0, scale = row < rows ? real(rstd.at[row]) : 0.0;
    real sum = 0.0, along = 0.0;
    for (uint i = lane_row(); i < end; i += TY) {
        real slope = real(gamma.at[i]) * real(dy.at[base + i]);
        sum += slope;
        along += slope * (real(x.at[base + i]) - middle);
    }
    sum = column_sum(sum) / real(width);
    along = column_sum(along) * scale * scale / real(width);
    for (uint i = lane_row(); i < end; i += TY) {
        real slope = real(gamma.at[i]) * real(dy.at[base + i]);
        dx.at[base + i] = stored(scale * (slope - sum - (real(x.at[base + i]) - middle) * along));
    }
}
