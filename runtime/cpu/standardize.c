/* SPDX-License-Identifier: Apache-2.0 */
/* Weight standardisation: a filter is a column of a matrix of `rows` by `columns`. */
#include <math.h>

#include "runtime/base/parallel.h"
#include "runtime/cpu/loops.h"
#include "runtime/ops.h"

enum { FILTERS = 16 };

struct standardize {
    const float *w, *dy, *y;
    float *out, *rstd;
    int64_t rows, columns;
    float epsilon;
};

static void standardize_filters(void *context, int64_t task, int slot)
{
    const struct standardize *s = context;
    int64_t first = task * FILTERS, count = s->columns - first < FILTERS ? s->columns - first : FILTERS;
    double mean[FILTERS] = {0}, variance[FILTERS] = {0};
    float centre[FILTERS], scale[FILTERS];
    (void)slot;
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t c = 0; c < count; c++) mean[c] += (double)s->w[r * s->columns + first + c];
    for (int64_t c = 0; c < count; c++) mean[c] /= (double)s->rows;
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t c = 0; c < count; c++) {
            double d = (double)s->w[r * s->columns + first + c] - mean[c];
            variance[c] += d * d;
        }
    for (int64_t c = 0; c < count; c++) {
        centre[c] = (float)mean[c];
        scale[c] = (float)(1.0 / sqrt(variance[c] / (double)s->rows + (double)s->epsilon));
        s->rstd[first + c] = scale[c];
    }
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t c = 0; c < count; c++) {
            int64_t i = r * s->columns + first + c;
            s->out[i] = (s->w[i] - centre[c]) * scale[c];
        }
}

static void standardize_gradient(void *context, int64_t task, int slot)
{
    const struct standardize *s = context;
    int64_t first = task * FILTERS, count = s->columns - first < FILTERS ? s->columns - first : FILTERS;
    double sum[FILTERS] = {0}, product[FILTERS] = {0};
    (void)slot;
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t c = 0; c < count; c++) {
            int64_t i = r * s->columns + first + c;
            sum[c] += (double)s->dy[i];
            product[c] += (double)s->dy[i] * (double)s->y[i];
        }
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t c = 0; c < count; c++) {
            int64_t i = r * s->columns + first + c;
            float means = (float)(sum[c] / (double)s->rows) + s->y[i] * (float)(product[c] / (double)s->rows);
            s->out[i] = s->rstd[first + c] * (s->dy[i] - means);
        }
}

enum sft_status sft_cpu_weight_standardize(const struct sft_call *call)
{
    int64_t columns = sft_out_count(call->graph, call->node, 1);
    struct standardize s = {.w = call->in[0],
                            .out = call->out[0],
                            .rstd = call->out[1],
                            .columns = columns,
                            .rows = sft_in_count(call->graph, call->node, 0) / columns,
                            .epsilon =
                                SFT_NODE_PARAMS(struct sft_weight_standardize_params, call->node)->epsilon};
    sft_parallel_for(sft_divide_up(columns, FILTERS), standardize_filters, &s);
    return SFT_OK;
}

enum sft_status sft_cpu_weight_standardize_grad(const struct sft_call *call)
{
    int64_t columns = sft_in_count(call->graph, call->node, 2);
    struct standardize s = {.dy = call->in[0],
                            .y = call->in[1],
                            .rstd = call->in[2],
                            .out = call->out[0],
                            .columns = columns,
                            .rows = sft_in_count(call->graph, call->node, 0) / columns};
    sft_parallel_for(sft_divide_up(columns, FILTERS), standardize_gradient, &s);
    return SFT_OK;
}
