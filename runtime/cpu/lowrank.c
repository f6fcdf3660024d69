/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/blas.h"
#include "runtime/base/linalg.h"
#include "runtime/base/parallel.h"
#include "runtime/cpu/loops.h"
#include "runtime/ops.h"

struct removal {
    const float *x, *start;       /* start: NULL or (matrices, columns) */
    float *y, *quality, *scratch; /* scratch: left and right vectors of each matrix */
    int64_t rows, columns;
    int iterations;
    atomic_bool failed;
};

/* x / (|x| + 1e-10); gives |x|. */
static double normalize(float *x, int64_t n)
{
    double norm = sqrt(sft_cpu_sum_squares(x, n));
    for (int64_t i = 0; i < n; i++) x[i] = (float)((double)x[i] / (norm + 1e-10));
    return norm;
}

/* |X v - s u| / s, by way of the scratch vector `product`. */
static double residual(const struct removal *r, const float *x, const float *left, const float *right,
                       float *product, double s)
{
    sft_blas_gemv(false, r->rows, r->columns, x, right, product);
    for (int64_t i = 0; i < r->rows; i++) product[i] -= (float)s * left[i];
    return sqrt(sft_cpu_sum_squares(product, r->rows)) / s;
}

static double power_iteration(const struct removal *r, const float *x, const float *start, float *left,
                              float *right)
{
    double s = 0;
    for (int64_t p = 0; p < r->rows; p++) left[p] = 1.0f;
    if (start)
        memcpy(right, start, (size_t)r->columns * sizeof(*right));
    else
        sft_blas_gemv(true, r->rows, r->columns, x, left, right);
    normalize(right, r->columns);
    for (int i = 0; i < r->iterations; i++) {
        sft_blas_gemv(false, r->rows, r->columns, x, right, left);
        normalize(left, r->rows);
        sft_blas_gemv(true, r->rows, r->columns, x, left, right);
        s = normalize(right, r->columns);
    }
    return s;
}

static enum sft_status exact(const struct removal *r, const float *x, float *left, float *right, double *s)
{
    int64_t count = r->rows * r->columns;
    double *a = sft_calloc((size_t)(count + r->rows + r->columns), sizeof(*a)), *u = a + count,
           *v = u + r->rows;
    enum sft_status status;
    if (!a) return SFT_MEMORY;
    for (int64_t i = 0; i < count; i++) a[i] = (double)x[i];
    status = sft_largest_singular((int)r->rows, (int)r->columns, a, s, u, v);
    for (int64_t p = 0; p < r->rows; p++) left[p] = (float)u[p];
    for (int64_t c = 0; c < r->columns; c++) right[c] = (float)v[c];
    free(a);
    return status;
}

static void remove_one(void *context, int64_t task, int slot)
{
    struct removal *r = context;
    const float *x = r->x + task * r->rows * r->columns;
    float *y = r->y + task * r->rows * r->columns;
    float *left = r->scratch + task * (2 * r->rows + r->columns), *right = left + r->rows,
          *product = right + r->columns;
    double s = 0;
    (void)slot;
    if (r->iterations != SFT_EXACT_RANK_ONE)
        s = power_iteration(r, x, r->start ? r->start + task * r->columns : NULL, left, right);
    else if (exact(r, x, left, right, &s) != SFT_OK)
        atomic_store(&r->failed, true);
    r->quality[2 * task] = (float)s;
    r->quality[2 * task + 1] = (float)residual(r, x, left, right, product, s);
    for (int64_t p = 0; p < r->rows; p++)
        for (int64_t c = 0; c < r->columns; c++)
            y[p * r->columns + c] = x[p * r->columns + c] - (float)s * left[p] * right[c];
}

static int64_t columns_of(const struct sft_shape *x) { return x->dim[x->rank - 1]; }
static int64_t rows_of(const struct sft_shape *x) { return sft_shape_count(x) / x->dim[0] / columns_of(x); }

size_t sft_cpu_remove_rank_one_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    return (size_t)(x->dim[0] * (2 * rows_of(x) + columns_of(x))) * sizeof(float);
}

enum sft_status sft_cpu_remove_rank_one(const struct sft_call *call)
{
    const struct sft_shape *x = sft_in_shape(call->graph, call->node, 0);
    struct removal removal = {.x = call->in[0],
                              .start = call->in[1],
                              .y = call->out[0],
                              .quality = call->out[1],
                              .scratch = call->scratch,
                              .rows = rows_of(x),
                              .columns = columns_of(x)};
    removal.iterations = SFT_NODE_PARAMS(struct sft_remove_rank_one_params, call->node)->iterations;
    sft_parallel_for(x->dim[0], remove_one, &removal);
    return atomic_load(&removal.failed) ? SFT_FAILED : SFT_OK;
}
