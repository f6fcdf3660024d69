/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rewrites of a graph between its copy and its plan (runtime/passes/). They see gradients and updates too:
 * what was differentiated stays as it is. A pass keeps every value that somebody outside can see, bit by bit.
 *
 * Adding a pass: runtime/passes/NAME.c with `sft_pass_NAME`, and a row in runtime/passes/passes.def.
 */
#ifndef SFT_PASSES_H
#define SFT_PASSES_H

#include "runtime/plan.h"

/* What the passes may use. */
struct sft_pass_limits {
    size_t arena;             /* bytes that temporary values should take at most; 0: no limit */
    sft_scratch_rule scratch; /* of the kernels that will run */
};

/* Runs every pass on the graph, in the order of their rows. */
enum sft_status sft_passes_run(struct sft_graph *graph, const struct sft_pass_limits *limits) SFT_MUST_CHECK;

#endif
