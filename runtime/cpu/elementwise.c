/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "runtime/cpu/loops.h"
#include "runtime/cpu/row_kernel.h"
#include "runtime/ops.h"

/* ---- b broadcast to the shape of a ---- */

struct pair {
    const float *a, *b;
    float *y;
    float alpha;
    int64_t inner;
    int64_t stride[SFT_MAX_RANK]; /* of b along each axis of a; 0 where it is repeated */
    struct sft_shape shape;
    enum combination { SUM, PRODUCT, QUOTIENT } what;
};

static float quotient(float a, float b) { return b == 0.0f ? 0.0f : a / b; }

static void combine(const struct pair *p, const float *a, const float *b, float *y, int64_t n)
{
    if (p->what == SUM)
        for (int64_t i = 0; i < n; i++) y[i] = a[i] + p->alpha * b[i];
    else if (p->what == PRODUCT)
        for (int64_t i = 0; i < n; i++) y[i] = a[i] * b[i];
    else
        for (int64_t i = 0; i < n; i++) y[i] = quotient(a[i], b[i]);
}

static void combine_scalar(const struct pair *p, const float *a, float b, float *y, int64_t n)
{
    if (p->what == SUM)
        for (int64_t i = 0; i < n; i++) y[i] = a[i] + p->alpha * b;
    else if (p->what == PRODUCT)
        for (int64_t i = 0; i < n; i++) y[i] = a[i] * b;
    else
        for (int64_t i = 0; i < n; i++) y[i] = quotient(a[i], b);
}

/* Elements first .. last-1 of a, a multiple of the innermost axis. */
static void pair_range(void *context, int64_t first, int64_t last)
{
    const struct pair *p = context;
    int rank = p->shape.rank;
    for (int64_t at = first; at < last; at += p->inner) {
        int64_t rest = at / p->inner, offset = 0;
        for (int i = rank - 2; i >= 0; i--) {
            offset += rest % p->shape.dim[i] * p->stride[i];
            rest /= p->shape.dim[i];
        }
        if (rank && p->stride[rank - 1])
            combine(p, p->a + at, p->b + offset, p->y + at, p->inner);
        else
            combine_scalar(p, p->a + at, p->b[offset], p->y + at, p->inner);
    }
}

static void flat_range(void *context, int64_t first, int64_t last)
{
    const struct pair *p = context;
    combine(p, p->a + first, p->b + first, p->y + first, last - first);
}

static void scalar_range(void *context, int64_t first, int64_t last)
{
    const struct pair *p = context;
    combine_scalar(p, p->a + first, p->b[0], p->y + first, last - first);
}

static enum sft_status run_pair(const struct sft_call *call, float alpha, enum combination what)
{
    struct pair p = {.a = call->in[0],
                     .b = call->in[1],
                     .y = call->out[0],
                     .alpha = alpha,
                     .what = what,
                     .shape = *sft_in_shape(call->graph, call->node, 0)};
    const struct sft_shape *b = sft_in_shape(call->graph, call->node, 1);
    int64_t count = sft_shape_count(&p.shape);
    if (sft_shape_count(b) == count || sft_shape_count(b) == 1) {
        sft_cpu_ranges(count, 1, sft_shape_count(b) == count ? flat_range : scalar_range, &p);
        return SFT_OK;
    }
    sft_cpu_broadcast_strides(b, &p.shape, p.stride);
    p.inner = p.shape.rank ? p.shape.dim[p.shape.rank - 1] : 1;
    sft_cpu_ranges(count, p.inner, pair_range, &p);
    return SFT_OK;
}

enum sft_status sft_cpu_add(const struct sft_call *call)
{
    return run_pair(call, SFT_NODE_PARAMS(struct sft_add_params, call->node)->alpha, SUM);
}

enum sft_status sft_cpu_mul(const struct sft_call *call) { return run_pair(call, 0.0f, PRODUCT); }
enum sft_status sft_cpu_div(const struct sft_call *call) { return run_pair(call, 0.0f, QUOTIENT); }

/* ---- maps of one or two tensors of the same shape ---- */

struct map {
    const float *a, *b;
    float *y;
    float factor;
};

static enum sft_status run_map(const struct sft_call *call, float factor, sft_cpu_range body)
{
    struct map m = {call->in[0], call->in[1], call->out[0], factor};
    sft_cpu_ranges(sft_out_count(call->graph, call->node, 0), 1, body, &m);
    return SFT_OK;
}

#define SFT_MAP(name, factor, expression)                                                                    \
    static void name##_range(void *context, int64_t first, int64_t last)                                     \
    {                                                                                                        \
        const struct map *m = context;                                                                       \
        for (int64_t i = first; i < last; i++) m->y[i] = (expression);                                       \
    }                                                                                                        \
    enum sft_status sft_cpu_##name(const struct sft_call *call)                                              \
    {                                                                                                        \
        return run_map(call, (factor), name##_range);                                                        \
    }

SFT_MAP(scale, SFT_NODE_PARAMS(struct sft_scale_params, call->node)->factor, m->factor * m->a[i])
SFT_MAP(sqrt, 0.0f, sqrtf(m->a[i]))
SFT_MAP(sign, 0.0f, (float)((m->a[i] > 0.0f) - (m->a[i] < 0.0f)))
SFT_MAP(relu, 0.0f, m->a[i] < 0.0f ? 0.0f : m->a[i]) /* keeps NaN */
SFT_MAP(relu_grad, 0.0f, m->b[i] > 0.0f ? m->a[i] : 0.0f)
SFT_MAP(fill, SFT_NODE_PARAMS(struct sft_fill_params, call->node)->value, m->factor)

static void exp_range(void *context, int64_t first, int64_t last)
{
    const struct map *m = context;
    sft_row_kernel()->exp(m->a + first, m->y + first, last - first);
}

static void gelu_range(void *context, int64_t first, int64_t last)
{
    const struct map *m = context;
    sft_row_kernel()->gelu(m->a + first, m->y + first, last - first);
}

static void gelu_grad_range(void *context, int64_t first, int64_t last)
{
    const struct map *m = context;
    sft_row_kernel()->gelu_grad(m->a + first, m->b + first, m->y + first, last - first);
}

enum sft_status sft_cpu_exp(const struct sft_call *call) { return run_map(call, 0.0f, exp_range); }
enum sft_status sft_cpu_gelu(const struct sft_call *call) { return run_map(call, 0.0f, gelu_range); }
enum sft_status sft_cpu_gelu_grad(const struct sft_call *call)
{
    return run_map(call, 0.0f, gelu_grad_range);
}
