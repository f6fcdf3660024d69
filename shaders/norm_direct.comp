// SPDX-License-Identifier: Apache-2.0
// Group norm's statistics in one dispatch, for one pixel (layer norm) or groups whose channels fill memory lines.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"
#include "lib/norm.glsl"

layout(push_constant) uniform Push { F32 x; F32 mean; F32 rstd; NORM_SIZES; float epsilon; };

void main()
{
    uint groups = channels / width, column = linear_group() * TX + lane_column();
    bool live = column < images * groups;
    uint terms = live ? pixels * width : 0, base = column / groups * pixels * channels + column % groups * width;
    float total = float(pixels) * float(width);
    Sum sum = Sum(0.0, 0.0), spread = Sum(0.0, 0.0);
    for (uint i = lane_row(); i < terms; i += TY) add(sum, x.at[base + i / width * channels + i % width]);
    float average = column_total(sum) / total;
    for (uint i = lane_row(); i < terms; i += TY) {
        float off = x.at[base + i / width * channels + i % width] - average;
        add(spread, off * off);
    }
    float variance = column_total(spread) / total;
    if (!live || lane_row() != 0) return;
    mean.at[column] = average;
    rstd.at[column] = 1.0 / sqrt(variance + epsilon);
}
