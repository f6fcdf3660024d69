/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the op tests know about an op: its float64 reference (tests/ref), its cases (tests/cases) and how a
 * node of it is built. Every row of runtime/ops.def needs a sft_ref_NAME and a sft_test_op_NAME: without
 * them the tests do not link.
 */
#ifndef SFT_TESTS_TEST_OP_H
#define SFT_TESTS_TEST_OP_H

#include "runtime/op.h"
#include "runtime/ops.h"

/* How an input is filled, from the case's own random numbers. */
enum test_fill {
    FILL_ABSENT,         /* an optional input that is not there */
    FILL_NORMAL,         /* mean 0, variance 1 */
    FILL_WIDE,           /* normal times 30: saturates exponentials */
    FILL_AWAY,           /* normal, but at least 0.05 from zero: no kink within a difference step */
    FILL_POSITIVE,       /* uniform in [0.5, 1.5) */
    FILL_NEGATIVE,       /* uniform in [-1.5, -0.5) */
    FILL_SMALL_INTEGERS, /* -2 .. 2 as floats: full of ties */
    FILL_OFFSET,         /* normal plus 100: shows a variance that is computed by cancellation */
    FILL_ZERO,
    FILL_LABELS, /* int32, -1 .. C-1 where C is the last size of input 0 */
    FILL_WORDS,  /* int32, arbitrary */
    FILL_HYPER,  /* enum sft_hyper: values of a third step */
};

struct test_input {
    struct sft_shape shape;
    enum test_fill fill;
};

struct test_case {
    const char *what; /* unique within the op; part of the test's name */
    const void *params;
    bool forward_only; /* large, or at a kink: not for the gradient check */
    struct test_input in[SFT_MAX_INPUTS];
};

/* Inputs and outputs as the reference sees them, integers as doubles. An op that updates in place changes
 * `in`. */
struct ref_call {
    const void *params;
    struct sft_shape in_shape[SFT_MAX_INPUTS], out_shape[SFT_MAX_OUTPUTS];
    double *in[SFT_MAX_INPUTS], *out[SFT_MAX_OUTPUTS];
};

struct test_op {
    const struct sft_op *op;
    void (*ref)(struct ref_call *call);
    /* Appends the node through the public builder and sets out[0 .. n_out-1]. */
    void (*build)(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out);
    /* Makes inputs that belong together (saved statistics, indices) consistent; NULL where all are free. */
    void (*prepare)(struct ref_call *call);
    const struct test_case *cases;
    int n_cases;
    unsigned constant; /* bit i: input i takes part in the result; asking for its gradient is refused */
    unsigned averages; /* bit i: output i averages input 0, whose size is then that of the errors: a mean is
                          near 0 */
    bool exact;        /* moves numbers or compares them: no rounding at all */
    double worst;      /* tolerance relative to the output's root mean square; 0 for the usual one */
};

#define SFT_OP(name)                                                                                         \
    void sft_ref_##name(struct ref_call *call);                                                              \
    extern const struct test_op sft_test_op_##name;
#include "runtime/ops.def"
#undef SFT_OP

/* Every op's tests, in the order of ops.def; SFT_OP_COUNT of them. */
extern const struct test_op *const test_ops[];

/* ---- for the tables in tests/cases ---- */

/* clang-format off */
#define DIMS(...) {(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}}
#define SCALAR {{0, {0}}, FILL_NORMAL}
#define FILLED(fill, ...) {DIMS(__VA_ARGS__), fill}
#define NORMAL(...) FILLED(FILL_NORMAL, __VA_ARGS__)
#define ABSENT {{0, {0}}, FILL_ABSENT}

/* For tables with several ops' cases: LIST (1, 2) is 1, 2, and APPLY sees it as two arguments. */
#define LIST(...) __VA_ARGS__
#define APPLY(macro, ...) macro(__VA_ARGS__)

/* One rounding, or a few. */
#define FEW_ROUNDINGS .worst = 2e-6

#define TEST_OP(name) .op = &sft_op_##name, .ref = sft_ref_##name
#define CASES(table) .cases = (table), .n_cases = (int)(sizeof(table) / sizeof((table)[0]))

/* clang-format on */

#endif
