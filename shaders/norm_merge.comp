// SPDX-License-Identifier: Apache-2.0
// Second pass of group norm's statistics: merges the stretches of a group's channels (Chan, Golub and LeVeque
// 1979).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"
#include "abi/norm.h"

SFT_PUSH(SFT_NORM_MERGE_OPERANDS, SFT_NORM_WORDS);

real pixels_of(uint part) { return real(min((part + 1) * part_pixels, pixels)) - real(part * part_pixels); }

void main()
{
    uint groups = channels / width, column = linear_group() * TX + lane_column();
    bool live = column < images * groups;
    uint terms = live ? parts * width : 0, plane = images * parts * channels;
    uint base = column / groups * parts * channels + column % groups * width;
    real sum = 0.0, spread = 0.0, total = real(pixels) * real(width);
    for (uint i = lane_row(); i < terms; i += TY) {
        uint part = i / width;
        if (part * part_pixels < pixels)
            sum += real(parts_in.at[base + part * channels + i % width]) * pixels_of(part);
    }
    real average = column_sum(sum) / total;
    for (uint i = lane_row(); i < terms; i += TY) {
        uint part = i / width, at = base + part * channels + i % width;
        if (part * part_pixels >= pixels) continue;
        real off = real(parts_in.at[at]) - average;
        spread += real(parts_in.at[plane + at]) + off * off * pixels_of(part);
    }
    spread = column_sum(spread);
    if (!live || lane_row() != 0) return;
    mean.at[column] = stored(average);
    rstd.at[column] = stored(1.0 / sqrt(spread / total + epsilon));
}
