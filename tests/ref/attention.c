/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "tests/ref/prepare.h"
#include "tests/ref/ref.h"

/* One head of one image. x[t*pitch + i] is element i of token t. */
struct head {
    int64_t tokens, depth, width, pitch;
    double scale;
    const double *q, *k, *v;
};

/* Head `i` over all images; input `first` is q. */
static struct head head_at(const struct ref_call *call, int first, int64_t i)
{
    const struct sft_attention_params *params = call->params;
    const struct sft_shape *q = &call->in_shape[first];
    bool packed = !call->in[first + 1];
    struct head h = {.tokens = q->dim[1],
                     .width = packed ? q->dim[2] / 3 : q->dim[2],
                     .pitch = q->dim[2],
                     .scale = (double)params->scale};
    int64_t at = i / params->heads * h.tokens * h.pitch;
    h.depth = h.width / params->heads;
    at += i % params->heads * h.depth;
    h.q = call->in[first] + at;
    h.k = packed ? h.q + h.width : call->in[first + 1] + at;
    h.v = packed ? h.q + 2 * h.width : call->in[first + 2] + at;
    return h;
}

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static double product(const struct head *h, int64_t t, int64_t s)
{
    return h->scale * dot(h->q + t * h->pitch, h->k + s * h->pitch, h->depth);
}

/* Where the head's numbers begin in y and dy. */
static int64_t out_at(const struct head *h, const struct sft_attention_params *params, int64_t i)
{
    return i / params->heads * h->tokens * h->width + i % params->heads * h->depth;
}

static void forward(const struct head *h, double *y, double *lse)
{
    for (int64_t t = 0; t < h->tokens; t++) {
        double top = -INFINITY, sum = 0.0;
        for (int64_t s = 0; s < h->tokens; s++) top = fmax(top, product(h, t, s));
        for (int64_t s = 0; s < h->tokens; s++) sum += exp(product(h, t, s) - top);
        lse[t] = top + log(sum);
        for (int64_t c = 0; c < h->depth; c++) y[t * h->width + c] = 0.0;
        for (int64_t s = 0; s < h->tokens; s++) {
            double p = exp(product(h, t, s) - lse[t]);
            for (int64_t c = 0; c < h->depth; c++) y[t * h->width + c] += p * h->v[s * h->pitch + c];
        }
    }
}

static void forward_all(const struct ref_call *call, int first, double *y, double *lse)
{
    const struct sft_attention_params *params = call->params;
    for (int64_t i = 0; i < call->in_shape[first].dim[0] * params->heads; i++) {
        struct head h = head_at(call, first, i);
        forward(&h, y + out_at(&h, params, i), lse + i * h.tokens);
    }
}

void sft_ref_attention(struct ref_call *call)
{
    const struct sft_shape *q = &call->in_shape[0];
    int heads = REF_PARAMS(struct sft_attention_params, call)->heads;
    int64_t width = call->in[1] ? q->dim[2] : q->dim[2] / 3;
    ref_expect_shape(&call->out_shape[0], "attention", SFT_SHAPE(q->dim[0], q->dim[1], width));
    ref_expect_shape(&call->out_shape[1], "attention", SFT_SHAPE(q->dim[0], heads, q->dim[1]));
    forward_all(call, 0, call->out[0], call->out[1]);
}

void ref_prepare_attention_grad(struct ref_call *call) { forward_all(call, 3, call->in[1], call->in[2]); }

/* By the chain rule: y = P v, P = softmax(S), S = scale*q k^T. */
static void backward(const struct head *h, const double *dy, double *dqkv)
{
    int64_t n = h->tokens, step = 3 * h->width;
    double *p = malloc((size_t)n * sizeof(*p)), *dp = malloc((size_t)n * sizeof(*dp));
    for (int64_t t = 0; p && dp && t < n; t++) {
        const double *gradient = dy + t * h->width;
        double sum = 0.0, along = 0.0, top = -INFINITY;
        for (int64_t s = 0; s < n; s++) top = fmax(top, product(h, t, s));
        for (int64_t s = 0; s < n; s++) sum += p[s] = exp(product(h, t, s) - top);
        for (int64_t s = 0; s < n; s++) {
            p[s] /= sum;
            dp[s] = dot(gradient, h->v + s * h->pitch, h->depth);
            along += p[s] * dp[s];
        }
        for (int64_t s = 0; s < n; s++) {
            double ds = h->scale * p[s] * (dp[s] - along);
            for (int64_t c = 0; c < h->depth; c++) {
                dqkv[t * step + c] += ds * h->k[s * h->pitch + c];
                dqkv[s * step + h->width + c] += ds * h->q[t * h->pitch + c];
                dqkv[s * step + 2 * h->width + c] += p[s] * gradient[c];
            }
        }
    }
    free(p);
    free(dp);
}

void sft_ref_attention_grad(struct ref_call *call)
{
    const struct sft_attention_params *params = call->params;
    const struct sft_shape *dy = &call->in_shape[0];
    struct sft_shape dqkv = SFT_SHAPE(dy->dim[0], dy->dim[1], 3 * dy->dim[2]);
    ref_expect_shape(&call->out_shape[0], "attention_grad", dqkv);
    memset(call->out[0], 0, (size_t)ref_count(&dqkv) * sizeof(double));
    for (int64_t i = 0; i < dy->dim[0] * params->heads; i++) {
        struct head h = head_at(call, 3, i);
        int64_t at = i / params->heads * h.tokens * h.width * 3 + i % params->heads * h.depth;
        backward(&h, call->in[0] + out_at(&h, params, i), call->out[0] + at);
    }
}
