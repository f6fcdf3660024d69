// SPDX-License-Identifier: Apache-2.0
// dw = rstd*(dy - mean(dy) - y*mean(dy*y)), the means over the rows of an output channel.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"
#include "abi/standardize.h"

SFT_PUSH(SFT_STANDARDIZE_GRAD_OPERANDS, SFT_STANDARDIZE_GRAD_WORDS);

void main()
{
    uint channel = linear_group() * TX + lane_column(), end = channel < channels ? rows : 0;
    Sum sum = NOTHING, product = NOTHING;
    for (uint row = lane_row(); row < end; row += TY) {
        real d = real(dy.at[row * channels + channel]);
        add(sum, d);
        add(product, d * real(y.at[row * channels + channel]));
    }
    real mean = column_total(sum) / real(rows), slope = column_total(product) / real(rows);
    real scale = end > 0 ? real(rstd.at[channel]) : 0.0;
    for (uint row = lane_row(); row < end; row += TY) {
        uint at = row * channels + channel;
        dw.at[at] = stored(scale * (real(dy.at[at]) - mean - real(y.at[at]) * slope));
    }
}
