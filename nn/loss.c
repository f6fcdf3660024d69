/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/loss.h"

#include <stddef.h>

#include "runtime/base/words.h"

const char *const sft_distance_words[] = {"oe", "kl_pu", "l2", "js", "energy", "logitnorm", NULL};
SFT_ASSERT_WORDS(sft_distance_words, SFT_DISTANCE_LOGITNORM);

/* The sum over groups of the losses of their logits. */
static sft_value grouped_rows(struct sft_graph *graph, const struct sft_groups *groups, sft_value logits,
                              sft_value labels, struct sft_row_loss_params params)
{
    sft_value rows = SFT_NONE;
    int64_t n = logits == SFT_NONE ? 0 : sft_graph_shape(graph, logits)->dim[0];
    for (int g = 0; g < groups->n; g++) {
        const int64_t start[SFT_MAX_RANK] = {0, groups->first[g]};
        sft_value own =
            sft_slice(graph, logits, start, SFT_SHAPE(n, groups->first[g + 1] - groups->first[g]));
        own = sft_row_loss(graph, own, sft_view(graph, labels, g * n, SFT_SHAPE(n)), params);
        rows = g ? sft_add(graph, rows, own, 1.0f) : own;
    }
    return rows;
}

struct sft_loss_out sft_loss(struct sft_graph *graph, const struct sft_groups *groups, sft_value logits,
                             sft_value labels, sft_value weights, struct sft_row_loss_params params)
{
    struct sft_loss_out out;
    out.rows = groups ? grouped_rows(graph, groups, logits, labels, params)
                      : sft_row_loss(graph, logits, labels, params);
    out.total = sft_sum_to(graph, sft_mul(graph, out.rows, weights), SFT_SHAPE(1), 1.0f);
    return out;
}

void sft_loss_weights(const int32_t *labels, int64_t n, float lambda, float *weights)
{
    int64_t n_ood = 0;
    for (int64_t i = 0; i < n; i++) n_ood += labels[i] < 0;
    for (int64_t i = 0; i < n; i++)
        weights[i] = labels[i] < 0 ? lambda / (float)n_ood : 1.0f / (float)(n - n_ood);
}
