/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The op table: what an operation is, declared once.
 *
 * An op is a row in runtime/ops.def and a `const struct sft_op` in runtime/ops/. Graph, autodiff and plan
 * read this struct and nothing else; the tests read a reference and cases beside it
 * (tests/support/test_op.h), the benchmark shapes (tools/bench_cases.c). It knows no backend: each of those
 * has a table of kernels of its own, made from the same rows (runtime/cpu/kernels.c,
 * runtime/vulkan/kernels.c). So an op without a kernel or a reference does not link.
 */
#ifndef SFT_OP_H
#define SFT_OP_H

#include <stdbool.h>

#include "runtime/base/shape.h"
#include "runtime/base/status.h"

struct sft_graph;
struct sft_node;
struct sft_tape;

/* The place of an op in ops.def, and so in every table made from it. */
enum sft_op_id {
#define SFT_OP(name) SFT_ID_##name,
#include "runtime/ops.def"
#undef SFT_OP
    SFT_OP_COUNT
};

struct sft_cost {
    double flops; /* one multiply-add counts 2 */
    double bytes; /* least traffic: each input read once, each output written once */
};

struct sft_op {
    enum sft_op_id id;
    const char *name;
    int min_in, max_in; /* inputs from min_in on are optional */
    int n_out;
    size_t params_size;

    /* Checks inputs and parameters and gives the outputs' shapes (and types, which start as SFT_F32). Pure. A
     * misfit is described with sft_fail. */
    enum sft_status (*infer)(const struct sft_graph *graph, const struct sft_node *node,
                             struct sft_shape *out, enum sft_dtype *dtype);

    /* Appends the gradient nodes (runtime/tape.h): from the gradient at output 0, those of the inputs for
     * which sft_needs_grad() holds. A gradient that arrives at another output (a statistic, an index), or
     * one that is needed and not given, fails the whole differentiation. `node` is a copy that stays valid
     * while the graph grows. NULL only with the reason in `no_grad`. */
    void (*grad)(struct sft_tape *tape, const struct sft_node *node);
    const char *no_grad;

    void (*cost)(const struct sft_graph *graph, const struct sft_node *node,
                 struct sft_cost *cost); /* NULL: bytes only */

    unsigned in_place; /* bit i: output 0 may take the memory of input i, which has output 0's shape */
    unsigned mutates;  /* bit i: input i, an outside value, is updated in place */
    bool view;         /* output 0 lies in input 0's memory; nothing runs */
};

/* The gradient of a gradient op. */
#define SFT_NO_SECOND_DERIVATIVE .no_grad = "second derivatives are not needed"

#endif
