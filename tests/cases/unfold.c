/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_op.h"

/* clang-format off */
#define PLACES(size, kernel, stride, pad) (((size) + 2 * (pad) - (kernel)) / (stride) + 1)

/* M(what, large, n, h, w, c, kernel, stride, padding) */
#define IMAGES(M)                                                                                            \
    M("one by one", false, 1, 1, 1, 1, 1, 1, 0)                                                              \
    M("tokens to token", false, 2, 12, 12, 3, 7, 4, 2)                                                       \
    M("overlapping", false, 1, 6, 6, 5, 3, 2, 1)                                                             \
    M("sides differ", false, 1, 5, 8, 2, 3, 1, 1)                                                            \
    M("side by side", false, 2, 6, 4, 3, 2, 2, 0)                                                            \
    M("pixels left over", false, 1, 9, 10, 2, 3, 4, 0)                                                       \
    M("whole image", false, 3, 4, 4, 2, 4, 1, 0)                                                             \
    M("padding of two", false, 1, 5, 5, 3, 3, 2, 2)                                                          \
    M("several groups", true, 2, 21, 19, 16, 3, 2, 1)

#define UNFOLD(what, large, n, h, w, c, kernel, stride, pad)                                                 \
    {what, &(const struct sft_unfold_params){kernel, stride, pad}, large, {NORMAL(n, h, w, c)}},
#define FOLD(what, large, n, h, w, c, kernel, stride, pad)                                                   \
    {what, &(const struct sft_fold_params){{kernel, stride, pad}, {h, w}}, large,                            \
     {NORMAL(n, PLACES(h, kernel, stride, pad) * PLACES(w, kernel, stride, pad), (c) * (kernel) * (kernel))}},

static const struct test_case unfold_cases[] = {IMAGES(UNFOLD)};
static const struct test_case fold_cases[] = {IMAGES(FOLD)};
/* clang-format on */

static void build_unfold(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_unfold(graph, in[0], *(const struct sft_unfold_params *)params);
}

static void build_fold(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_fold(graph, in[0], *(const struct sft_fold_params *)params);
}

const struct test_op sft_test_op_unfold = {TEST_OP(unfold), .exact = true, .build = build_unfold,
                                           CASES(unfold_cases)};
const struct test_op sft_test_op_fold = {TEST_OP(fold), FEW_ROUNDINGS, .build = build_fold,
                                         CASES(fold_cases)};
