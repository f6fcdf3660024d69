/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loss of SFT: L = mean over ID images of CE(f(x), y) + lambda * mean over outliers of D(f(x'), uniform).
 *
 * ID and outlier rows share one batch; a label of -1 marks an outlier. A weight a row makes the two means of
 * one sum: 1/n_id on ID rows and lambda/n_ood on outliers, with the counts of the whole batch even when a
 * graph sees a part of it.
 *
 * With a grouped classifier (nn/groups.h) the loss of a row is the sum of its groups' losses, each with a
 * label of its own.
 */
#ifndef SFT_NN_LOSS_H
#define SFT_NN_LOSS_H

#include "nn/groups.h"
#include "runtime/ops.h"

/* The distances D (enum sft_distance) in words, in their order and up to a NULL. */
extern const char *const sft_distance_words[];

struct sft_loss_out {
    sft_value rows;  /* (N): the loss of each row, unweighted */
    sft_value total; /* (1): sum of weights*rows */
};

/* logits (N,C), labels int32 (N), weights (N). With `groups` (NULL: none) C is groups->outputs, and labels
 * are (groups, N), as sft_groups_targets makes them. */
struct sft_loss_out sft_loss(struct sft_graph *graph, const struct sft_groups *groups, sft_value logits,
                             sft_value labels, sft_value weights, struct sft_row_loss_params params);

/* Fills `weights` for n labels. With no ID rows or no outliers the other mean stands alone. */
void sft_loss_weights(const int32_t *labels, int64_t n, float lambda, float *weights);

#endif
