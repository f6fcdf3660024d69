// SPDX-License-Identifier: Apache-2.0
// One loss a row: cross entropy for a label, the distance from the uniform prediction for an outlier (runtime/ops.h).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"
#include "lib/loss.glsl"

layout(push_constant) uniform Push
{
    F32 logits; I32 labels; F32 loss;
    uint rows, width;
    float energy_weight, energy_in, energy_out;
};

// A class's share of the distance, to be summed over the row.
float term(Row row, uint i)
{
    float lp = log_p(logits, row, i), p = exp(lp), uniform_p = 1.0 / float(width);
    switch (DISTANCE) {
    case SFT_LOSS_OE: return (logits.at[row.base + i] - row.top) * uniform_p;
    case SFT_LOSS_KL_PU: return p * (lp + log(float(width)));
    case SFT_LOSS_L2: return (p - uniform_p) * (p - uniform_p);
    case SFT_LOSS_JS:
        return 0.5 * (p * log_p_over_m(lp, width) + uniform_p * log(2.0 * uniform_p / (p + uniform_p)));
    case SFT_LOSS_LOGITNORM: {
        float z = max(logits.at[row.base + i], 0.0);
        return z * z;
    }
    default: return 0.0;
    }
}

float outlier(Row row, float sum)
{
    if (DISTANCE == SFT_LOSS_OE) return row.log_sum - sum;
    if (DISTANCE == SFT_LOSS_LOGITNORM) return sqrt(sum);
    if (DISTANCE != SFT_LOSS_ENERGY) return sum;
    float short_of = max(energy_out + row.top + row.log_sum, 0.0); // m_out - E, E = -LSE
    return energy_weight * short_of * short_of;
}

float inlier(Row row, int label)
{
    float entropy = -log_p(logits, row, min(uint(label), width - 1));
    if (DISTANCE != SFT_LOSS_ENERGY) return entropy;
    float over = max(-row.top - row.log_sum - energy_in, 0.0); // E - m_in
    return entropy + energy_weight * over * over;
}

void main()
{
    uint index = linear_group() * TX + lane_column();
    Row row = read_row(logits, index, rows, width);
    float sum = 0.0;
    for (uint i = lane_row(); i < row.end; i += TY) sum += term(row, i);
    sum = column_sum(sum);
    if (row.end == 0 || lane_row() != 0) return;
    int label = labels.at[index];
    loss.at[index] = label >= 0 ? inlier(row, label) : outlier(row, sum);
}
