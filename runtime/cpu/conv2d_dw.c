/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gradient of a convolution with respect to the weight: for each tap, pixels of the source that it reads
 * times gradients of the outputs that read them. Pixels are split into `splits` parts with a partial gradient
 * each, columns into `strips`; rows of the gradient (group, tap, block of channels) are units, dealt out to
 * `shares` tasks for each part and strip. A task works on a few pixels at a time, whose gradients and whose
 * source's channels it copies: beside each other, they stay in the cache, where pixels a power of two apart
 * push each other out.
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
    STEP_PIXELS = 192, /* that a task works on at a time */
    STRIP_COLUMNS = 256,
    UNIT_CHANNELS = 48, /* of the source in a unit */
    MIN_TASKS = 16,     /* where there is enough work */
    PARTIAL_FLOATS = 4 << 20,
    REDUCE_ELEMENTS = 4096,
    LINE = 16,  /* floats of a cache line */
    AHEAD = 12, /* pixels whose lines are asked for before they are copied */
};

struct dw {
    const struct sft_gemm_kernel *kernel;
    const struct sft_conv2d_params *params;
    const struct sft_shape *x, *dy, *w;
    const float *source, *gradient;
    float *partial, *packed, *out;
    int64_t pixels, per_split, splits, strips, shares, units, blocks, columns, packed_size;
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
    d->strips = sft_divide_up(d->columns, STRIP_COLUMNS);
    d->shares = sft_min64(d->units, sft_divide_up(MIN_TASKS, d->splits * d->strips));
    d->packed_size = STEP_PIXELS * sft_round_up(sft_min64(STRIP_COLUMNS, d->columns), d->kernel->columns);
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
    return sizeof(float) * (size_t)(partial + d.splits * d.strips * d.shares * d.packed_size);
}

/* A strip of the columns of a group: the first, counted from the group's, and their number. */
struct strip {
    int64_t group, first, columns;
};

/* packed[panel][pixel][column] of some pixels' gradients. */
static void pack_gradient(const struct dw *d, const struct strip *strip, int64_t first, int64_t count,
                          float *packed)
{
    int64_t width = d->kernel->columns, whole = strip->columns / width * width;
    for (int64_t p = 0; p < count; p++) {
        const float *from =
            d->gradient + (first + p) * d->w->dim[3] + strip->group * d->columns + strip->first;
        float *to = packed + p * width;
        for (int64_t n = 0; n < whole; n += width, to += count * width)
            memcpy(to, from + n, (size_t)width * sizeof(float));
        if (whole == strip->columns) continue;
        memset(to, 0, (size_t)width * sizeof(float));
        memcpy(to, from + whole, (size_t)(strip->columns - whole) * sizeof(float));
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

/* Copies the unit's channels of each pair to packed[block of rows][pair][row] and points x to the first block
 * of them. `rows` is a constant at each call, so that a copy is a few moves. */
static inline __attribute__((always_inline)) void copy_rows(int64_t rows, int64_t pairs, int64_t channels,
                                                            const float **x, float *packed)
{
    int64_t whole = channels / rows * rows;
    for (int64_t p = 0; p < pairs; p++) {
        const float *from = x[p];
        float *to = packed + p * rows;
        x[p] = to;
        if (p + AHEAD < pairs)
            for (int64_t c = 0; c < channels; c += LINE) __builtin_prefetch(x[p + AHEAD] + c);
        for (int64_t c = 0; c < whole; c += rows, to += pairs * rows)
            memcpy(to, from + c, (size_t)rows * sizeof(float));
        for (int64_t c = whole; c < channels; c++) to[c - whole] = from[c];
    }
}

/* Returns the distance of a block of rows from the next in what x points to. */
static int64_t pack_source(const struct dw *d, int64_t pairs, int64_t channels, const float **x,
                           float *packed)
{
    enum { FEW = 6 };
    int64_t rows = d->kernel->rows;
    if (channels <= rows) return rows;
    if (rows == SFT_MAX_BLOCK_ROWS)
        copy_rows(SFT_MAX_BLOCK_ROWS, pairs, channels, x, packed);
    else if (rows == FEW)
        copy_rows(FEW, pairs, channels, x, packed);
    else
        copy_rows(rows, pairs, channels, x, packed);
    return pairs * rows;
}

static void run_unit(const struct dw *d, int64_t unit, const struct strip *strip, int64_t first,
                     int64_t count, bool accumulate, const float *packed, float *target)
{
    const struct sft_gemm_kernel *k = d->kernel;
    const float *x[STEP_PIXELS], *y[STEP_PIXELS];
    float source[STEP_PIXELS * (UNIT_CHANNELS + SFT_MAX_BLOCK_ROWS)], *row[SFT_MAX_BLOCK_ROWS];
    int64_t taps = d->w->dim[0] * d->w->dim[1], c_count = d->w->dim[2];
    int64_t block = unit % d->blocks, tap = unit / d->blocks % taps;
    int64_t c0 = block * UNIT_CHANNELS, c1 = sft_min64(c0 + UNIT_CHANNELS, c_count);
    int64_t pairs = point_pairs(d, tap, strip->group * c_count + c0, first, count, packed, x, y);
    int64_t step = pack_source(d, pairs, c1 - c0, x, source);
    for (int64_t c = c0; c < c1; c += k->rows) {
        struct sft_block_store store = {
            .row = row, .rows = (int)sft_min64(k->rows, c1 - c), .accumulate = accumulate};
        for (int m = 0; m < store.rows; m++)
            row[m] =
                target + (tap * c_count + c + m) * d->w->dim[3] + strip->group * d->columns + strip->first;
        for (int64_t n = 0; n < strip->columns; n += k->columns) {
            store.column = n;
            store.columns = (int)sft_min64(k->columns, strip->columns - n);
            k->outer(pairs, x, (c - c0) / k->rows * step, y, n * count, &store);
        }
    }
}

static void run_task(void *context, int64_t task, int slot)
{
    const struct dw *d = context;
    int64_t share = task % d->shares, part = task / d->shares % d->strips,
            split = task / d->shares / d->strips;
    int64_t unit0 = share * d->units / d->shares, unit1 = (share + 1) * d->units / d->shares;
    int64_t first = split * d->per_split, last = sft_min64(first + d->per_split, d->pixels);
    struct strip strip = {.first = part * STRIP_COLUMNS};
    float *packed = d->packed + task * d->packed_size;
    float *target = d->splits > 1 ? d->partial + split * sft_shape_count(d->w) : d->out;
    (void)slot;
    strip.columns = sft_min64(STRIP_COLUMNS, d->columns - strip.first);
    for (int64_t p = first; p < last; p += STEP_PIXELS) {
        int64_t count = sft_min64(STEP_PIXELS, last - p);
        strip.group = -1;
        for (int64_t unit = unit0; unit < unit1; unit++) {
            int64_t group = unit / (d->units / d->params->groups);
            if (group != strip.group) {
                strip.group = group;
                pack_gradient(d, &strip, p, count, packed);
            }
            run_unit(d, unit, &strip, p, count, p > first, packed, target);
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
    sft_parallel_for(d.splits * d.strips * d.shares, run_task, &d);
    if (d.splits > 1) sft_parallel_for(sft_divide_up(count, REDUCE_ELEMENTS), add_partials, &d);
    return SFT_OK;
}
