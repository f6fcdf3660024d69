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

/* Some filters beside each other. `count` is a constant where there are FILTERS, so that sums stay in
 * registers. */
static inline __attribute__((always_inline)) void standardize_some(const struct standardize *s, int64_t first,
                                                                   int64_t count)
{
    double mean[FILTERS] = {0}, variance[FILTERS] = {0};
    float centre[FILTERS], scale[FILTERS];
    const float *w = s->w + first;
    float *restrict out = s->out + first;
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t c = 0; c < count; c++) mean[c] += (double)w[r * s->columns + c];
    for (int64_t c = 0; c < count; c++) mean[c] /= (double)s->rows;
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t c = 0; c < count; c++) {
            double d = (double)w[r * s->columns + c] - mean[c];
            variance[c] += d * d;
        }
    for (int64_t c = 0; c < count; c++) {
        centre[c] = (float)mean[c];
        scale[c] = (float)(1.0 / sqrt(variance[c] / (double)s->rows + (double)s->epsilon));
        s->rstd[first + c] = scale[c];
    }
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t c = 0; c < count; c++)
            out[r * s->columns + c] = (w[r * s->columns + c] - centre[c]) * scale[c];
}

SFT_CLONES static void standardize_filters(const struct standardize *s, int64_t first, int64_t count)
{
    if (count == FILTERS)
        standardize_some(s, first, FILTERS);
    else
        standardize_some(s, first, count);
}

static inline __attribute__((always_inline)) void gradient_some(const struct standardize *s, int64_t first,
                                                                int64_t count)
{
    double sum[FILTERS] = {0}, product[FILTERS] = {0};
    float mean[FILTERS], slope[FILTERS];
    const float *dy = s->dy + first, *y = s->y + first;
    float *restrict out = s->out + first;
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t c = 0; c < count; c++) {
            double d = (double)dy[r * s->columns + c];
            sum[c] += d;
            product[c] += d * (double)y[r * s->columns + c];
        }
    for (int64_t c = 0; c < count; c++) {
        mean[c] = (float)(sum[c] / (double)s->rows);
        slope[c] = (float)(product[c] / (double)s->rows);
    }
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t c = 0; c < count; c++) {
            int64_t i = r * s->columns + c;
            out[i] = s->rstd[first + c] * (dy[i] - (mean[c] + y[i] * slope[c]));
        }
}

SFT_CLONES static void gradient_filters(const struct standardize *s, int64_t first, int64_t count)
{
    if (count == FILTERS)
        gradient_some(s, first, FILTERS);
    else
        gradient_some(s, first, count);
}

static void standardize_task(void *context, int64_t task, int slot)
{
    const struct standardize *s = context;
    (void)slot;
    standardize_filters(s, task * FILTERS, sft_min64(FILTERS, s->columns - task * FILTERS));
}

static void gradient_task(void *context, int64_t task, int slot)
{
    const struct standardize *s = context;
    (void)slot;
    gradient_filters(s, task * FILTERS, sft_min64(FILTERS, s->columns - task * FILTERS));
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
    sft_parallel_for(sft_divide_up(columns, FILTERS), standardize_task, &s);
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
    sft_parallel_for(sft_divide_up(columns, FILTERS), gradient_task, &s);
    return SFT_OK;
}
