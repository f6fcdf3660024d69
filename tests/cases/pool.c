/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ref/prepare.h"
#include "tests/support/test_op.h"

/* clang-format off */
#define OUT(size, kernel, stride, pad) (((size) + 2 * (pad) - (kernel)) / (stride) + 1)
#define PARAMS(k0, k1, s0, s1, p0, p1, zero, h, w)                                                           \
    &(const struct sft_pool_params){{k0, k1}, {s0, s1}, {p0, p1}, zero, {h, w}}

#define ROW(macro, what, large, image, kernel, stride, pad)                                                  \
    APPLY(macro, what, large, LIST image, LIST kernel, LIST stride, LIST pad)

/* ROW(macro, what, large, (n, h, w, c), kernel, stride, padding) */
#define POOLS(M)                                                                                             \
    ROW(M, "one by one", false, (1, 1, 1, 1), (1, 1), (1, 1), (0, 0))                                        \
    ROW(M, "halves", false, (2, 4, 6, 5), (2, 2), (2, 2), (0, 0))                                            \
    ROW(M, "halves, odd sizes", false, (2, 5, 7, 3), (2, 2), (2, 2), (0, 0))                                 \
    ROW(M, "overlapping, padded", false, (1, 7, 8, 4), (3, 3), (2, 2), (1, 1))                               \
    ROW(M, "overlapping, stride 1", false, (2, 5, 4, 7), (3, 3), (1, 1), (1, 1))                             \
    ROW(M, "sides differ", false, (1, 6, 9, 2), (3, 2), (1, 3), (1, 0))                                      \
    ROW(M, "stride above the kernel", false, (1, 8, 9, 3), (2, 2), (3, 4), (0, 0))                           \
    ROW(M, "global", false, (3, 4, 5, 17), (4, 5), (1, 1), (0, 0))                                           \
    ROW(M, "padding of two", false, (1, 5, 5, 3), (3, 3), (1, 2), (2, 2))                                    \
    ROW(M, "several groups", true, (2, 17, 19, 33), (3, 3), (2, 2), (1, 1))                                  \
    ROW(M, "images of 64 channels", true, (2, 16, 16, 64), (2, 2), (2, 2), (0, 0))

#define Y_OF(fill, n, h, w, c, k0, k1, s0, s1, p0, p1)                                                       \
    FILLED(fill, n, OUT(h, k0, s0, p0), OUT(w, k1, s1, p1), c)

#define MAX(what, large, n, h, w, c, k0, k1, s0, s1, p0, p1)                                                 \
    {what, PARAMS(k0, k1, s0, s1, p0, p1, 0, 0, 0), large, {NORMAL(n, h, w, c)}},                            \
    {what ", zeros take part", PARAMS(k0, k1, s0, s1, p0, p1, 1, 0, 0), large, {NORMAL(n, h, w, c)}},        \
    {what ", ties", PARAMS(k0, k1, s0, s1, p0, p1, 0, 0, 0), true,                                           \
     {FILLED(FILL_SMALL_INTEGERS, n, h, w, c)}},                                                             \
    {what ", all negative", PARAMS(k0, k1, s0, s1, p0, p1, 1, 0, 0), large,                                  \
     {FILLED(FILL_NEGATIVE, n, h, w, c)}},

#define MAX_GRAD(what, large, n, h, w, c, k0, k1, s0, s1, p0, p1)                                            \
    {what, PARAMS(k0, k1, s0, s1, p0, p1, 0, h, w), false,                                                   \
     {Y_OF(FILL_NORMAL, n, h, w, c, k0, k1, s0, s1, p0, p1),                                                 \
      Y_OF(FILL_WORDS, n, h, w, c, k0, k1, s0, s1, p0, p1)}},                                                \
    {what ", zeros take part", PARAMS(k0, k1, s0, s1, p0, p1, 1, h, w), false,                               \
     {Y_OF(FILL_NORMAL, n, h, w, c, k0, k1, s0, s1, p0, p1),                                                 \
      Y_OF(FILL_WORDS, n, h, w, c, k0, k1, s0, s1, p0, p1)}},

#define AVG(what, large, n, h, w, c, k0, k1, s0, s1, p0, p1)                                                 \
    {what, PARAMS(k0, k1, s0, s1, p0, p1, 0, 0, 0), large, {NORMAL(n, h, w, c)}},

#define AVG_GRAD(what, large, n, h, w, c, k0, k1, s0, s1, p0, p1)                                            \
    {what, PARAMS(k0, k1, s0, s1, p0, p1, 0, h, w), false,                                                   \
     {Y_OF(FILL_NORMAL, n, h, w, c, k0, k1, s0, s1, p0, p1)}},

static const struct test_case max_pool_cases[] = {POOLS(MAX)};
static const struct test_case max_pool_grad_cases[] = {POOLS(MAX_GRAD)};
static const struct test_case avg_pool_cases[] = {POOLS(AVG)};
static const struct test_case avg_pool_grad_cases[] = {POOLS(AVG_GRAD)};
/* clang-format on */

static void build_max_pool(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_max_pool(graph, in[0], *(const struct sft_pool_params *)params, &out[1]);
}

static void build_max_pool_grad(struct sft_graph *graph, const sft_value *in, const void *params,
                                sft_value *out)
{
    out[0] = sft_max_pool_grad(graph, in[0], in[1], *(const struct sft_pool_params *)params);
}

static void build_avg_pool(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_avg_pool(graph, in[0], *(const struct sft_pool_params *)params);
}

static void build_avg_pool_grad(struct sft_graph *graph, const sft_value *in, const void *params,
                                sft_value *out)
{
    out[0] = sft_avg_pool_grad(graph, in[0], *(const struct sft_pool_params *)params);
}

const struct test_op sft_test_op_max_pool = {TEST_OP(max_pool), .exact = true, .build = build_max_pool,
                                             CASES(max_pool_cases)};
const struct test_op sft_test_op_max_pool_grad = {
    TEST_OP(max_pool_grad), FEW_ROUNDINGS, .build = build_max_pool_grad, .prepare = ref_prepare_max_pool_grad,
    CASES(max_pool_grad_cases)};
const struct test_op sft_test_op_avg_pool = {TEST_OP(avg_pool), FEW_ROUNDINGS, .build = build_avg_pool,
                                             CASES(avg_pool_cases)};
const struct test_op sft_test_op_avg_pool_grad = {TEST_OP(avg_pool_grad), FEW_ROUNDINGS,
                                                  .build = build_avg_pool_grad, CASES(avg_pool_grad_cases)};
