/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All three directions visit the same set of products: output pixel (p,q), kernel element (r,s), input
 * channel c of the group of output channel k; x lies at p*stride + r*dilation - pad.
 */
#include "tests/ref/ref.h"

struct conv {
    const struct sft_conv2d_params *params;
    int64_t n, h, w, c, k, r, s, p, q; /* sizes */
};

static int64_t out_size(int64_t size, int64_t kernel, const struct sft_conv2d_params *params, int axis)
{
    return (size + 2 * params->pad[axis] - params->dilation[axis] * (kernel - 1) - 1) / params->stride[axis] +
           1;
}

static struct conv make_conv(const struct sft_conv2d_params *params, const struct sft_shape *x,
                             const struct sft_shape *w)
{
    struct conv conv = {.params = params,
                        .n = x->dim[0],
                        .h = x->dim[1],
                        .w = x->dim[2],
                        .c = x->dim[3],
                        .k = w->dim[3],
                        .r = w->dim[0],
                        .s = w->dim[1]};
    conv.p = out_size(conv.h, conv.r, params, 0);
    conv.q = out_size(conv.w, conv.s, params, 1);
    return conv;
}

typedef void (*product)(void *context, int64_t x, int64_t weight, int64_t y);

/* Calls `use` with the places of x, weight and y for one output pixel and channel. */
static void products_of(const struct conv *v, int64_t n, int64_t p, int64_t q, int64_t k, product use,
                        void *context)
{
    const struct sft_conv2d_params *params = v->params;
    int64_t per_group = v->c / params->groups, group = k / (v->k / params->groups);
    for (int64_t r = 0; r < v->r; r++)
        for (int64_t s = 0; s < v->s; s++) {
            int64_t h = p * params->stride[0] + r * params->dilation[0] - params->pad[0];
            int64_t w = q * params->stride[1] + s * params->dilation[1] - params->pad[1];
            if (h < 0 || h >= v->h || w < 0 || w >= v->w) continue;
            for (int64_t c = 0; c < per_group; c++)
                use(context, ((n * v->h + h) * v->w + w) * v->c + group * per_group + c,
                    ((r * v->s + s) * per_group + c) * v->k + k, ((n * v->p + p) * v->q + q) * v->k + k);
        }
}

static void all_products(const struct conv *v, product use, void *context)
{
    for (int64_t n = 0; n < v->n; n++)
        for (int64_t p = 0; p < v->p; p++)
            for (int64_t q = 0; q < v->q; q++)
                for (int64_t k = 0; k < v->k; k++) products_of(v, n, p, q, k, use, context);
}

struct operands {
    double *x, *weight, *y;
};

static void add_to_y(void *context, int64_t x, int64_t weight, int64_t y)
{
    struct operands *o = context;
    o->y[y] += o->x[x] * o->weight[weight];
}

static void add_to_x(void *context, int64_t x, int64_t weight, int64_t y)
{
    struct operands *o = context;
    o->x[x] += o->y[y] * o->weight[weight];
}

static void add_to_weight(void *context, int64_t x, int64_t weight, int64_t y)
{
    struct operands *o = context;
    o->weight[weight] += o->x[x] * o->y[y];
}

void sft_ref_conv2d(struct ref_call *call)
{
    const struct sft_conv2d_params *params = call->params;
    struct conv conv = make_conv(params, &call->in_shape[0], &call->in_shape[1]);
    struct operands operands = {call->in[0], call->in[1], call->out[0]};
    int64_t count = conv.n * conv.p * conv.q * conv.k;
    ref_expect_shape(&call->out_shape[0], "conv2d", SFT_SHAPE(conv.n, conv.p, conv.q, conv.k));
    for (int64_t i = 0; i < count; i++) call->out[0][i] = call->in[2] ? call->in[2][i % conv.k] : 0.0;
    all_products(&conv, add_to_y, &operands);
    for (int64_t i = 0; params->relu && i < count; i++) call->out[0][i] = fmax(call->out[0][i], 0.0);
}

void sft_ref_conv2d_dx(struct ref_call *call)
{
    const struct sft_conv2d_params *params = call->params;
    const struct sft_shape *dy = &call->in_shape[0], *weight = &call->in_shape[1];
    struct sft_shape x =
        SFT_SHAPE(dy->dim[0], params->size[0], params->size[1], weight->dim[2] * params->groups);
    struct conv conv = make_conv(params, &x, weight);
    struct operands operands = {call->out[0], call->in[1], call->in[0]};
    ref_expect_shape(&call->out_shape[0], "conv2d_dx", x);
    memset(call->out[0], 0, (size_t)ref_count(&x) * sizeof(double));
    all_products(&conv, add_to_x, &operands);
}

void sft_ref_conv2d_dw(struct ref_call *call)
{
    const struct sft_conv2d_params *params = call->params;
    const struct sft_shape *x = &call->in_shape[0], *dy = &call->in_shape[1];
    struct sft_shape weight =
        SFT_SHAPE(params->size[0], params->size[1], x->dim[3] / params->groups, dy->dim[3]);
    struct conv conv = make_conv(params, x, &weight);
    struct operands operands = {call->in[0], call->out[0], call->in[1]};
    ref_expect_shape(&call->out_shape[0], "conv2d_dw", weight);
    memset(call->out[0], 0, (size_t)ref_count(&weight) * sizeof(double));
    all_products(&conv, add_to_weight, &operands);
}
