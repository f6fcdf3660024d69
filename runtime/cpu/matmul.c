/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products by OpenBLAS, cut into blocks of the result so that all threads have work. */
#include "runtime/base/blas.h"
#include "runtime/base/parallel.h"
#include "runtime/cpu/loops.h"
#include "runtime/ops.h"

enum { BLOCK_ROWS = 128, BLOCK_COLUMNS = 256 };

struct product {
    const struct sft_matmul_params *params;
    const float *a, *b, *bias;
    float *y;
    int64_t m, n, k, row_blocks, column_blocks;
};

static void block(void *context, int64_t task, int slot)
{
    const struct product *p = context;
    int64_t matrix = task / (p->row_blocks * p->column_blocks),
            rest = task % (p->row_blocks * p->column_blocks);
    int64_t i = rest / p->column_blocks * BLOCK_ROWS, j = rest % p->column_blocks * BLOCK_COLUMNS;
    int64_t rows = p->m - i < BLOCK_ROWS ? p->m - i : BLOCK_ROWS;
    int64_t columns = p->n - j < BLOCK_COLUMNS ? p->n - j : BLOCK_COLUMNS;
    bool ta = p->params->transpose_a, tb = p->params->transpose_b;
    const float *a = p->a + matrix * p->m * p->k + (ta ? i : i * p->k);
    const float *b = p->b + matrix * p->k * p->n + (tb ? j * p->k : j);
    float *y = p->y + (matrix * p->m + i) * p->n + j;
    (void)slot;
    sft_blas_gemm(ta, tb, rows, columns, p->k, a, ta ? p->m : p->k, b, tb ? p->k : p->n, 0.0f, y, p->n);
    for (int64_t r = 0; (p->bias || p->params->relu) && r < rows; r++)
        for (int64_t c = 0; c < columns; c++) {
            float sum = y[r * p->n + c] + (p->bias ? p->bias[j + c] : 0.0f);
            y[r * p->n + c] = p->params->relu && sum < 0.0f ? 0.0f : sum;
        }
}

enum sft_status sft_cpu_matmul(const struct sft_call *call)
{
    const struct sft_shape *a = sft_in_shape(call->graph, call->node, 0),
                           *y = sft_out_shape(call->graph, call->node, 0);
    struct product p = {.params = SFT_NODE_PARAMS(struct sft_matmul_params, call->node),
                        .a = call->in[0],
                        .b = call->in[1],
                        .bias = call->in[2],
                        .y = call->out[0]};
    p.m = y->dim[y->rank - 2];
    p.n = y->dim[y->rank - 1];
    p.k = a->dim[a->rank - 1 - p.params->transpose_a];
    p.row_blocks = sft_divide_up(p.m, BLOCK_ROWS);
    p.column_blocks = sft_divide_up(p.n, BLOCK_COLUMNS);
    sft_parallel_for((y->rank == 3 ? y->dim[0] : 1) * p.row_blocks * p.column_blocks, block, &p);
    return SFT_OK;
}
