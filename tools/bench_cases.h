/* SPDX-License-Identifier: Apache-2.0 */
/* What `bench` times: an op at a shape that the models really use, as a function that builds a graph of it.
 */
#ifndef SFT_BENCH_CASES_H
#define SFT_BENCH_CASES_H

#include "runtime/graph.h"

struct sft_bench_case {
    const char *op;    /* as in the op table; --ops picks by it */
    const char *shape; /* for people; N is the batch */
    /* Appends inputs (named; "labels" are made valid labels, all others random) and the op. */
    void (*build)(struct sft_graph *graph, int64_t n);
};

/* Up to one without an op. */
extern const struct sft_bench_case sft_bench_cases[];

/* The two that measure the device's ceilings: a product that is all arithmetic, and a sum that is all
 * traffic. */
void sft_bench_arithmetic(struct sft_graph *graph, int64_t n);
void sft_bench_traffic(struct sft_graph *graph, int64_t n);

#endif
