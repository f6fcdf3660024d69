// SPDX-License-Identifier: Apache-2.0
// Gradient of row_loss.comp with respect to the logits, times the upstream gradient of the row.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"
#include "lib/loss.glsl"

SFT_PUSH(SFT_ROW_LOSS_GRAD_OPERANDS, SFT_ROW_LOSS_WORDS);

// Distances of p have the form dD/dz_c = weight*p_c*(a_c - sum_k p_k a_k).
real a(real lp)
{
    switch (DISTANCE) {
    case SFT_DISTANCE_KL_PU: return lp;
    case SFT_DISTANCE_L2: return 2.0 * (exp(lp) - 1.0 / real(width));
    case SFT_DISTANCE_JS: return 0.5 * log_p_over_m(lp, width);
    default: return 0.0;
    }
}

// Summed over the row before the gradient is written.
real term(Row row, uint i)
{
    real lp = log_p(logits, row, i), z = max(real(logits.at[row.base + i]), 0.0);
    return DISTANCE == SFT_DISTANCE_LOGITNORM ? z * z : exp(lp) * a(lp);
}

real outlier(Row row, uint i, real sum)
{
    real lp = log_p(logits, row, i), p = exp(lp);
    if (DISTANCE == SFT_DISTANCE_OE) return p - 1.0 / real(width);
    if (DISTANCE == SFT_DISTANCE_LOGITNORM)
        return sum > 0.0 ? max(real(logits.at[row.base + i]), 0.0) / sqrt(sum) : 0.0;
    if (DISTANCE != SFT_DISTANCE_ENERGY) return p * (a(lp) - sum);
    return 2.0 * energy_weight * max(energy_out + row.top + row.log_sum, 0.0) * p;
}

real inlier(Row row, uint i, int label)
{
    real p = exp(log_p(logits, row, i));
    real gradient = p - (i == min(uint(label), width - 1) ? 1.0 : 0.0);
    if (DISTANCE != SFT_DISTANCE_ENERGY) return gradient;
    return gradient - 2.0 * energy_weight * max(-row.top - row.log_sum - energy_in, 0.0) * p;
}

void main()
{
    uint index = linear_group() * TX + lane_column();
    Row row = read_row(logits, index, rows, width);
    real sum = 0.0, upstream = row.end > 0 ? real(dloss.at[index]) : 0.0;
    int label = row.end > 0 ? labels.at[index] : 0;
    for (uint i = lane_row(); i < row.end; i += TY) sum += term(row, i);
    sum = column_sum(sum);
    for (uint i = lane_row(); i < row.end; i += TY)
        dlogits.at[row.base + i] =
            stored(upstream * (label >= 0 ? inlier(row, i, label) : outlier(row, i, sum)));
}
