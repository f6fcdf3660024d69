/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "tests/ref/prepare.h"
#include "tests/ref/ref.h"

struct window {
    const struct sft_pool_params *params;
    int64_t n, h, w, c, p, q; /* sizes */
};

static struct window make_window(const struct sft_pool_params *params, int64_t n, int64_t h, int64_t w,
                                 int64_t c)
{
    struct window v = {params, n, h, w, c, 0, 0};
    v.p = (h + 2 * params->pad[0] - params->kernel[0]) / params->stride[0] + 1;
    v.q = (w + 2 * params->pad[1] - params->kernel[1]) / params->stride[1] + 1;
    return v;
}

/* h*W + w of element `i` of the window of output pixel (p,q), or -1 in the padding. */
static int64_t pixel(const struct window *v, int64_t p, int64_t q, int i)
{
    int64_t h = p * v->params->stride[0] + i / v->params->kernel[1] - v->params->pad[0];
    int64_t w = q * v->params->stride[1] + i % v->params->kernel[1] - v->params->pad[1];
    return h < 0 || h >= v->h || w < 0 || w >= v->w ? -1 : h * v->w + w;
}

static void find_maximum(const struct window *v, const double *x, int64_t at, int64_t p, int64_t q, double *y,
                         double *index)
{
    int64_t n = at / (v->p * v->q * v->c), c = at % v->c;
    bool found = false;
    for (int i = 0; i < v->params->kernel[0] * v->params->kernel[1]; i++) {
        int64_t where = pixel(v, p, q, i);
        double value = where < 0 ? 0.0 : x[(n * v->h * v->w + where) * v->c + c];
        if ((where < 0 && !v->params->zero_pad) || (found && value <= y[at])) continue;
        y[at] = value;
        index[at] = (double)where;
        found = true;
    }
}

void sft_ref_max_pool(struct ref_call *call)
{
    const struct sft_shape *x = &call->in_shape[0];
    struct window v = make_window(call->params, x->dim[0], x->dim[1], x->dim[2], x->dim[3]);
    ref_expect_shape(&call->out_shape[0], "max_pool", SFT_SHAPE(v.n, v.p, v.q, v.c));
    ref_expect_shape(&call->out_shape[1], "max_pool", SFT_SHAPE(v.n, v.p, v.q, v.c));
    for (int64_t at = 0; at < v.n * v.p * v.q * v.c; at++)
        find_maximum(&v, call->in[0], at, at / v.c / v.q % v.p, at / v.c % v.q, call->out[0], call->out[1]);
}

/* The indices come from an image of numbers without an order. */
void ref_prepare_max_pool_grad(struct ref_call *call)
{
    const struct sft_pool_params *params = call->params;
    const struct sft_shape *dy = &call->in_shape[0];
    struct sft_shape x = SFT_SHAPE(dy->dim[0], params->size[0], params->size[1], dy->dim[3]);
    struct ref_call forward = {
        .params = params, .in_shape[0] = x, .out_shape = {*dy, *dy}, .out[1] = call->in[1]};
    forward.in[0] = calloc((size_t)ref_count(&x), sizeof(double));
    forward.out[0] = calloc((size_t)ref_count(dy), sizeof(double));
    for (int64_t i = 0; forward.in[0] && i < ref_count(&x); i++)
        forward.in[0][i] = sin(12.9898 * (double)(i + 1));
    if (forward.in[0] && forward.out[0]) sft_ref_max_pool(&forward);
    free(forward.in[0]);
    free(forward.out[0]);
}

void sft_ref_max_pool_grad(struct ref_call *call)
{
    const struct sft_pool_params *params = call->params;
    const struct sft_shape *dy = &call->in_shape[0];
    struct sft_shape x = SFT_SHAPE(dy->dim[0], params->size[0], params->size[1], dy->dim[3]);
    int64_t per_image = dy->dim[1] * dy->dim[2] * dy->dim[3];
    ref_expect_shape(&call->out_shape[0], "max_pool_grad", x);
    memset(call->out[0], 0, (size_t)ref_count(&x) * sizeof(double));
    for (int64_t i = 0; i < ref_count(dy); i++) {
        int64_t where = (int64_t)call->in[1][i];
        if (where >= 0)
            call->out[0][(i / per_image * x.dim[1] * x.dim[2] + where) * x.dim[3] + i % x.dim[3]] +=
                call->in[0][i];
    }
}

/* Adds to y (or to x, backwards) what each window element contributes. */
static void average(const struct window *v, double *x, double *y, bool backwards)
{
    int size = v->params->kernel[0] * v->params->kernel[1];
    for (int64_t at = 0; at < v->n * v->p * v->q * v->c; at++)
        for (int i = 0; i < size; i++) {
            int64_t where = pixel(v, at / v->c / v->q % v->p, at / v->c % v->q, i);
            int64_t from = (at / (v->p * v->q * v->c) * v->h * v->w + where) * v->c + at % v->c;
            if (where < 0) continue;
            if (backwards)
                x[from] += y[at] / size;
            else
                y[at] += x[from] / size;
        }
}

void sft_ref_avg_pool(struct ref_call *call)
{
    const struct sft_shape *x = &call->in_shape[0];
    struct window v = make_window(call->params, x->dim[0], x->dim[1], x->dim[2], x->dim[3]);
    ref_expect_shape(&call->out_shape[0], "avg_pool", SFT_SHAPE(v.n, v.p, v.q, v.c));
    memset(call->out[0], 0, (size_t)(v.n * v.p * v.q * v.c) * sizeof(double));
    average(&v, call->in[0], call->out[0], false);
}

void sft_ref_avg_pool_grad(struct ref_call *call)
{
    const struct sft_pool_params *params = call->params;
    const struct sft_shape *dy = &call->in_shape[0];
    struct window v = make_window(params, dy->dim[0], params->size[0], params->size[1], dy->dim[3]);
    ref_expect_shape(&call->out_shape[0], "avg_pool_grad", SFT_SHAPE(v.n, v.h, v.w, v.c));
    memset(call->out[0], 0, (size_t)(v.n * v.h * v.w * v.c) * sizeof(double));
    average(&v, call->out[0], call->in[0], true);
}
