/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_op.h"

/* clang-format off */
#define HYPER FILLED(FILL_HYPER, SFT_HYPER_COUNT)
#define PERTURB(...) {NORMAL(__VA_ARGS__), NORMAL(__VA_ARGS__), FILLED(FILL_POSITIVE, 1), HYPER}

static const struct test_case perturb_cases[] = {
    {"one element", NULL, false, PERTURB(1)},
    {"prime", NULL, false, PERTURB(127)},
    {"filter", NULL, false, PERTURB(3, 3, 5, 7)},
    {"several groups", NULL, false, PERTURB(10007)},
};

#define PARAMS(nesterov, decoupled, decay) &(const struct sft_update_params){nesterov, decoupled, decay}
#define SGD(...) {NORMAL(__VA_ARGS__), NORMAL(__VA_ARGS__), NORMAL(__VA_ARGS__), HYPER}
#define ADAM(...)                                                                                            \
    {NORMAL(__VA_ARGS__), NORMAL(__VA_ARGS__), FILLED(FILL_POSITIVE, __VA_ARGS__), NORMAL(__VA_ARGS__), HYPER}
#define FIRST_ADAM(...)                                                                                      \
    {NORMAL(__VA_ARGS__), FILLED(FILL_ZERO, __VA_ARGS__), FILLED(FILL_ZERO, __VA_ARGS__),                    \
     FILLED(FILL_AWAY, __VA_ARGS__), HYPER}

static const struct test_case sgd_cases[] = {
    {"one element", PARAMS(0, 0, 1), false, SGD(1)},
    {"prime", PARAMS(0, 0, 1), false, SGD(127)},
    {"no decay", PARAMS(0, 0, 0), false, SGD(63)},
    {"nesterov", PARAMS(1, 0, 1), false, SGD(65)},
    {"nesterov, no decay", PARAMS(1, 0, 0), false, SGD(3, 3, 3, 5)},
    {"several groups", PARAMS(0, 0, 1), false, SGD(10007)},
};

static const struct test_case adam_cases[] = {
    {"one element", PARAMS(0, 0, 1), false, ADAM(1)},
    {"prime", PARAMS(0, 0, 1), false, ADAM(127)},
    {"no decay", PARAMS(0, 0, 0), false, ADAM(63)},
    {"decoupled", PARAMS(0, 1, 1), false, ADAM(65)},
    {"decoupled, no decay", PARAMS(0, 1, 0), false, ADAM(5, 7)},
    {"from zero", PARAMS(0, 0, 1), false, FIRST_ADAM(33)},
    {"several groups", PARAMS(0, 1, 1), false, ADAM(10007)},
};
/* clang-format on */

static void build_perturb(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    (void)params;
    out[0] = sft_perturb(graph, in[0], in[1], in[2], in[3]);
}

static void build_sgd(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    (void)out;
    sft_sgd(graph, in[0], in[1], in[2], in[3], *(const struct sft_update_params *)params);
}

static void build_adam(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    (void)out;
    sft_adam(graph, in[0], in[1], in[2], in[3], in[4], *(const struct sft_update_params *)params);
}

const struct test_op sft_test_op_perturb = {TEST_OP(perturb), FEW_ROUNDINGS, .build = build_perturb,
                                            CASES(perturb_cases)};
const struct test_op sft_test_op_sgd = {TEST_OP(sgd), FEW_ROUNDINGS, .build = build_sgd, CASES(sgd_cases)};
const struct test_op sft_test_op_adam = {TEST_OP(adam), FEW_ROUNDINGS, .build = build_adam,
                                         CASES(adam_cases)};
