// SPDX-License-Identifier: Apache-2.0
// Gradient of row_loss.comp with respect to the logits, times the upstream gradient of the row.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"
#include "lib/loss.glsl"

layout(push_constant) uniform Push
{
    F32 logits; I32 labels; F32 dloss; F32 dlogits;
    uint rows, width;
    float energy_weight, energy_in, energy_out;
};

// Distances of p have the form dD/dz_c = weight*p_c*(a_c - sum_k p_k a_k).
float a(float lp)
{
    switch (DISTANCE) {
    case SFT_LOSS_KL_PU: return lp;
    case SFT_LOSS_L2: return 2.0 * (exp(lp) - 1.0 / float(width));
    case SFT_LOSS_JS: return 0.5 * log_p_over_m(lp, width);
    default: return 0.0;
    }
}

// Summed over the row before the gradient is written.
float term(Row row, uint i)
{
    float lp = log_p(logits, row, i), z = max(logits.at[row.base + i], 0.0);
    return DISTANCE == SFT_LOSS_LOGITNORM ? z * z : exp(lp) * a(lp);
}

float outlier(Row row, uint i, float sum)
{
    float lp = log_p(logits, row, i), p = exp(lp);
    if (DISTANCE == SFT_LOSS_OE) return p - 1.0 / float(width);
    if (DISTANCE == SFT_LOSS_LOGITNORM) return sum > 0.0 ? max(logits.at[row.base + i], 0.0) / sqrt(sum) : 0.0;
    if (DISTANCE != SFT_LOSS_ENERGY) return p * (a(lp) - sum);
    return 2.0 * energy_weight * max(energy_out + row.top + row.log_sum, 0.0) * p;
}

float inlier(Row row, uint i, int label)
{
    float p = exp(log_p(logits, row, i)), gradient = p - (i == min(uint(label), width - 1) ? 1.0 : 0.0);
    if (DISTANCE != SFT_LOSS_ENERGY) return gradient;
    return gradient - 2.0 * energy_weight * max(-row.top - row.log_sum - energy_in, 0.0) * p;
}

void main()
{
    uint index = linear_group() * TX + lane_column();
    Row row = read_row(logits, index, rows, width);
    float sum = 0.0, upstream = row.end > 0 ? dloss.at[index] : 0.0;
    int label = row.end > 0 ? labels.at[index] : 0;
    for (uint i = lane_row(); i < row.end; i += TY) sum += term(row, i);
    sum = column_sum(sum);
    for (uint i = lane_row(); i < row.end; i += TY)
        dlogits.at[row.base + i] = upstream * (label >= 0 ? inlier(row, i, label) : outlier(row, i, sum));
}
