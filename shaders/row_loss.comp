// SPDX-License-Identifier: Apache-2.0
// One loss a row: cross entropy for a label, the distance from the uniform prediction for an outlier
// (runtime/ops.h).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/columns.glsl"
#include "lib/loss.glsl"

SFT_PUSH(SFT_ROW_LOSS_OPERANDS, SFT_ROW_LOSS_WORDS);

// A class's share of the distance, to be summed over the row.
real term(Row row, uint i)
{
    real lp = log_p(logits, row, i), p = exp(lp), uniform_p = 1.0 / real(width);
    switch (DISTANCE) {
    case SFT_DISTANCE_OE: return (real(logits.at[row.base + i]) - row.top) * uniform_p;
    case SFT_DISTANCE_KL_PU: return p * (lp + log(real(width)));
    case SFT_DISTANCE_L2: return (p - uniform_p) * (p - uniform_p);
    case SFT_DISTANCE_JS:
        return 0.5 * (p * log_p_over_m(lp, width) + uniform_p * log(2.0 * uniform_p / (p + uniform_p)));
    case SFT_DISTANCE_LOGITNORM: {
        real z = max(real(logits.at[row.base + i]), 0.0);
        return z * z;
    }
    default: return 0.0;
    }
}

real outlier(Row row, real sum)
{
    if (DISTANCE == SFT_DISTANCE_OE) return row.log_sum - sum;
    if (DISTANCE == SFT_DISTANCE_LOGITNORM) return sqrt(sum);
    if (DISTANCE != SFT_DISTANCE_ENERGY) return sum;
    real short_of = max(energy_out + row.top + row.log_sum, 0.0); // m_out - E, E = -LSE
    return energy_weight * short_of * short_of;
}

real inlier(Row row, int label)
{
    real entropy = -log_p(logits, row, min(uint(label), width - 1));
    if (DISTANCE != SFT_DISTANCE_ENERGY) return entropy;
    real over = max(-row.top - row.log_sum - energy_in, 0.0); // E - m_in
    return entropy + energy_weight * over * over;
}

void main()
{
    uint index = linear_group() * TX + lane_column();
    Row row = read_row(logits, index, rows, width);
    real sum = 0.0;
    for (uint i = lane_row(); i < row.end; i += TY) sum += term(row, i);
    sum = column_sum(sum);
    if (row.end == 0 || lane_row() != 0) return;
    int label = labels.at[index];
    loss.at[index] = stored(label >= 0 ? inlier(row, label) : outlier(row, sum));
}
