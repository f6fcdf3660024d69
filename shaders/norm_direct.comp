// SPDX-License-Identifier: Apache-2.0
// Group norm's statistics in one dispatch, for one pixel (layer norm) or groups whose channels fill memory
// lines.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"
#include "abi/norm.h"

SFT_PUSH(SFT_NORM_DIRECT_OPERANDS, SFT_NORM_WORDS);

void main()
{
    uint groups = channels / width, column = linear_group() * TX + lane_column();
    bool live = column < images * groups;
    uint terms = live ? pixels * width : 0;
    uint base = column / groups * pixels * channels + column % groups * width;
    real total = real(pixels) * real(width);
    Sum sum = NOTHING, spread = NOTHING;
    for (uint i = lane_row(); i < terms; i += TY)
        add(sum, real(x.at[base + i / width * channels + i % width]));
    real average = column_total(sum) / total;
    for (uint i = lane_row(); i < terms; i += TY) {
        real off = real(x.at[base + i / width * channels + i % width]) - average;
        add(spread, off * off);
    }
    real variance = column_total(spread) / total;
    if (!live || lane_row() != 0) return;
    mean.at[column] = stored(average);
    rstd.at[column] = stored(1.0 / sqrt(variance + epsilon));
}
