// SPDX-License-Identifier: Apache-2.0
// Means over a group of gamma*dz and of gamma*dz*xh, from their sums by channel: means (2, images, groups).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"
#include "abi/norm.h"

SFT_PUSH(SFT_NORM_MEANS_OPERANDS, SFT_NORM_WORDS);

void main()
{
    uint groups = channels / width, count = images * groups, column = linear_group() * TX + lane_column();
    bool live = column < count;
    uint first = column % groups * width, base = column / groups * channels + first;
    real a = 0.0, b = 0.0, total = real(pixels) * real(width);
    for (uint i = lane_row(); live && i < width; i += TY) {
        a += real(gamma.at[first + i]) * real(sums.at[base + i]);
        b += real(gamma.at[first + i]) * real(sums.at[images * channels + base + i]);
    }
    a = column_sum(a);
    b = column_sum(b);
    if (!live || lane_row() != 0) return;
    means.at[column] = stored(a / total);
    means.at[count + column] = stored(b / total);
}
