/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matrix products. Those with enough rows and columns go block by block through the register kernel of
 * gemm_kernel.h, DEPTH terms of the sums at a time: first all of B is packed into panels as wide as the
 * kernel, then each task packs its rows of A and meets its panels, which come from the second cache. Small
 * ones, for which packing would not pay, are left to OpenBLAS. Either way all threads have work.
 */
#include "runtime/base/blas.h"
#include "runtime/base/parallel.h"
#include "runtime/cpu/gemm_kernel.h"
#include "runtime/cpu/loops.h"
#include "runtime/ops.h"

enum { DEPTH = 512, BLOCK_ROWS = 96, BLOCK_COLUMNS = 1024, LEAST_ROWS = 48, LEAST_COLUMNS = 32 };
enum { BLAS_ROWS = 128, BLAS_COLUMNS = 256 };

struct product {
    const struct sft_gemm_kernel *kernel;
    const float *a, *b, *bias;
    float *y, *panels;
    bool transpose_a, transpose_b, relu;
    int64_t matrices, m, n, k;
    int64_t block_rows, block_columns, row_blocks, column_blocks;
    int64_t first, depth, room; /* of the terms that are packed; most of these */
};

static struct product describe(const struct sft_graph *graph, const struct sft_node *node)
{
    const struct sft_matmul_params *params = SFT_NODE_PARAMS(struct sft_matmul_params, node);
    const struct sft_shape *a = sft_in_shape(graph, node, 0), *y = sft_out_shape(graph, node, 0);
    struct product p = {.kernel = sft_gemm_kernel(),
                        .transpose_a = params->transpose_a,
                        .transpose_b = params->transpose_b,
                        .relu = params->relu};
    p.matrices = y->rank == 3 ? y->dim[0] : 1;
    p.m = y->dim[y->rank - 2];
    p.n = y->dim[y->rank - 1];
    p.k = a->dim[a->rank - 1 - params->transpose_a];
    p.room = sft_min64(p.k, DEPTH);
    return p;
}

static void cut(struct product *p, int64_t rows, int64_t columns)
{
    p->block_rows = rows;
    p->block_columns = columns;
    p->row_blocks = sft_divide_up(p->m, rows);
    p->column_blocks = sft_divide_up(p->n, columns);
}

/* A task's part of the result. */
struct block {
    int64_t matrix, row, column, rows, columns;
};

static struct block block_of(const struct product *p, int64_t task)
{
    int64_t rest = task % (p->row_blocks * p->column_blocks);
    struct block b = {.matrix = task / (p->row_blocks * p->column_blocks),
                      .row = rest / p->column_blocks * p->block_rows,
                      .column = rest % p->column_blocks * p->block_columns};
    b.rows = sft_min64(p->block_rows, p->m - b.row);
    b.columns = sft_min64(p->block_columns, p->n - b.column);
    return b;
}

static void run_blocks(const struct product *p, sft_task task)
{
    sft_parallel_for(p->matrices * p->row_blocks * p->column_blocks, task, (void *)p);
}

/* ---- small products ---- */

static void blas_block(void *context, int64_t task, int slot)
{
    const struct product *p = context;
    struct block at = block_of(p, task);
    bool ta = p->transpose_a, tb = p->transpose_b;
    const float *a = p->a + at.matrix * p->m * p->k + (ta ? at.row : at.row * p->k);
    const float *b = p->b + at.matrix * p->k * p->n + (tb ? at.column * p->k : at.column);
    float *y = p->y + (at.matrix * p->m + at.row) * p->n + at.column;
    (void)slot;
    sft_blas_gemm(ta, tb, at.rows, at.columns, p->k, a, ta ? p->m : p->k, b, tb ? p->k : p->n, 0.0f, y, p->n);
    for (int64_t r = 0; (p->bias || p->relu) && r < at.rows; r++)
        for (int64_t c = 0; c < at.columns; c++) {
            float sum = y[r * p->n + c] + (p->bias ? p->bias[at.column + c] : 0.0f);
            y[r * p->n + c] = p->relu && sum < 0.0f ? 0.0f : sum;
        }
}

/* ---- large products ---- */

static void pack_panel(void *context, int64_t task, int slot)
{
    const struct product *p = context;
    int width = p->kernel->columns;
    int64_t panels = sft_divide_up(p->n, width), matrix = task / panels, column = task % panels * width;
    int64_t step = p->transpose_b ? 1 : p->n, stride = p->transpose_b ? p->k : 1;
    (void)slot;
    p->kernel->pack_columns(p->b + matrix * p->k * p->n + p->first * step + column * stride, step, stride,
                            sft_min64(width, p->n - column), p->depth, p->panels + task * p->room * width);
}

static void meet(const struct product *p, const struct block *at, const float *packed)
{
    const struct sft_gemm_kernel *k = p->kernel;
    int64_t panels = sft_divide_up(p->n, k->columns);
    bool last = p->first + p->depth == p->k;
    struct sft_block_store store = {
        .bias = last ? p->bias : NULL, .relu = last && p->relu, .accumulate = p->first > 0};
    float *row[SFT_MAX_BLOCK_ROWS];
    store.row = row;
    for (store.column = at->column; store.column < at->column + at->columns; store.column += k->columns) {
        const float *panel =
            p->panels + (at->matrix * panels + store.column / k->columns) * p->room * k->columns;
        store.columns = (int)sft_min64(k->columns, p->n - store.column);
        for (int64_t r = 0; r < at->rows; r += k->rows) {
            store.rows = (int)sft_min64(k->rows, at->rows - r);
            for (int i = 0; i < store.rows; i++) row[i] = p->y + (at->matrix * p->m + at->row + r + i) * p->n;
            k->packed(p->depth, packed + r * p->depth, panel, &store);
        }
    }
}

static void packed_block(void *context, int64_t task, int slot)
{
    const struct product *p = context;
    struct block at = block_of(p, task);
    int64_t step = p->transpose_a ? p->m : 1, stride = p->transpose_a ? 1 : p->k;
    float packed[BLOCK_ROWS * DEPTH];
    (void)slot;
    p->kernel->pack_rows(p->a + at.matrix * p->m * p->k + p->first * step + at.row * stride, step, stride,
                         at.rows, p->depth, packed);
    meet(p, &at, packed);
}

static bool is_large(const struct product *p) { return p->m >= LEAST_ROWS && p->n >= LEAST_COLUMNS; }

size_t sft_cpu_matmul_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    struct product p = describe(graph, node);
    if (!is_large(&p)) return 0;
    return sizeof(float) * (size_t)(p.room * p.matrices * sft_round_up(p.n, p.kernel->columns));
}

enum sft_status sft_cpu_matmul(const struct sft_call *call)
{
    struct product p = describe(call->graph, call->node);
    p.a = call->in[0];
    p.b = call->in[1];
    p.bias = call->in[2];
    p.y = call->out[0];
    p.panels = call->scratch;
    if (!is_large(&p)) {
        cut(&p, BLAS_ROWS, BLAS_COLUMNS);
        run_blocks(&p, blas_block);
        return SFT_OK;
    }
    cut(&p, BLOCK_ROWS,
        sft_round_up(sft_divide_up(p.n, sft_divide_up(p.n, BLOCK_COLUMNS)), p.kernel->columns));
    for (p.first = 0; p.first < p.k; p.first += p.depth) {
        p.depth = sft_min64(DEPTH, p.k - p.first);
        sft_parallel_for(p.matrices * sft_divide_up(p.n, p.kernel->columns), pack_panel, &p);
        run_blocks(&p, packed_block);
    }
    return SFT_OK;
}
