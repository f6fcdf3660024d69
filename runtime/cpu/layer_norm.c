/* SPDX-License-Identifier: Apache-2.0 */
/* Layer norm: group norm of single pixels with one group, whose rows fit the cache. */
#include "runtime/cpu/layer_norm.h"

#include <math.h>
#include <string.h>

#include "runtime/base/parallel.h"
#include "runtime/cpu/loops.h"
#include "runtime/cpu/row_kernel.h"
#include "runtime/ops.h"

enum { MOST_PARTS = 64, LEAST_ROWS = 32 };

struct layer_norm {
    const struct sft_row_kernel *kernel;
    int64_t rows, width, parts;
    const float *x, *dy, *gamma, *beta, *given_mean, *given_rstd;
    float *y, *mean, *rstd, *dx, *dgamma, *dbeta, *sums;
    float epsilon, floor;
};

static struct layer_norm describe(const struct sft_graph *graph, const struct sft_node *node)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    struct layer_norm l = {.kernel = sft_row_kernel(), .width = x->dim[x->rank - 1]};
    l.rows = sft_shape_count(x) / l.width;
    l.parts = sft_min64(MOST_PARTS, sft_divide_up(l.rows, LEAST_ROWS));
    return l;
}

bool sft_cpu_is_layer_norm(const struct sft_graph *graph, const struct sft_node *node)
{
    const struct sft_group_norm_params *params = SFT_NODE_PARAMS(struct sft_group_norm_params, node);
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    return params->groups == 1 && !params->frozen && sft_shape_count(x) == x->dim[0] * x->dim[x->rank - 1];
}

static void forward_part(void *context, int64_t part, int slot)
{
    const struct layer_norm *l = context;
    (void)slot;
    for (int64_t i = part * l->rows / l->parts; i < (part + 1) * l->rows / l->parts; i++)
        l->kernel->layer_norm(l->x + i * l->width, l->gamma, l->beta, l->y + i * l->width, l->width,
                              l->epsilon, l->floor, l->mean + i, l->rstd + i);
}

enum sft_status sft_cpu_layer_norm(const struct sft_call *call)
{
    const struct sft_group_norm_params *params = SFT_NODE_PARAMS(struct sft_group_norm_params, call->node);
    struct layer_norm l = describe(call->graph, call->node);
    l.x = call->in[0];
    l.gamma = call->in[1];
    l.beta = call->in[2];
    l.y = call->out[0];
    l.mean = call->out[1];
    l.rstd = call->out[2];
    l.epsilon = params->epsilon;
    l.floor = params->relu ? 0.0f : -INFINITY;
    sft_parallel_for(l.parts, forward_part, &l);
    return SFT_OK;
}

/* ---- gradient ---- */

static void gradient_part(void *context, int64_t part, int slot)
{
    const struct layer_norm *l = context;
    float *dgamma = l->sums + part * 2 * l->width, *dbeta = dgamma + l->width;
    (void)slot;
    memset(dgamma, 0, 2 * (size_t)l->width * sizeof(float));
    for (int64_t i = part * l->rows / l->parts; i < (part + 1) * l->rows / l->parts; i++)
        l->kernel->layer_norm_grad(l->x + i * l->width, l->dy + i * l->width, l->gamma, l->dx + i * l->width,
                                   l->width, l->given_mean[i], l->given_rstd[i], dgamma, dbeta);
}

static void add_parts(const struct layer_norm *l, const float *sums, float *total)
{
    for (int64_t c = 0; c < l->width; c++) {
        double sum = 0.0;
        for (int64_t part = 0; part < l->parts; part++) sum += (double)sums[part * 2 * l->width + c];
        total[c] = (float)sum;
    }
}

size_t sft_cpu_layer_norm_grad_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    struct layer_norm l = describe(graph, node);
    return sizeof(float) * (size_t)(l.parts * 2 * l.width);
}

enum sft_status sft_cpu_layer_norm_grad(const struct sft_call *call)
{
    struct layer_norm l = describe(call->graph, call->node);
    l.x = call->in[0];
    l.dy = call->in[1];
    l.gamma = call->in[2];
    l.given_mean = call->in[3];
    l.given_rstd = call->in[4];
    l.dx = call->out[0];
    l.sums = call->scratch;
    sft_parallel_for(l.parts, gradient_part, &l);
    add_parts(&l, l.sums, call->out[1]);
    add_parts(&l, l.sums + l.width, call->out[2]);
    return SFT_OK;
}
