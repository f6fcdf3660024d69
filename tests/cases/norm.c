/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ref/prepare.h"
#include "tests/support/test_op.h"

/* ---- weight standardisation ---- */

/* clang-format off */
#define EPSILON(value) &(const struct sft_weight_standardize_params){value}

static const struct test_case standardize_cases[] = {
    {"three rows", EPSILON(1e-10f), false, {NORMAL(3, 1)}},
    {"pointwise", EPSILON(1e-10f), false, {NORMAL(1, 1, 13, 7)}},
    {"three by three", EPSILON(1e-5f), false, {NORMAL(3, 3, 5, 6)}},
    {"stem", EPSILON(1e-10f), false, {NORMAL(3, 3, 3, 16)}},
    {"depthwise", EPSILON(1e-5f), false, {NORMAL(3, 3, 1, 5)}},
    {"offset", EPSILON(1e-5f), true, {FILLED(FILL_OFFSET, 3, 3, 16, 4)}},
    {"large", EPSILON(1e-5f), true, {NORMAL(3, 3, 67, 65)}},
};

#define DY_AND_Y(...) NORMAL(__VA_ARGS__), NORMAL(__VA_ARGS__)

static const struct test_case standardize_grad_cases[] = {
    {"three rows", NULL, false, {DY_AND_Y(3, 1), FILLED(FILL_POSITIVE, 1)}},
    {"pointwise", NULL, false, {DY_AND_Y(1, 1, 13, 7), FILLED(FILL_POSITIVE, 7)}},
    {"three by three", NULL, false, {DY_AND_Y(3, 3, 5, 6), FILLED(FILL_POSITIVE, 6)}},
    {"large", NULL, false, {DY_AND_Y(3, 3, 67, 65), FILLED(FILL_POSITIVE, 65)}},
};

/* clang-format on */

static void build_standardize(struct sft_graph *graph, const sft_value *in, const void *params,
                              sft_value *out)
{
    out[0] = sft_weight_standardize(graph, in[0],
                                    ((const struct sft_weight_standardize_params *)params)->epsilon, &out[1]);
}

static void build_standardize_grad(struct sft_graph *graph, const sft_value *in, const void *params,
                                   sft_value *out)
{
    (void)params;
    out[0] = sft_weight_standardize_grad(graph, in[0], in[1], in[2]);
}

const struct test_op sft_test_op_weight_standardize = {TEST_OP(weight_standardize),
                                                       .build = build_standardize, CASES(standardize_cases)};
const struct test_op sft_test_op_weight_standardize_grad = {
    TEST_OP(weight_standardize_grad), .build = build_standardize_grad,
    .prepare = ref_prepare_standardize_grad, CASES(standardize_grad_cases)};

/* ---- group normalisation: one list for the op and its gradients ---- */

/* clang-format off */
#define PARAMS(groups, relu, frozen) &(const struct sft_group_norm_params){groups, 1e-5f, relu, frozen}

/* M(what, large, groups, relu, images, channels, fill of x, shape of x...) */
#define TRAINED_NORMS(M)                                                                                     \
    M("three values", false, 1, 0, 1, 3, FILL_NORMAL, 1, 3)                                                  \
    M("layer norm", false, 1, 0, 7, 33, FILL_NORMAL, 7, 33)                                                  \
    M("layer norm, one channel above four", false, 1, 0, 3, 5, FILL_NORMAL, 3, 5)                            \
    M("tokens as images", false, 1, 0, 2, 12, FILL_NORMAL, 2, 5, 12)                                         \
    M("two groups", false, 2, 0, 2, 6, FILL_NORMAL, 2, 3, 5, 6)                                              \
    M("groups of one channel", false, 5, 0, 2, 5, FILL_NORMAL, 2, 4, 3, 5)                                   \
    M("prime sizes, relu", false, 1, 1, 3, 7, FILL_NORMAL, 3, 5, 3, 7)                                       \
    M("groups of three channels, relu", false, 4, 1, 2, 12, FILL_NORMAL, 2, 4, 4, 12)                        \
    M("groups of four channels, relu", false, 4, 1, 3, 16, FILL_NORMAL, 3, 4, 5, 16)                         \
    M("batch norm", false, 6, 0, 1, 6, FILL_NORMAL, 1, 45, 6)                                                \
    M("batch norm, relu, prime channels", false, 13, 1, 1, 13, FILL_NORMAL, 1, 31, 13)                       \
    M("one pixel", false, 2, 1, 5, 8, FILL_NORMAL, 5, 1, 1, 8)                                               \
    M("rank 5", false, 3, 0, 2, 6, FILL_NORMAL, 2, 2, 3, 2, 6)                                               \
    M("offset", true, 2, 0, 2, 8, FILL_OFFSET, 2, 8, 8, 8)                                                   \
    M("images of 16 channels, relu", true, 8, 1, 3, 16, FILL_NORMAL, 3, 32, 32, 16)                          \
    M("one large group", true, 1, 1, 2, 17, FILL_NORMAL, 2, 31, 33, 17)                                      \
    M("wide layer norm", true, 1, 0, 5, 1027, FILL_NORMAL, 5, 1027)                                          \
    M("long batch norm, relu", true, 19, 1, 1, 19, FILL_NORMAL, 1, 4099, 19)                                 \
    M("many channels", true, 32, 1, 2, 128, FILL_NORMAL, 2, 4, 4, 128)                                       \
    M("1040 channels, relu", true, 26, 1, 2, 1040, FILL_NORMAL, 2, 9, 13, 1040)

