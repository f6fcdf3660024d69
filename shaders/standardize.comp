// SPDX-License-Identifier: Apache-2.0
// Weight standardisation: y = (w - mean)*rstd by output channel, w being (rows, channels).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"

layout(push_constant) uniform Push { F32 w; F32 y; F32 rstd; uint rows, channels; float epsilon; };

void main()
{
    uint channel = linear_group() * TX + lane_column(), end = channel < channels ? rows : 0;
    Sum sum = Sum(0.0, 0.0), spread = Sum(0.0, 0.0);
    for (uint row = lane_row(); row < end; row += TY) add(sum, w.at[row * channels + channel]);
    float mean = column_total(sum) / float(rows);
    for (uint row = lane_row(); row < end; row += TY) {
        float off = w.at[row * channels + channel] - mean;
        add(spread, off * off);
    }
    float scale = 1.0 / sqrt(column_total(spread) / float(rows) + epsilon);
    for (uint row = lane_row(); row < end; row += TY)
        y.at[row * channels + channel] = (w.at[row * channels + channel] - mean) * scale;
    if (end > 0 && lane_row() == 0) rstd.at[channel] = scale;
}
