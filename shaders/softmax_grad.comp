// SPDX-License-Identifier: Apache-2.0
// dx = y*(dy - sum(dy*y)), along rows of `width` elements; dx may be dy or y.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"
#include "abi/loss.h"

SFT_PUSH(SFT_SOFTMAX_GRAD_OPERANDS, SFT_SOFTMAX_WORDS);

void main()
{
    uint row = linear_group() * TX + lane_column(), end = row < rows ? width : 0, base = row * width;
    real product = 0.0;
    for (uint i = lane_row(); i < end; i += TY) product += real(dy.at[base + i]) * real(y.at[base + i]);
    product = column_sum(product);
    for (uint i = lane_row(); i < end; i += TY)
        dx.at[base + i] = stored(real(y.at[base + i]) * (real(dy.at[base + i]) - product));
}
