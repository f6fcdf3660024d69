/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ref/ref.h"

/* One of a stack of matrices. */
static double element(const double *matrix, int64_t rows, int64_t columns, int transposed, int64_t i,
                      int64_t j)
{
    return transposed ? matrix[j * rows + i] : matrix[i * columns + j];
}

void sft_ref_matmul(struct ref_call *call)
{
    const struct sft_matmul_params *params = call->params;
    const struct sft_shape *a = &call->in_shape[0], *b = &call->in_shape[1];
    int rank = a->rank;
    int64_t stack = rank == 3 ? a->dim[0] : 1;
    int64_t m = params->transpose_a ? a->dim[rank - 1] : a->dim[rank - 2];
    int64_t k = params->transpose_a ? a->dim[rank - 2] : a->dim[rank - 1];
    int64_t n = params->transpose_b ? b->dim[rank - 2] : b->dim[rank - 1];
    ref_expect_shape(&call->out_shape[0], "matmul", rank == 3 ? SFT_SHAPE(stack, m, n) : SFT_SHAPE(m, n));
    for (int64_t s = 0; s < stack; s++)
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) {
                double sum = call->in[2] ? call->in[2][j] : 0.0;
                for (int64_t l = 0; l < k; l++)
                    sum += element(call->in[0] + s * m * k, m, k, params->transpose_a, i, l) *
                           element(call->in[1] + s * k * n, k, n, params->transpose_b, l, j);
                call->out[0][(s * m + i) * n + j] = params->relu ? fmax(sum, 0.0) : sum;
            }
}
