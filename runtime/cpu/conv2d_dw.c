/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gradient of a convolution with respect to the weight: for each tap, pixels of the source that it reads
 * times gradients of the outputs that read them. Pixels are split into `splits` parts with a partial gradient
 * each; rows of the gradient (group, tap, block of channels) are units, dealt out to `shares` tasks for each
 * part.
 *
 * A 3x3 kernel of stride 1 goes to winograd.h where that is faster. Work is cut by shape only, so results do
 * not depend on the number of threads.
 */
#include <string.h>

#include "runtime/base/parallel.h"
#include "runtime/cpu/gemm_kernel.h"
#include "runtime/cpu/loops.h"
#include "runtime/cpu/winograd.h"
#include "runtime/ops.h"

enum {
    STEP_PIXELS = 128,  /* that a task works on at a time */
    UNIT_CHANNELS = 48, /* of the source in a unit */
    MIN_TASKS = 16,     /* where there is enough work */
    PARTIAL_FLOATS = 4 << 20,
    REDUCE_ELEMENTS = 4096,
};

struct dw {
    const struct sft_gemm_kernel *kernel;
    const struct sft_conv2d_params *params;
    const struct sft_shape *x, *dy, *w;
    const float *source, *gradient;
    float *partial, *packed, *out;
    int64_t pixels, per_split, splits, shares, units, blocks, columns, packed_size;
};

static void plan(struct dw *d)
{
    int64_t count = sft_shape_count(d->w), taps = d->w->dim[0] * d->w->dim[1];
    d->kernel = sft_gemm_kernel();
    d->columns = d->w->dim[3] / d->params->groups;
    d->blocks = sft_divide_up(d->w->dim[2], UNIT_CHANNELS);
    d->units = d->params->groups * taps * d->blocks;
    d->pixels = d->dy->dim[0] * d->dy->dim[1] * d->dy->dim[2];
    d->splits = sft_max64(
        1, sft_min64(sft_min64(2 * MIN_TASKS, d->pixels / (4 * STEP_PIXELS)), PARTIAL_FLOATS / count));
    d->per_split = sft_round_up(sft_divide_up(d->pixels, d->splits), STEP_PIXELS);
    d->splits = sft_divide_up(d->pixels, d->per_split);
    d->shares = sft_max64(1, sft_min64(d->units, sft_divide_up(MIN_TASKS, d->splits)));
    if (d->splits >= MIN_TASKS) d->shares = 1;
    d->packed_size = STEP_PIXELS * sft_round_up(d->columns, d->kernel->columns);
}

static struct dw describe(const struct sft_graph *graph, const struct sft_node *node)
{
    struct dw d = {.params = SFT_NODE_PARAMS(struct sft_conv2d_params, node),
                   .x = sft_in_shape(graph, node, 0),
                   .dy = sft_in_shape(graph, node, 1),
                   .w = sft_out_shape(graph, node, 0)};
    plan(&d);
    return d;
}

size_t sft_cpu_conv2d_dw_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    struct dw d = describe(graph, node);
    int64_t partial = d.splits > 1 ? d.splits * sft_shape_count(d.w) : 0;
    struct sft_winograd conv;
    if (sft_winograd_takes(d.params, d.x, d.dy, d.w, &conv)) return sft_winograd_dw_scratch(&conv);
    return sizeof(float) * (size_t)(partial + d.splits * d.shares * d.packed_size);
}

static void pack_gradient(const struct dw *d, int64_t group, int64_t first, int64_t count, float *packed)
{
    int width = d->kernel->columns;
    for (int64_t n = 0; n < d->columns; n += width) {
        int64_t valid = sft_min64(width, d->columns - n);
        const float *from = d->gradient + first * d->w->dim[3] + group * d->columns + n;
        for (int64_t p = 0; p < count; p++, from += d->w->dim[3], packed += width) {
            memcpy(packed, from, (size_t)valid * sizeof(float));
            for (int64_t j = valid; j < width; j++) packed[j] = 0.0f;
        }
    }
}

/* What the tap pairs: source pixels that it reads inside the image, and the gradients of the outputs that
 * read them. Returns their number. */
