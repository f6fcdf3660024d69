/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gradient rule writes on while a graph is differentiated (runtime/autodiff.h): which values need a
 * gradient, and the gradients found so far.
 *
 * One rule for sums: a gradient rule hands a contribution to sft_add_grad; the first is taken as it is, later
 * ones are added by a node. Rules never add or overwrite themselves.
 */
#ifndef SFT_TAPE_H
#define SFT_TAPE_H

#include "runtime/graph.h"

struct sft_tape {
    struct sft_graph *graph;
    bool *needed;     /* by value, those that existed before */
    sft_value *grads; /* by value */
    size_t n_values;
    /* Appends a + b. It comes with the tape so that the tape itself depends on no op. */
    sft_value (*sum)(struct sft_graph *graph, sft_value a, sft_value b);
};

/* Whether a gradient with respect to the value is asked for; false for SFT_NONE. */
bool sft_needs_grad(const struct sft_tape *tape, sft_value value);

/* The gradient of an output, or SFT_NONE. */
sft_value sft_grad(const struct sft_tape *tape, sft_value value);

/* Adds `gradient` to what is known for the value; does nothing where that or `gradient` is not needed. */
void sft_add_grad(struct sft_tape *tape, sft_value value, sft_value gradient);

#endif