#define FROZEN_NORMS(M)                                                                                      \
    M("frozen batch norm", false, 6, 0, 1, 6, FILL_NORMAL, 1, 45, 6)                                         \
    M("frozen batch norm, relu", false, 7, 1, 1, 7, FILL_NORMAL, 1, 30, 7)                                   \
    M("frozen groups, relu", false, 2, 1, 3, 8, FILL_NORMAL, 3, 3, 5, 8)                                     \
    M("frozen, long", true, 17, 1, 1, 17, FILL_NORMAL, 1, 2053, 17)

#define X_AND_AFFINE(fill, channels, ...) FILLED(fill, __VA_ARGS__), NORMAL(channels), NORMAL(channels)
#define X_DY_AND_AFFINE(fill, channels, ...)                                                                 \
    FILLED(fill, __VA_ARGS__), NORMAL(__VA_ARGS__), NORMAL(channels), NORMAL(channels)
#define STATISTICS(images, groups) NORMAL(images, groups), FILLED(FILL_POSITIVE, images, groups)

#define FORWARD(what, large, groups, relu, images, channels, fill, ...)                                      \
    {what, PARAMS(groups, relu, 0), large, {X_AND_AFFINE(fill, channels, __VA_ARGS__)}},
#define FROZEN_FORWARD(what, large, groups, relu, images, channels, fill, ...)                               \
    {what, PARAMS(groups, relu, 1), large,                                                                   \
     {X_AND_AFFINE(fill, channels, __VA_ARGS__), STATISTICS(images, groups)}},

#define GRADIENT(frozen, what, large, groups, relu, images, channels, fill, ...)                             \
    {what, PARAMS(groups, relu, frozen), large,                                                              \
     {X_DY_AND_AFFINE(fill, channels, __VA_ARGS__), STATISTICS(images, groups)}},
#define TRAINED_GRADIENT(...) GRADIENT(0, __VA_ARGS__)
#define FROZEN_GRADIENT(...) GRADIENT(1, __VA_ARGS__)

/* dx takes the sums too. */
#define TRAINED_DX(what, large, groups, relu, images, channels, fill, ...)                                   \
    {what, PARAMS(groups, relu, 0), large,                                                                   \
     {X_DY_AND_AFFINE(fill, channels, __VA_ARGS__), STATISTICS(images, groups),                              \
      NORMAL(2, images, channels)}},

static const struct test_case group_norm_cases[] = {TRAINED_NORMS(FORWARD) FROZEN_NORMS(FROZEN_FORWARD)};
static const struct test_case sums_cases[] = {TRAINED_NORMS(TRAINED_GRADIENT) FROZEN_NORMS(FROZEN_GRADIENT)};
static const struct test_case dx_cases[] = {TRAINED_NORMS(TRAINED_DX) FROZEN_NORMS(FROZEN_GRADIENT)};

