// SPDX-License-Identifier: Apache-2.0
// dx = y*(dy - sum(dy*y)), along rows of `width` elements; dx may be dy or y.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"

layout(push_constant) uniform Push { F32 dy; F32 y; F32 dx; uint rows, width; };

void main()
{
    uint row = linear_group() * TX + lane_column(), end = row < rows ? width : 0, base = row * width;
    float product = 0.0;
    for (uint i = lane_row(); i < end; i += TY) product += dy.at[base + i] * y.at[base + i];
    product = column_sum(product);
    for (uint i = lane_row(); i < end; i += TY) dx.at[base + i] = y.at[base + i] * (dy.at[base + i] - product);
}
