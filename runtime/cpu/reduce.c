/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "runtime/base/parallel.h"
#include "runtime/cpu/loops.h"
#include "runtime/ops.h"

/* ---- sum_to ---- */

/* The leading axes of x are cut into blocks; each block adds into a partial result of its own, and the
 * partial results are added in order. */
enum { SUM_BLOCKS = 32, NORM_BLOCK = 65536, NORM_BLOCKS = 4096 };

struct sum {
    const float *x;
    float *y, *partial;
    float scale;
    int64_t rows, inner, blocks, out_count;
    int64_t stride[SFT_MAX_RANK]; /* of y along each axis of x */
    struct sft_shape shape;
};

static void sum_block(void *context, int64_t block, int slot)
{
    const struct sum *s = context;
    float *y = s->partial + block * s->out_count;
    int64_t step = s->shape.rank ? s->stride[s->shape.rank - 1] : 0;
    (void)slot;
    memset(y, 0, (size_t)s->out_count * sizeof(float));
    for (int64_t row = block * s->rows / s->blocks; row < (block + 1) * s->rows / s->blocks; row++) {
        const float *x = s->x + row * s->inner;
        int64_t rest = row, offset = 0;
        for (int i = s->shape.rank - 2; i >= 0; i--) {
            offset += rest % s->shape.dim[i] * s->stride[i];
            rest /= s->shape.dim[i];
        }
        if (step)
            for (int64_t i = 0; i < s->inner; i++) y[offset + i] += x[i];
        else
            y[offset] += (float)sft_cpu_sum(x, s->inner);
    }
}

static void sum_finish(void *context, int64_t first, int64_t last)
{
    const struct sum *s = context;
    for (int64_t i = first; i < last; i++) {
        float total = 0.0f;
        for (int64_t block = 0; block < s->blocks; block++) total += s->partial[block * s->out_count + i];
        s->y[i] = s->scale * total;
    }
}

/* Few results: many blocks. Many results: few rows go into each, and one block is enough. */
static int64_t sum_blocks(int64_t rows, int64_t in_count, int64_t out_count)
{
    int64_t blocks = in_count / (4 * out_count + 4096);
    if (blocks > SUM_BLOCKS) blocks = SUM_BLOCKS;
    if (blocks > rows) blocks = rows;
    return blocks < 1 ? 1 : blocks;
}

static int64_t sum_rows(const struct sft_shape *x)
{
    return x->rank ? sft_shape_count(x) / x->dim[x->rank - 1] : 1;
}

size_t sft_cpu_sum_to_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    int64_t out = sft_out_count(graph, node, 0);
    return sizeof(float) * (size_t)(out * sum_blocks(sum_rows(x), sft_shape_count(x), out));
}

enum sft_status sft_cpu_sum_to(const struct sft_call *call)
{
    const struct sft_sum_to_params *params = SFT_NODE_PARAMS(struct sft_sum_to_params, call->node);
    struct sum s = {.x = call->in[0],
                    .y = call->out[0],
                    .partial = call->scratch,
                    .scale = params->scale,
                    .shape = *sft_in_shape(call->graph, call->node, 0)};
    s.out_count = sft_cpu_broadcast_strides(&params->shape, &s.shape, s.stride);
    s.rows = sum_rows(&s.shape);
    s.inner = sft_shape_count(&s.shape) / s.rows;
    s.blocks = sum_blocks(s.rows, s.rows * s.inner, s.out_count);
    sft_parallel_for(s.blocks, sum_block, &s);
    sft_cpu_ranges(s.out_count, 1, sum_finish, &s);
    return SFT_OK;
}

/* ---- broadcast_to ---- */

static void broadcast_range(void *context, int64_t first, int64_t last)
{
    const struct sum *s = context;
    int64_t step = s->shape.rank ? s->stride[s->shape.rank - 1] : 0;
    for (int64_t at = first; at < last; at += s->inner) {
        int64_t rest = at / s->inner, offset = 0;
        for (int i = s->shape.rank - 2; i >= 0; i--) {
            offset += rest % s->shape.dim[i] * s->stride[i];
            rest /= s->shape.dim[i];
        }
        for (int64_t i = 0; i < s->inner; i++) s->y[at + i] = s->scale * s->x[offset + i * step];
    }
}

enum sft_status sft_cpu_broadcast_to(const struct sft_call *call)
{
    const struct sft_sum_to_params *params = SFT_NODE_PARAMS(struct sft_sum_to_params, call->node);
    struct sum s = {.x = call->in[0], .y = call->out[0], .scale = params->scale, .shape = params->shape};
    sft_cpu_broadcast_strides(sft_in_shape(call->graph, call->node, 0), &s.shape, s.stride);
    s.inner = s.shape.rank ? s.shape.dim[s.shape.rank - 1] : 1;
    sft_cpu_ranges(sft_shape_count(&s.shape), s.inner, broadcast_range, &s);
    return SFT_OK;
}

/* ---- norm2 ---- */

struct norm {
    const float *x;
    double *partial;
    int64_t count, block;
};

static void norm_block(void *context, int64_t block, int slot)
{
    const struct norm *n = context;
    int64_t first = block * n->block, last = first + n->block < n->count ? first + n->block : n->count;
    (void)slot;
    n->partial[block] = sft_cpu_sum_squares(n->x + first, last - first);
}

static int64_t norm_block_size(int64_t count)
{
    int64_t block = sft_divide_up(count, NORM_BLOCKS);
    return block < NORM_BLOCK ? NORM_BLOCK : block;
}

size_t sft_cpu_norm2_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    int64_t count = sft_in_count(graph, node, 0), block = norm_block_size(count);
    return sizeof(double) * (size_t)(sft_divide_up(count, block));
}

enum sft_status sft_cpu_norm2(const struct sft_call *call)
{
    struct norm n = {
        .x = call->in[0], .partial = call->scratch, .count = sft_in_count(call->graph, call->node, 0)};
    double total = 0.0;
    int64_t blocks;
    n.block = norm_block_size(n.count);
    blocks = sft_divide_up(n.count, n.block);
    sft_parallel_for(blocks, norm_block, &n);
    for (int64_t i = 0; i < blocks; i++) total += n.partial[i];
    *(float *)call->out[0] =
        (float)sqrt(total) + SFT_NODE_PARAMS(struct sft_norm2_params, call->node)->epsilon;
    return SFT_OK;
}