static int64_t point_pairs(const struct dw *d, int64_t tap, int64_t channel, int64_t first, int64_t count,
                           const float *packed, const float **x, const float **y)
{
    int64_t height = d->x->dim[1], width = d->x->dim[2], channels = d->x->dim[3], q_count = d->dy->dim[2],
            pairs = 0;
    int64_t dr = tap / d->w->dim[1] * d->params->dilation[0] - d->params->pad[0];
    int64_t ds = tap % d->w->dim[1] * d->params->dilation[1] - d->params->pad[1];
    for (int64_t done = 0, run; done < count; done += run) {
        int64_t p = first + done, q = p % q_count, line = p / q_count;
        int64_t row = line % d->dy->dim[1] * d->params->stride[0] + dr;
        run = sft_min64(q_count - q, count - done);
        if (row < 0 || row >= height) continue;
        const float *base = d->source + (line / d->dy->dim[1] * height + row) * width * channels + channel;
        for (int64_t u = 0, s = q * d->params->stride[1] + ds; u < run; u++, s += d->params->stride[1]) {
            if ((uint64_t)s >= (uint64_t)width) continue;
            x[pairs] = base + s * channels;
            y[pairs++] = packed + (done + u) * d->kernel->columns;
        }
    }
    return pairs;
}

static void run_unit(const struct dw *d, int64_t unit, int64_t first, int64_t count, bool accumulate,
                     const float *packed, float *target)
{
    const struct sft_gemm_kernel *k = d->kernel;
    const float *x[STEP_PIXELS], *y[STEP_PIXELS];
    float *row[SFT_MAX_BLOCK_ROWS];
    int64_t taps = d->w->dim[0] * d->w->dim[1], c_count = d->w->dim[2];
    int64_t block = unit % d->blocks, tap = unit / d->blocks % taps, group = unit / d->blocks / taps;
    int64_t c0 = block * UNIT_CHANNELS, c1 = sft_min64(c0 + UNIT_CHANNELS, c_count);
    int64_t pairs = point_pairs(d, tap, group * c_count + c0, first, count, packed, x, y);
    for (int64_t c = c0; c < c1; c += k->rows) {
        struct sft_block_store store = {
            .row = row, .rows = (int)sft_min64(k->rows, c1 - c), .accumulate = accumulate};
        for (int m = 0; m < store.rows; m++)
            row[m] = target + (tap * c_count + c + m) * d->w->dim[3] + group * d->columns;
        for (int64_t n = 0; n < d->columns; n += k->columns) {
            store.column = n;
            store.columns = (int)sft_min64(k->columns, d->columns - n);
            k->outer(pairs, x, c - c0, y, n * count, &store);
        }
    }
}

static void run_task(void *context, int64_t task, int slot)
{
    const struct dw *d = context;
    int64_t split = task / d->shares, share = task % d->shares;
    int64_t unit0 = share * d->units / d->shares, unit1 = (share + 1) * d->units / d->shares;
    int64_t first = split * d->per_split, last = sft_min64(first + d->per_split, d->pixels), group = -1;
    float *packed = d->packed + task * d->packed_size;
    float *target = d->splits > 1 ? d->partial + split * sft_shape_count(d->w) : d->out;
    (void)slot;
    for (int64_t p = first; p < last; p += STEP_PIXELS, group = -1) {
        int64_t count = sft_min64(STEP_PIXELS, last - p);
        for (int64_t unit = unit0; unit < unit1; unit++) {
            int64_t of = unit / (d->units / d->params->groups);
            if (of != group) pack_gradient(d, group = of, p, count, packed);
            run_unit(d, unit, p, count, p > first, packed, target);
        }
    }
}

static void add_partials(void *context, int64_t task, int slot)
{
    const struct dw *d = context;
    int64_t count = sft_shape_count(d->w), first = task * REDUCE_ELEMENTS,
            last = sft_min64(first + REDUCE_ELEMENTS, count);
    (void)slot;
    memcpy(d->out + first, d->partial + first, (size_t)(last - first) * sizeof(float));
    for (int64_t split = 1; split < d->splits; split++)
        for (int64_t i = first; i < last; i++) d->out[i] += d->partial[split * count + i];
}

enum sft_status sft_cpu_conv2d_dw(const struct sft_call *call)
{
    struct dw d = describe(call->graph, call->node);
    int64_t count = sft_shape_count(d.w);
    struct sft_winograd conv;
    if (sft_winograd_takes(d.params, d.x, d.dy, d.w, &conv)) return sft_winograd_dw_run(&conv, call);
    d.source = call->in[0];
    d.gradient = call->in[1];
    d.out = call->out[0];
    d.partial = call->scratch;
    d.packed = d.partial + (d.splits > 1 ? d.splits * count : 0);
    sft_parallel_for(d.splits * d.shares, run_task, &d);
    if (d.splits > 1) sft_parallel_for(sft_divide_up(count, REDUCE_ELEMENTS), add_partials, &d);
    return SFT_OK;
}
