/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reverse-mode differentiation by graph rewriting.
 *
 * Only what lies on a path from a wanted value to the loss is computed: asking for the parameters of norm
 * layers alone computes no weight gradient of any convolution and nothing below the first norm layer.
 *
 * One rule for sums: a gradient rule hands a contribution to sft_add_grad; the first is taken as it is, later
 * ones are added by a node. Rules never add or overwrite themselves.
 */
#ifndef SFT_AUTODIFF_H
#define SFT_AUTODIFF_H

#include "runtime/graph.h"

/* Appends nodes that compute the gradient of `loss` (shape (1)) with respect to wanted[0..n-1] and returns
 * them in `grads`. A wanted value on which the loss does not depend gets SFT_NONE. */
enum sft_status sft_autodiff(struct sft_graph *graph, sft_value loss, const sft_value *wanted, int n,
                             sft_value *grads) SFT_MUST_CHECK;

/* ---- for the gradient rules in runtime/ops ---- */

struct sft_autodiff {
    struct sft_graph *graph;
    bool *needed;     /* by value, those that existed before */
    sft_value *grads; /* by value */
    size_t n_values;
};

bool sft_needs_grad(const struct sft_autodiff *autodiff, sft_value value); /* false for SFT_NONE */
sft_value sft_grad(const struct sft_autodiff *autodiff,
                   sft_value value); /* gradient of an output, or SFT_NONE */
void sft_add_grad(struct sft_autodiff *autodiff, sft_value value, sft_value gradient);

#endif
