/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_op.h"

/* clang-format off */
#define ALPHA(value) &(const struct sft_add_params){value}
#define FACTOR(value) &(const struct sft_scale_params){value}

#define PAIRS(first)                                                                                         \
    {"one element", first, false, {NORMAL(1), NORMAL(1)}},                                                   \
    {"three", first, false, {NORMAL(3), NORMAL(3)}},                                                         \
    {"prime", first, false, {NORMAL(61), NORMAL(61)}},                                                       \
    {"scalar over rank 1", first, false, {NORMAL(17), SCALAR}},                                              \
    {"one over rank 2", first, false, {NORMAL(7, 9), NORMAL(1)}},                                            \
    {"row over rank 2", first, false, {NORMAL(5, 13), NORMAL(13)}},                                          \
    {"column over rank 2", first, false, {NORMAL(5, 13), NORMAL(5, 1)}},                                     \
    {"channels over images", first, false, {NORMAL(2, 3, 5, 7), NORMAL(7)}},                                 \
    {"images over channels", first, false, {NORMAL(3, 2, 5, 8), NORMAL(3, 1, 1, 8)}},                        \
    {"middle axis", first, false, {NORMAL(3, 5, 7), NORMAL(5, 1)}},                                          \
    {"rank 5", first, false, {NORMAL(2, 3, 1, 4, 5), NORMAL(2, 1, 1, 4, 1)}},                                \
    {"around a group", first, false, {NORMAL(129), NORMAL(129)}},                                            \
    {"several groups", first, true, {NORMAL(3, 67, 257), NORMAL(3, 67, 257)}},                               \
    {"several groups, row", first, true, {NORMAL(521, 67), NORMAL(67)}},                                     \
    {"several groups, column", first, true, {NORMAL(521, 67), NORMAL(521, 1)}}

static const struct test_case add_cases[] = {
    PAIRS(ALPHA(1.0f)),
    {"alpha", ALPHA(-0.37f), false, {NORMAL(11, 5), NORMAL(5)}},
    {"alpha zero", ALPHA(0.0f), false, {NORMAL(9), NORMAL(9)}},
};
static const struct test_case mul_cases[] = {PAIRS(NULL)};

static const struct test_case div_cases[] = {
    {"one element", NULL, false, {NORMAL(1), FILLED(FILL_POSITIVE, 1)}},
    {"prime", NULL, false, {NORMAL(61), FILLED(FILL_NEGATIVE, 61)}},
    {"one over rank 2", NULL, false, {NORMAL(7, 9), FILLED(FILL_POSITIVE, 1)}},
    {"row over rank 2", NULL, false, {NORMAL(5, 12), FILLED(FILL_POSITIVE, 12)}},
    {"column over rank 2", NULL, false, {NORMAL(5, 13), FILLED(FILL_NEGATIVE, 5, 1)}},
    {"images over channels", NULL, false, {NORMAL(3, 2, 5, 8), FILLED(FILL_POSITIVE, 3, 1, 1, 8)}},
    {"zeros", NULL, true, {NORMAL(37), FILLED(FILL_SMALL_INTEGERS, 37)}},
    {"one zero", NULL, true, {NORMAL(64), FILLED(FILL_ZERO, 1)}},
    {"several groups", NULL, true, {NORMAL(3, 67, 257), FILLED(FILL_POSITIVE, 3, 67, 257)}},
    {"several groups, one", NULL, true, {NORMAL(3, 67, 257), FILLED(FILL_POSITIVE, 1)}},
};

#define SINGLES(fill, params)                                                                                \
    {"one element", params, false, {FILLED(fill, 1)}},                                                       \
    {"below four", params, false, {FILLED(fill, 3)}},                                                        \
    {"above four", params, false, {FILLED(fill, 5)}},                                                        \
    {"below a subgroup", params, false, {FILLED(fill, 31)}},                                                 \
    {"a group", params, false, {FILLED(fill, 64)}},                                                          \
    {"above a group", params, false, {FILLED(fill, 257)}},                                                   \
    {"rank 5", params, false, {FILLED(fill, 2, 1, 3, 5, 7)}},                                                \
    {"several groups", params, true, {FILLED(fill, 7, 41, 113)}}

static const struct test_case scale_cases[] = {
    SINGLES(FILL_NORMAL, FACTOR(1.7f)),
    {"zero", FACTOR(0.0f), false, {NORMAL(6)}},
    {"rank 0", FACTOR(-2.0f), true, {SCALAR}},
};
static const struct test_case relu_cases[] = {
    SINGLES(FILL_AWAY, NULL),
    {"zeros and ties", NULL, true, {FILLED(FILL_SMALL_INTEGERS, 37)}},
};
static const struct test_case sign_cases[] = {
    SINGLES(FILL_NORMAL, NULL),
    {"zeros and ties", NULL, true, {FILLED(FILL_SMALL_INTEGERS, 37)}},
};
static const struct test_case sqrt_cases[] = {
    SINGLES(FILL_POSITIVE, NULL),
    {"zero", NULL, true, {FILLED(FILL_ZERO, 5)}},
};
static const struct test_case exp_cases[] = {
    SINGLES(FILL_NORMAL, NULL),
    {"zero", NULL, false, {FILLED(FILL_ZERO, 5)}},
    {"towards nothing", NULL, true, {FILLED(FILL_NEGATIVE, 3, 101)}},
};
static const struct test_case gelu_cases[] = {
    SINGLES(FILL_NORMAL, NULL),
    {"wide", NULL, true, {FILLED(FILL_WIDE, 3, 101)}},
    {"zero", NULL, false, {FILLED(FILL_ZERO, 5)}},
};