static const struct test_case dparam_cases[] = {
    {"one", NULL, false, {NORMAL(2, 1, 1)}},
    {"one image", NULL, false, {NORMAL(2, 1, 19)}},
    {"prime", NULL, false, {NORMAL(2, 13, 67)}},
    {"many images", NULL, false, {NORMAL(2, 517, 12)}},
    {"many channels", NULL, false, {NORMAL(2, 3, 1031)}},
};

#define ROWS(n, c) {NORMAL(n, c), NORMAL(n, c), NORMAL(c), NORMAL(n, 1), NORMAL(n, 1)}

static const struct test_case layer_norm_grad_cases[] = {
    {"one row", NULL, false, ROWS(1, 3)},
    {"a few", NULL, false, ROWS(7, 33)},
    {"tokens", NULL, false, ROWS(197, 64)},
    {"wide", NULL, false, ROWS(5, 1027)},
    {"many rows", NULL, false, ROWS(1537, 20)},
    {"offset", NULL, false,
     {FILLED(FILL_OFFSET, 9, 147), NORMAL(9, 147), NORMAL(147), NORMAL(9, 1), NORMAL(9, 1)}},
};

/* clang-format on */

static void build_group_norm(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    struct sft_group_norm_out result = sft_group_norm(graph, in[0], in[1], in[2], in[3], in[4],
                                                      *(const struct sft_group_norm_params *)params);
    out[0] = result.y;
    out[1] = result.mean;
    out[2] = result.rstd;
}

static void build_sums(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_group_norm_sums(graph, in[0], in[1], in[2], in[3], in[4], in[5],
                                 *(const struct sft_group_norm_params *)params);
}

static void build_dx(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_group_norm_dx(graph, in[0], in[1], in[2], in[3], in[4], in[5], in[6],
                               *(const struct sft_group_norm_params *)params);
}

static void build_dparam(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    (void)params;
    out[0] = sft_group_norm_dparam(graph, in[0], &out[1]);
}

static void build_layer_norm_grad(struct sft_graph *graph, const sft_value *in, const void *params,
                                  sft_value *out)
{
    (void)params;
    out[0] = sft_layer_norm_grad(graph, in[0], in[1], in[2], in[3], in[4], &out[1], &out[2]);
}

const struct test_op sft_test_op_layer_norm_grad = {TEST_OP(layer_norm_grad), .build = build_layer_norm_grad,
                                                    .prepare = ref_prepare_layer_norm_grad,
                                                    CASES(layer_norm_grad_cases)};
const struct test_op sft_test_op_group_norm = {TEST_OP(group_norm), .build = build_group_norm,
                                               .constant = 1u << 3 | 1u << 4, .averages = 1u << 1,
                                               CASES(group_norm_cases)};
const struct test_op sft_test_op_group_norm_sums = {
    TEST_OP(group_norm_sums), .build = build_sums, .prepare = ref_prepare_group_norm_grad, CASES(sums_cases)};
const struct test_op sft_test_op_group_norm_dx = {TEST_OP(group_norm_dx), .build = build_dx,
                                                  .prepare = ref_prepare_group_norm_grad, CASES(dx_cases)};
const struct test_op sft_test_op_group_norm_dparam = {TEST_OP(group_norm_dparam), FEW_ROUNDINGS,
                                                      .build = build_dparam, CASES(dparam_cases)};

/* ---- running statistics ---- */

/* clang-format off */
#define RUNNING(momentum, count) &(const struct sft_running_update_params){momentum, 1e-5f, count}
#define CHANNELS(n) {NORMAL(n), FILLED(FILL_POSITIVE, n), NORMAL(n), FILLED(FILL_POSITIVE, n)}

static const struct test_case running_cases[] = {
    {"one", RUNNING(0.1f, 2), false, CHANNELS(1)},
    {"prime", RUNNING(0.1f, 131072), false, CHANNELS(67)},
    {"whole", RUNNING(1.0f, 100), false, CHANNELS(64)},
    {"many", RUNNING(0.01f, 49), false, CHANNELS(2049)},
};

/* clang-format on */

static void build_running(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    (void)out;
    sft_running_update(graph, in[0], in[1], in[2], in[3], *(const struct sft_running_update_params *)params);
}

const struct test_op sft_test_op_running_update = {TEST_OP(running_update), FEW_ROUNDINGS,
                                                   .build = build_running, CASES(running_cases)};
