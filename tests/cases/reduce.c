/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_op.h"

/* clang-format off */
#define TO(factor, ...) &(const struct sft_sum_to_params){DIMS(__VA_ARGS__), factor}
#define EPSILON(value) &(const struct sft_norm2_params){value}

static const struct test_case sum_to_cases[] = {
    {"nothing to add", TO(1.0f, 3, 5), false, {NORMAL(3, 5)}},
    {"all of rank 1", TO(1.0f, 1), false, {NORMAL(127)}},
    {"one element", TO(-3.0f, 1), false, {NORMAL(1)}},
    {"rows", TO(1.0f, 5, 1), false, {NORMAL(5, 67)}},
    {"columns", TO(0.5f, 33), false, {NORMAL(7, 33)}},
    {"columns, one", TO(1.0f, 1), false, {NORMAL(64, 1)}},
    {"channels of images", TO(1.0f, 3), false, {NORMAL(2, 5, 7, 3)}},
    {"pixels of images", TO(0.25f, 3, 1, 1, 17), false, {NORMAL(3, 4, 4, 17)}},
    {"images", TO(1.0f, 1, 3, 5, 7), false, {NORMAL(4, 3, 5, 7)}},
    {"alternate axes", TO(1.0f, 2, 1, 4, 1, 3), false, {NORMAL(2, 3, 4, 5, 3)}},
    {"middle axis", TO(1.0f, 5, 1, 7), false, {NORMAL(5, 9, 7)}},
    {"outer and inner", TO(1.0f, 1, 9, 1), false, {NORMAL(5, 9, 7)}},
    {"mean", TO(1.0f / 129.0f, 1), false, {NORMAL(129)}},
    {"long, to one", TO(1.0f, 1), true, {NORMAL(3, 40009)}},
    {"long columns", TO(1.0f, 19), true, {NORMAL(4099, 19)}},
    {"many columns", TO(1.0f, 1031), true, {NORMAL(37, 1031)}},
    {"long rows", TO(1.0f, 3, 1), true, {NORMAL(3, 10007)}},
    {"images of 16 channels", TO(1.0f, 16), true, {NORMAL(8, 32, 32, 16)}},
};

static const struct test_case broadcast_to_cases[] = {
    {"nothing to repeat", TO(2.0f, 3, 5), false, {NORMAL(3, 5)}},
    {"one to rank 1", TO(1.0f, 61), false, {NORMAL(1)}},
    {"scalar to rank 2", TO(1.0f, 4, 7), true, {SCALAR}},
    {"row", TO(1.0f, 5, 13), false, {NORMAL(13)}},
    {"column", TO(0.125f, 5, 13), false, {NORMAL(5, 1)}},
    {"pixels", TO(1.0f / 16.0f, 3, 4, 4, 10), false, {NORMAL(3, 1, 1, 10)}},
    {"alternate axes", TO(1.0f, 2, 3, 4, 5, 3), false, {NORMAL(2, 1, 4, 1, 3)}},
    {"several groups", TO(1.0f, 257, 131), true, {NORMAL(131)}},
};

static const struct test_case norm2_cases[] = {
    {"one element", EPSILON(1e-12f), false, {NORMAL(1)}},
    {"zero", EPSILON(1e-3f), false, {FILLED(FILL_ZERO, 7)}},
    {"prime", EPSILON(1e-12f), false, {NORMAL(127)}},
    {"rank 4", EPSILON(0.5f), false, {NORMAL(3, 3, 5, 7)}},
    {"long", EPSILON(1e-12f), false, {NORMAL(100003)}},
};
/* clang-format on */

static void build_sum_to(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    const struct sft_sum_to_params *to = params;
    out[0] = sft_sum_to(graph, in[0], to->shape, to->scale);
}

static void build_broadcast_to(struct sft_graph *graph, const sft_value *in, const void *params,
                               sft_value *out)
{
    const struct sft_sum_to_params *to = params;
    out[0] = sft_broadcast_to(graph, in[0], to->shape, to->scale);
}

static void build_norm2(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_norm2(graph, in[0], ((const struct sft_norm2_params *)params)->epsilon);
}

const struct test_op sft_test_op_sum_to = {TEST_OP(sum_to), .build = build_sum_to, CASES(sum_to_cases)};
const struct test_op sft_test_op_broadcast_to = {TEST_OP(broadcast_to), FEW_ROUNDINGS,
                                                 .build = build_broadcast_to, CASES(broadcast_to_cases)};
const struct test_op sft_test_op_norm2 = {TEST_OP(norm2), .build = build_norm2, CASES(norm2_cases)};