#define GRADIENTS(fill)                                                                                      \
    {"one element", NULL, false, {NORMAL(1), FILLED(fill, 1)}},                                              \
    {"prime", NULL, false, {NORMAL(127), FILLED(fill, 127)}},                                                \
    {"images", NULL, false, {NORMAL(2, 5, 3, 9), FILLED(fill, 2, 5, 3, 9)}},                                 \
    {"several groups", NULL, false, {NORMAL(5, 1031), FILLED(fill, 5, 1031)}}

static const struct test_case relu_grad_cases[] = {
    GRADIENTS(FILL_AWAY),
    {"zero gives zero", NULL, false, {NORMAL(37), FILLED(FILL_SMALL_INTEGERS, 37)}},
};
static const struct test_case gelu_grad_cases[] = {
    GRADIENTS(FILL_NORMAL),
    {"wide", NULL, false, {NORMAL(3, 101), FILLED(FILL_WIDE, 3, 101)}},
};

#define FILL_TO(number, ...) &(const struct sft_fill_params){DIMS(__VA_ARGS__), number}

static const struct test_case fill_cases[] = {
    {"one", FILL_TO(1.0f, 1), false, {ABSENT}},
    {"zeros", FILL_TO(0.0f, 7, 3), false, {ABSENT}},
    {"several groups", FILL_TO(-0.1f, 3, 1033), false, {ABSENT}},
};
/* clang-format on */

static void build_add(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_add(graph, in[0], in[1], ((const struct sft_add_params *)params)->alpha);
}

static void build_mul(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    (void)params;
    out[0] = sft_mul(graph, in[0], in[1]);
}

static void build_div(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    (void)params;
    out[0] = sft_div(graph, in[0], in[1]);
}

static void build_sqrt(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    (void)params;
    out[0] = sft_sqrt(graph, in[0]);
}

static void build_exp(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    (void)params;
    out[0] = sft_exp(graph, in[0]);
}

static void build_sign(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    (void)params;
    out[0] = sft_sign(graph, in[0]);
}

static void build_scale(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_scale(graph, in[0], ((const struct sft_scale_params *)params)->factor);
}

static void build_relu(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    (void)params;
    out[0] = sft_relu(graph, in[0]);
}

static void build_relu_grad(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    (void)params;
    out[0] = sft_relu_grad(graph, in[0], in[1]);
}

static void build_gelu(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    (void)params;
    out[0] = sft_gelu(graph, in[0]);
}

static void build_gelu_grad(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    (void)params;
    out[0] = sft_gelu_grad(graph, in[0], in[1]);
}

static void build_fill(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    const struct sft_fill_params *fill = params;
    (void)in;
    out[0] = sft_fill(graph, fill->shape, fill->value);
}

const struct test_op sft_test_op_add = {TEST_OP(add), FEW_ROUNDINGS, .build = build_add, CASES(add_cases)};
const struct test_op sft_test_op_mul = {TEST_OP(mul), FEW_ROUNDINGS, .build = build_mul, CASES(mul_cases)};
const struct test_op sft_test_op_div = {TEST_OP(div), FEW_ROUNDINGS, .build = build_div, CASES(div_cases)};
const struct test_op sft_test_op_sqrt = {TEST_OP(sqrt), FEW_ROUNDINGS, .build = build_sqrt,
                                         CASES(sqrt_cases)};
const struct test_op sft_test_op_exp = {TEST_OP(exp), .worst = 1e-5, .build = build_exp, CASES(exp_cases)};
const struct test_op sft_test_op_sign = {TEST_OP(sign), .exact = true, .build = build_sign,
                                         CASES(sign_cases)};
const struct test_op sft_test_op_scale = {TEST_OP(scale), FEW_ROUNDINGS, .build = build_scale,
                                          CASES(scale_cases)};
const struct test_op sft_test_op_relu = {TEST_OP(relu), .exact = true, .build = build_relu,
                                         CASES(relu_cases)};
const struct test_op sft_test_op_relu_grad = {TEST_OP(relu_grad), .exact = true, .build = build_relu_grad,
                                              CASES(relu_grad_cases)};
const struct test_op sft_test_op_gelu = {TEST_OP(gelu), FEW_ROUNDINGS, .build = build_gelu,
                                         CASES(gelu_cases)};
const struct test_op sft_test_op_gelu_grad = {TEST_OP(gelu_grad), FEW_ROUNDINGS, .build = build_gelu_grad,
                                              CASES(gelu_grad_cases)};
const struct test_op sft_test_op_fill = {TEST_OP(fill), .exact = true, .build = build_fill,
                                         CASES(fill_cases)};
