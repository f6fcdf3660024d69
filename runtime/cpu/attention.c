/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attention by tiles of queries and keys, with the softmax kept up to date from one tile to the next (Dao et
 * al. 2022): what is in memory is a tile of the products.
 *
 * The forward pass has a task for each tile of queries of a head. The gradient has one for each head, or
 * where heads are few for each of several runs of keys of a head: those write their parts of dq to scratch
 * memory, which are then added up.
 */
#include <math.h>
#include <string.h>

#include "runtime/base/blas.h"
#include "runtime/base/parallel.h"
#include "runtime/cpu/loops.h"
#include "runtime/cpu/row_kernel.h"
#include "runtime/ops.h"

enum { QUERIES = 64, KEYS = 256, ENOUGH_TASKS = 8 };

struct attention {
    const struct sft_row_kernel *rows;
    int64_t images, heads, tokens, depth, runs;
    int64_t width; /* of y and dy */
    int64_t pitch; /* of q, k and v */
    float scale;
    const float *q, *k, *v, *dy, *given_y, *given_lse;
    float *y, *lse, *dqkv, *parts;
};

/* `first`: the input that is q; k and v follow. */
static struct attention describe(const struct sft_graph *graph, const struct sft_node *node, int first)
{
    const struct sft_attention_params *params = SFT_NODE_PARAMS(struct sft_attention_params, node);
    const struct sft_shape *q = sft_in_shape(graph, node, first);
    bool packed = node->in[first + 1] == SFT_NONE;
    struct attention a = {.rows = sft_row_kernel(),
                          .images = q->dim[0],
                          .heads = params->heads,
                          .tokens = q->dim[1],
                          .width = packed ? q->dim[2] / 3 : q->dim[2],
                          .pitch = q->dim[2],
                          .scale = params->scale};
    a.depth = a.width / a.heads;
    a.runs = sft_min64(sft_divide_up(ENOUGH_TASKS, a.images * a.heads), sft_divide_up(a.tokens, KEYS));
    return a;
}

static void set_inputs(struct attention *a, const struct sft_call *call, int first)
{
    bool packed = call->node->in[first + 1] == SFT_NONE;
    a->q = call->in[first];
    a->k = packed ? a->q + a->width : call->in[first + 1];
    a->v = packed ? a->q + 2 * a->width : call->in[first + 2];
}

/* Where a head's numbers of a token are, in tensors with rows of `pitch` elements. */
static int64_t place(const struct attention *a, int64_t head, int64_t token, int64_t pitch)
{
    return (head / a->heads * a->tokens + token) * pitch + head % a->heads * a->depth;
}

/* ---- forward ---- */

/* s becomes p for the running maximum `top` of each row; `sum` and y, which the first keys find without
 * contents, are brought to it. */
static void soften(const struct attention *a, float *s, int64_t queries, int64_t keys, bool begins,
                   float *top, float *sum, float *y)
{
    for (int64_t i = 0; i < queries; i++, s += keys, y += a->width) {
        float most = a->rows->max(s, keys, a->scale), before = 1.0f;
        if (most < top[i]) most = top[i];
        if (most != top[i]) before = expf(top[i] - most);
        sum[i] = sum[i] * before + a->rows->exp_sum(s, s, keys, a->scale, most);
        for (int64_t c = 0; !begins && before != 1.0f && c < a->depth; c++) y[c] *= before;
        top[i] = most;
    }
}

static void forward_tile(void *context, int64_t task, int slot)
{
    const struct attention *a = context;
    int64_t tiles = sft_divide_up(a->tokens, QUERIES), head = task / tiles, first = task % tiles * QUERIES;
    int64_t queries = sft_min64(QUERIES, a->tokens - first), d = a->depth;
    const float *q = a->q + place(a, head, first, a->pitch);
    float *y = a->y + place(a, head, first, a->width), *lse = a->lse + head * a->tokens + first;
    float s[QUERIES * KEYS], top[QUERIES], sum[QUERIES] = {0};
    (void)slot;
    for (int64_t i = 0; i < queries; i++) top[i] = -INFINITY;
    for (int64_t key = 0; key < a->tokens; key += KEYS) {
        int64_t keys = sft_min64(KEYS, a->tokens - key), at = place(a, head, key, a->pitch);
        sft_blas_gemm(false, true, queries, keys, d, q, a->pitch, a->k + at, a->pitch, 0.0f, s, keys);
        soften(a, s, queries, keys, key == 0, top, sum, y);
        sft_blas_gemm(false, false, queries, d, keys, s, keys, a->v + at, a->pitch, key ? 1.0f : 0.0f, y,
                      a->width);
    }
    for (int64_t i = 0; i < queries; i++, y += a->width) {
        float share = 1.0f / sum[i];
        for (int64_t c = 0; c < d; c++) y[c] *= share;
        lse[i] = top[i] + logf(sum[i]);
    }
}

enum sft_status sft_cpu_attention(const struct sft_call *call)
{
    struct attention a = describe(call->graph, call->node, 0);
    set_inputs(&a, call, 0);
    a.y = call->out[0];
    a.lse = call->out[1];
    sft_parallel_for(a.images * a.heads * sft_divide_up(a.tokens, QUERIES), forward_tile, &a);
    return SFT_OK;
}

