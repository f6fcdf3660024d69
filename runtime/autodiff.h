/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reverse-mode differentiation by graph rewriting (runtime/ops/differentiate.c).
 *
 * Only what lies on a path from a wanted value to the loss is computed: asking for the parameters of norm
 * layers alone computes no weight gradient of any convolution and nothing below the first norm layer.
 */
#ifndef SFT_AUTODIFF_H
#define SFT_AUTODIFF_H

#include "runtime/graph.h"

/* Appends nodes that compute the gradient of `loss` (shape (1)) with respect to wanted[0..n-1] and returns
 * them in `grads`. A wanted value of integers, or on which the loss does not depend, gets SFT_NONE. SFT_USAGE
 * where the loss depends on a wanted value through an op, an output or an input that has no gradient: none is
 * ever left out of the sum. A failure is the graph's too (sft_graph_status). */
enum sft_status sft_autodiff(struct sft_graph *graph, sft_value loss, const sft_value *wanted, int n,
                             sft_value *grads) SFT_MUST_CHECK;

#endif
