// SPDX-License-Identifier: Apache-2.0
// Means over a group of gamma*dz and of gamma*dz*xh, from their sums by channel: means (2, images, groups).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"
#include "lib/norm.glsl"

layout(push_constant) uniform Push { F32 gamma; F32 sums; F32 means; NORM_SIZES; };

void main()
{
    uint groups = channels / width, count = images * groups, column = linear_group() * TX + lane_column();
    bool live = column < count;
    uint first = column % groups * width, base = column / groups * channels + first;
    float a = 0.0, b = 0.0, total = float(pixels) * float(width);
    for (uint i = lane_row(); live && i < width; i += TY) {
        a += gamma.at[first + i] * sums.at[base + i];
        b += gamma.at[first + i] * sums.at[images * channels + base + i];
    }
    a = column_sum(a);
    b = column_sum(b);
    if (!live || lane_row() != 0) return;
    means.at[column] = a / total;
    means.at[count + column] = b / total;
}