/* ---- gradient ---- */

/* The tile's p and ds. */
static void tile_slopes(const struct attention *a, int64_t head, int64_t query, int64_t queries, int64_t key,
                        int64_t keys, float *p, float *ds)
{
    const float *dy = a->dy + place(a, head, query, a->width);
    const float *y = a->given_y + place(a, head, query, a->width);
    const float *lse = a->given_lse + head * a->tokens + query;
    int64_t at = place(a, head, key, a->pitch), d = a->depth;
    sft_blas_gemm(false, true, queries, keys, d, a->q + place(a, head, query, a->pitch), a->pitch, a->k + at,
                  a->pitch, 0.0f, p, keys);
    sft_blas_gemm(false, true, queries, keys, d, dy, a->width, a->v + at, a->pitch, 0.0f, ds, keys);
    for (int64_t i = 0; i < queries; i++) {
        float along = 0.0f;
        for (int64_t c = 0; c < d; c++) along += dy[i * a->width + c] * y[i * a->width + c];
        a->rows->attention_grad(p + i * keys, ds + i * keys, keys, a->scale, lse[i], along);
    }
}

/* All queries with the keys from `key` on. `dq` has rows of `pitch` elements and gets the first contribution
 * where `begins`. */
static void key_tile(const struct attention *a, int64_t head, int64_t key, int64_t keys, float *dq,
                     int64_t pitch, bool begins)
{
    float p[QUERIES * KEYS], ds[QUERIES * KEYS];
    const float *k = a->k + place(a, head, key, a->pitch);
    int64_t d = a->depth, out_pitch = 3 * a->width;
    float *dk = a->dqkv + place(a, head, key, out_pitch) + a->width, *dv = dk + a->width;
    for (int64_t query = 0; query < a->tokens; query += QUERIES) {
        int64_t queries = sft_min64(QUERIES, a->tokens - query);
        float more = query ? 1.0f : 0.0f;
        tile_slopes(a, head, query, queries, key, keys, p, ds);
        sft_blas_gemm(true, false, keys, d, queries, p, keys, a->dy + place(a, head, query, a->width),
                      a->width, more, dv, out_pitch);
        sft_blas_gemm(true, false, keys, d, queries, ds, keys, a->q + place(a, head, query, a->pitch),
                      a->pitch, more, dk, out_pitch);
        sft_blas_gemm(false, false, queries, d, keys, ds, keys, k, a->pitch, begins ? 0.0f : 1.0f,
                      dq + query * pitch, pitch);
    }
}

static void gradient_run(void *context, int64_t task, int slot)
{
    const struct attention *a = context;
    int64_t head = task / a->runs, run = task % a->runs, tiles = sft_divide_up(a->tokens, KEYS);
    int64_t first = run * tiles / a->runs * KEYS, last = (run + 1) * tiles / a->runs * KEYS;
    bool whole = a->runs == 1;
    float *dq = whole ? a->dqkv + place(a, head, 0, 3 * a->width) : a->parts + task * a->tokens * a->depth;
    (void)slot;
    for (int64_t key = first; key < sft_min64(last, a->tokens); key += KEYS)
        key_tile(a, head, key, sft_min64(KEYS, a->tokens - key), dq, whole ? 3 * a->width : a->depth,
                 key == first);
}

/* Adds up the parts of a tile of queries' dq. */
static void add_parts(void *context, int64_t task, int slot)
{
    const struct attention *a = context;
    int64_t tiles = sft_divide_up(a->tokens, QUERIES), head = task / tiles, first = task % tiles * QUERIES;
    (void)slot;
    for (int64_t i = first; i < sft_min64(first + QUERIES, a->tokens); i++) {
        const float *part = a->parts + (head * a->runs * a->tokens + i) * a->depth;
        float *dq = a->dqkv + place(a, head, i, 3 * a->width);
        memcpy(dq, part, (size_t)a->depth * sizeof(float));
        for (int64_t run = 1; run < a->runs; run++)
            for (int64_t c = 0; c < a->depth; c++) dq[c] += part[run * a->tokens * a->depth + c];
    }
}

size_t sft_cpu_attention_grad_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    struct attention a = describe(graph, node, 3);
    return a.runs == 1 ? 0 : sizeof(float) * (size_t)(a.images * a.width * a.tokens * a.runs);
}

enum sft_status sft_cpu_attention_grad(const struct sft_call *call)
{
    struct attention a = describe(call->graph, call->node, 3);
    set_inputs(&a, call, 3);
    a.dy = call->in[0];
    a.given_y = call->in[1];
    a.given_lse = call->in[2];
    a.dqkv = call->out[0];
    a.parts = call->scratch;
    sft_parallel_for(a.images * a.heads * a.runs, gradient_run, &a);
    if (a.runs > 1) sft_parallel_for(a.images * a.heads * sft_divide_up(a.tokens, QUERIES), add_parts, &a);
    return SFT_OK;
}
