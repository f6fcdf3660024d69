/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/loss.h"

struct sft_loss_out sft_loss(struct sft_graph *graph, sft_value logits, sft_value labels, sft_value weights,
                             struct sft_row_loss_params params)
{
    struct sft_loss_out out;
    out.rows = sft_row_loss(graph, logits, labels, params);
    out.total = sft_sum_to(graph, sft_mul(graph, out.rows, weights), SFT_SHAPE(1), 1.0f);
    return out;
}

void sft_loss_weights(const int32_t *labels, int64_t n, float lambda, float *weights)
{
    int64_t n_ood = 0;
    for (int64_t i = 0; i < n; i++) n_ood += labels[i] < 0;
    for (int64_t i = 0; i < n; i++) weights[i] = labels[i] < 0 ? lambda / (float)n_ood : 1.0f / (float)(n - n_ood);
}
