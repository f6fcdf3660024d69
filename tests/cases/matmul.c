/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_op.h"

/* clang-format off */
#define OPTIONS(ta, tb, relu) &(const struct sft_matmul_params){ta, tb, relu}
#define MATRIX(rows, columns, transposed)                                                                    \
    NORMAL((transposed) ? (columns) : (rows), (transposed) ? (rows) : (columns))
#define STACK(n, rows, columns, transposed)                                                                  \
    NORMAL(n, (transposed) ? (columns) : (rows), (transposed) ? (rows) : (columns))

/* One size with all four transposes, without and with bias and ReLU. */
#define ALL_TRANSPOSES(what, large, m, k, n)                                                                 \
    {what, OPTIONS(0, 0, 0), large, {MATRIX(m, k, 0), MATRIX(k, n, 0)}},                                     \
    {what ", b transposed, bias", OPTIONS(0, 1, 0), large, {MATRIX(m, k, 0), MATRIX(k, n, 1), NORMAL(n)}},   \
    {what ", a transposed, relu", OPTIONS(1, 0, 1), large, {MATRIX(m, k, 1), MATRIX(k, n, 0)}},              \
    {what ", both transposed, bias, relu", OPTIONS(1, 1, 1), large,                                          \
     {MATRIX(m, k, 1), MATRIX(k, n, 1), NORMAL(n)}}

static const struct test_case cases[] = {
    ALL_TRANSPOSES("one by one", false, 1, 1, 1),
    ALL_TRANSPOSES("small", false, 3, 5, 2),
    ALL_TRANSPOSES("at four", false, 4, 4, 4),
    ALL_TRANSPOSES("at eight", false, 8, 16, 8),
    ALL_TRANSPOSES("above eight", false, 9, 7, 17),
    ALL_TRANSPOSES("classifier", false, 5, 64, 10),
    ALL_TRANSPOSES("below a tile", false, 31, 33, 15),
    ALL_TRANSPOSES("column", false, 37, 19, 1),
    ALL_TRANSPOSES("row", false, 1, 67, 29),
    ALL_TRANSPOSES("outer product", false, 23, 1, 41),
    ALL_TRANSPOSES("a tile", true, 64, 64, 64),
    ALL_TRANSPOSES("around a tile", true, 65, 127, 63),
    ALL_TRANSPOSES("several tiles", true, 131, 67, 193),
    ALL_TRANSPOSES("long sum", true, 17, 2053, 11),
    ALL_TRANSPOSES("tall", true, 1025, 12, 16),
    {"stack", OPTIONS(0, 0, 0), false, {STACK(3, 5, 7, 0), STACK(3, 7, 4, 0)}},
    {"stack, a transposed", OPTIONS(1, 0, 0), false, {STACK(2, 9, 5, 1), STACK(2, 5, 3, 0)}},
    {"stack, b transposed, relu", OPTIONS(0, 1, 1), false, {STACK(4, 6, 8, 0), STACK(4, 8, 5, 1)}},
    {"stack, both transposed", OPTIONS(1, 1, 0), false, {STACK(2, 3, 17, 1), STACK(2, 17, 6, 1)}},
    {"stack of one", OPTIONS(0, 0, 0), false, {STACK(1, 4, 3, 0), STACK(1, 3, 5, 0)}},
    {"stack of tiles", OPTIONS(0, 1, 0), true, {STACK(3, 67, 33, 0), STACK(3, 33, 67, 1)}},
};
/* clang-format on */

static void build(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_matmul(graph, in[0], in[1], in[2], *(const struct sft_matmul_params *)params);
}

const struct test_op sft_test_op_matmul = {TEST_OP(matmul), .build = build, CASES(cases)};
