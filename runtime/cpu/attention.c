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

#include "runtime/base/parallel.h"
#include "runtime/cpu/gemm_kernel.h"
#include "runtime/cpu/loops.h"
#include "runtime/cpu/row_kernel.h"
#include "runtime/ops.h"

/* The most of a tile: all 197 tokens of an image of 224 pixels, and multiples of the kernels' blocks. CHUNK
 * of a head's numbers are packed at a time. */
enum { QUERIES = 204, KEYS = 256, CHUNK = 64, ENOUGH_TASKS = 8 };

struct attention {
    const struct sft_row_kernel *rows;
    const struct sft_gemm_kernel *kernel;
    int64_t images, heads, tokens, depth, runs;
    int64_t queries, keys; /* of a tile */
    int64_t width;         /* of y and dy */
    int64_t pitch;         /* of q, k and v */
    float scale;
    const float *q, *k, *v, *dy, *given_y, *given_lse;
    float *y, *lse, *dqkv, *parts;
};

/* Tiles of like size, each at most `most` and a multiple of `unit`. */
static int64_t tile_size(int64_t tokens, int64_t most, int64_t unit)
{
    return sft_round_up(sft_divide_up(tokens, sft_divide_up(tokens, most)), unit);
}

/* `first`: the input that is q; k and v follow. */
static struct attention describe(const struct sft_graph *graph, const struct sft_node *node, int first)
{
    const struct sft_attention_params *params = SFT_NODE_PARAMS(struct sft_attention_params, node);
    const struct sft_shape *q = sft_in_shape(graph, node, first);
    bool packed = node->in[first + 1] == SFT_NONE;
    struct attention a = {.rows = sft_row_kernel(),
                          .kernel = sft_gemm_kernel(),
                          .images = q->dim[0],
                          .heads = params->heads,
                          .tokens = q->dim[1],
                          .width = packed ? q->dim[2] / 3 : q->dim[2],
                          .pitch = q->dim[2],
                          .scale = params->scale};
    a.depth = a.width / a.heads;
    a.queries = tile_size(a.tokens, QUERIES, a.kernel->rows);
    a.keys = tile_size(a.tokens, KEYS, a.kernel->columns);
    a.runs = sft_min64(sft_divide_up(ENOUGH_TASKS, a.images * a.heads), sft_divide_up(a.tokens, a.keys));
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

/* ---- products of tiles: a matrix is its first element and the elements from row to row ---- */

struct matrix {
    float *at;
    int64_t pitch;
};

struct source {
    const float *at;
    int64_t pitch;
};

/* c = a b, or c += a b, of packed columns of b. */
static void times_panels(const struct attention *t, struct source a, int64_t rows, int64_t terms,
                         const float *panel, int64_t columns, struct matrix c, bool accumulate)
{
    const struct sft_gemm_kernel *k = t->kernel;
    const float *from[SFT_MAX_BLOCK_ROWS];
    float *to[SFT_MAX_BLOCK_ROWS];
    struct sft_block_store store = {.row = to, .accumulate = accumulate};
    for (; store.column < columns; store.column += k->columns, panel += terms * k->columns) {
        store.columns = (int)sft_min64(k->columns, columns - store.column);
        for (int64_t r = 0; r < rows; r += k->rows) {
            store.rows = (int)sft_min64(k->rows, rows - r);
            for (int i = 0; i < k->rows; i++) from[i] = a.at + sft_min64(r + i, rows - 1) * a.pitch;
            for (int i = 0; i < store.rows; i++) to[i] = c.at + (r + i) * c.pitch;
            k->indirect(1, terms, from, &panel, &store);
        }
    }
}

/* c (rows,columns) = a b^T of rows with a head's numbers. */
static void times_transposed(const struct attention *t, struct source a, int64_t rows, struct source b,
                             int64_t columns, struct matrix c)
{
    float panels[KEYS * CHUNK];
    for (int64_t i = 0; i < t->depth; i += CHUNK, a.at += CHUNK, b.at += CHUNK) {
        int64_t depth = sft_min64(CHUNK, t->depth - i);
        t->kernel->pack_columns(b.at, 1, b.pitch, columns, depth, panels);
        times_panels(t, a, rows, depth, panels, columns, c, i > 0);
    }
}

/* c = a b, or c += a b: a (rows,terms), and terms rows of b with a head's numbers. */
static void times(const struct attention *t, struct source a, int64_t rows, int64_t terms, struct source b,
                  struct matrix c, bool accumulate)
{
    float panels[KEYS * CHUNK];
    for (int64_t i = 0; i < t->depth; i += CHUNK, b.at += CHUNK, c.at += CHUNK) {
        int64_t columns = sft_min64(CHUNK, t->depth - i);
        t->kernel->pack_columns(b.at, b.pitch, 1, columns, terms, panels);
        times_panels(t, a, rows, terms, panels, columns, c, accumulate);
    }
}

/* c = a^T b, or c += a^T b: a (terms,rows), and terms rows of b with a head's numbers. */
static void transposed_times(const struct attention *t, struct source a, int64_t rows, int64_t terms,
                             struct source b, struct matrix c, bool accumulate)
{
    const struct sft_gemm_kernel *k = t->kernel;
    float panels[QUERIES * CHUNK], *to[SFT_MAX_BLOCK_ROWS];
    const float *x[QUERIES], *y[QUERIES];
    struct sft_block_store store = {.row = to, .accumulate = accumulate};
    for (int64_t p = 0; p < terms; p++) x[p] = a.at + p * a.pitch;
    for (int64_t i = 0; i < t->depth; i += CHUNK, b.at += CHUNK, c.at += CHUNK) {
        int64_t columns = sft_min64(CHUNK, t->depth - i);
        k->pack_columns(b.at, b.pitch, 1, columns, terms, panels);
        for (store.column = 0; store.column < columns; store.column += k->columns) {
            for (int64_t p = 0; p < terms; p++) y[p] = panels + store.column * terms + p * k->columns;
            store.columns = (int)sft_min64(k->columns, columns - store.column);
            for (int64_t r = 0; r < rows; r += k->rows) {
                store.rows = (int)sft_min64(k->rows, rows - r);
                for (int j = 0; j < store.rows; j++) to[j] = c.at + (r + j) * c.pitch;
                k->outer(terms, x, r, y, 0, &store);
            }
        }
    }
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
    int64_t tiles = sft_divide_up(a->tokens, a->queries), head = task / tiles,
            first = task % tiles * a->queries;
    int64_t queries = sft_min64(a->queries, a->tokens - first);
    struct source q = {a->q + place(a, head, first, a->pitch), a->pitch};
    float *y = a->y + place(a, head, first, a->width), *lse = a->lse + head * a->tokens + first;
    float s[QUERIES * KEYS], top[QUERIES], sum[QUERIES] = {0};
    (void)slot;
    for (int64_t i = 0; i < queries; i++) top[i] = -INFINITY;
    for (int64_t key = 0; key < a->tokens; key += a->keys) {
        int64_t keys = sft_min64(a->keys, a->tokens - key), at = place(a, head, key, a->pitch);
        times_transposed(a, q, queries, (struct source){a->k + at, a->pitch}, keys, (struct matrix){s, keys});
        soften(a, s, queries, keys, key == 0, top, sum, y);
        times(a, (struct source){s, keys}, queries, keys, (struct source){a->v + at, a->pitch},
              (struct matrix){y, a->width}, key > 0);
    }
    for (int64_t i = 0; i < queries; i++, y += a->width) {
        float share = 1.0f / sum[i];
        for (int64_t c = 0; c < a->depth; c++) y[c] *= share;
        lse[i] = top[i] + logf(sum[i]);
    }
}

enum sft_status sft_cpu_attention(const struct sft_call *call)
{
    struct attention a = describe(call->graph, call->node, 0);
    set_inputs(&a, call, 0);
    a.y = call->out[0];
    a.lse = call->out[1];
    sft_parallel_for(a.images * a.heads * sft_divide_up(a.tokens, a.queries), forward_tile, &a);
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
    int64_t at = place(a, head, key, a->pitch);
    times_transposed(a, (struct source){a->q + place(a, head, query, a->pitch), a->pitch}, queries,
                     (struct source){a->k + at, a->pitch}, keys, (struct matrix){p, keys});
    times_transposed(a, (struct source){dy, a->width}, queries, (struct source){a->v + at, a->pitch}, keys,
                     (struct matrix){ds, keys});
    for (int64_t i = 0; i < queries; i++) {
        float along = a->rows->dot(dy + i * a->width, y + i * a->width, a->depth);
        a->rows->attention_grad(p + i * keys, ds + i * keys, keys, a->scale, lse[i], along);
    }
}

/* All queries with the keys from `key` on. `dq` has rows of `pitch` elements and gets the first contribution
 * where `begins`. */
static void key_tile(const struct attention *a, int64_t head, int64_t key, int64_t keys, float *dq,
                     int64_t pitch, bool begins)
{
    float p[QUERIES * KEYS], ds[QUERIES * KEYS];
    struct source k = {a->k + place(a, head, key, a->pitch), a->pitch};
    struct matrix dk = {a->dqkv + place(a, head, key, 3 * a->width) + a->width, 3 * a->width};
    struct matrix dv = {dk.at + a->width, dk.pitch};
    for (int64_t query = 0; query < a->tokens; query += a->queries) {
        int64_t queries = sft_min64(a->queries, a->tokens - query);
        struct source q = {a->q + place(a, head, query, a->pitch), a->pitch};
        struct source dy = {a->dy + place(a, head, query, a->width), a->width};
        tile_slopes(a, head, query, queries, key, keys, p, ds);
        transposed_times(a, (struct source){p, keys}, keys, queries, dy, dv, query > 0);
        transposed_times(a, (struct source){ds, keys}, keys, queries, q, dk, query > 0);
        times(a, (struct source){ds, keys}, queries, keys, k, (struct matrix){dq + query * pitch, pitch},
              !begins);
    }
}

static void gradient_run(void *context, int64_t task, int slot)
{
    const struct attention *a = context;
    int64_t head = task / a->runs, run = task % a->runs, tiles = sft_divide_up(a->tokens, a->keys);
    int64_t first = run * tiles / a->runs * a->keys, last = (run + 1) * tiles / a->runs * a->keys;
    bool whole = a->runs == 1;
    float *dq = whole ? a->dqkv + place(a, head, 0, 3 * a->width) : a->parts + task * a->tokens * a->depth;
    (void)slot;
    for (int64_t key = first; key < sft_min64(last, a->tokens); key += a->keys)
        key_tile(a, head, key, sft_min64(a->keys, a->tokens - key), dq, whole ? 3 * a->width : a->depth,
                 key == first);
}

/* Adds up the parts of a tile of queries' dq. */
static void add_parts(void *context, int64_t task, int slot)
{
    const struct attention *a = context;
    int64_t tiles = sft_divide_up(a->tokens, a->queries), head = task / tiles,
            first = task % tiles * a->queries;
    (void)slot;
    for (int64_t i = first; i < sft_min64(first + a->queries, a->tokens); i++) {
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
    if (a.runs > 1) sft_parallel_for(a.images * a.heads * sft_divide_up(a.tokens, a.queries), add_parts, &a);
    return SFT_OK;
}
