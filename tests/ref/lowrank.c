/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ref/ref.h"

static double normalize(double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i] * x[i];
    for (int64_t i = 0; i < n; i++) x[i] /= sqrt(sum) + 1e-10;
    return sqrt(sum);
}

static void remove_one(const double *x, const double *start, int64_t rows, int64_t columns, int iterations,
                       double *y, double *quality)
{
    double left[512], right[512], s = 0, off = 0;
    for (int64_t c = 0; c < columns; c++) {
        right[c] = 0;
        for (int64_t p = 0; p < rows; p++) right[c] += x[p * columns + c];
        if (start) right[c] = start[c];
    }
    normalize(right, columns);
    for (int i = 0; i < iterations; i++) {
        memset(left, 0, sizeof(left));
        for (int64_t k = 0; k < rows * columns; k++) left[k / columns] += x[k] * right[k % columns];
        normalize(left, rows);
        memset(right, 0, sizeof(right));
        for (int64_t k = 0; k < rows * columns; k++) right[k % columns] += x[k] * left[k / columns];
        s = normalize(right, columns);
    }
    for (int64_t p = 0; p < rows; p++) {
        double product = 0;
        for (int64_t c = 0; c < columns; c++) product += x[p * columns + c] * right[c];
        off += (product - s * left[p]) * (product - s * left[p]);
    }
    for (int64_t k = 0; k < rows * columns; k++) y[k] = x[k] - s * left[k / columns] * right[k % columns];
    quality[0] = s;
    quality[1] = sqrt(off) / s;
}

void sft_ref_remove_rank_one(struct ref_call *call)
{
    const struct sft_shape *shape = &call->in_shape[0];
    int64_t columns = shape->dim[shape->rank - 1], size = ref_count(shape) / shape->dim[0];
    int iterations = REF_PARAMS(struct sft_remove_rank_one_params, call)->iterations;
    for (int64_t i = 0; i < shape->dim[0]; i++)
        remove_one(call->in[0] + i * size, call->in[1] ? call->in[1] + i * columns : NULL, size / columns,
                   columns, iterations ? iterations : 4000, call->out[0] + i * size, call->out[1] + 2 * i);
}
