// SPDX-License-Identifier: Apache-2.0
// Weight standardisation: y = (w - mean)*rstd by output channel, w being (rows, channels).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"
#include "abi/standardize.h"

SFT_PUSH(SFT_STANDARDIZE_OPERANDS, SFT_STANDARDIZE_WORDS);

void main()
{
    uint channel = linear_group() * TX + lane_column(), end = channel < channels ? rows : 0;
    Sum sum = NOTHING, spread = NOTHING;
    for (uint row = lane_row(); row < end; row += TY) add(sum, real(w.at[row * channels + channel]));
    real mean = column_total(sum) / real(rows);
    for (uint row = lane_row(); row < end; row += TY) {
        real off = real(w.at[row * channels + channel]) - mean;
        add(spread, off * off);
    }
    real scale = 1.0 / sqrt(column_total(spread) / real(rows) + epsilon);
    for (uint row = lane_row(); row < end; row += TY)
        y.at[row * channels + channel] = stored((real(w.at[row * channels + channel]) - mean) * scale);
    if (end > 0 && lane_row() == 0) rstd.at[channel] = stored(scale);
}
