// SPDX-License-Identifier: Apache-2.0
// dw = rstd*(dy - mean(dy) - y*mean(dy*y)), the means over the rows of an output channel.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"

layout(push_constant) uniform Push { F32 dy; F32 y; F32 rstd; F32 dw; uint rows, channels; };

void main()
{
    uint channel = linear_group() * TX + lane_column(), end = channel < channels ? rows : 0;
    Sum sum = Sum(0.0, 0.0), product = Sum(0.0, 0.0);
    for (uint row = lane_row(); row < end; row += TY) {
        float d = dy.at[row * channels + channel];
        add(sum, d);
        add(product, d * y.at[row * channels + channel]);
    }
    float mean = column_total(sum) / float(rows), slope = column_total(product) / float(rows);
    float scale = end > 0 ? rstd.at[channel] : 0.0;
    for (uint row = lane_row(); row < end; row += TY) {
        uint at = row * channels + channel;
        dw.at[at] = scale * (dy.at[at] - mean - y.at[at] * slope);
    }
}
