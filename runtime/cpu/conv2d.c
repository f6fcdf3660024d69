/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Convolution, and its gradient with respect to the input, as a matrix product that is never unfolded. The
 * kernels of gemm_kernel.h take, for each output pixel and tap, a pointer to the input pixel that belongs
 * there (to zeros where it lies in the padding), so one loop serves every stride, padding and dilation and
 * reads the images where they are. Taps in the padding are left out where that is possible: on small images
 * they are much of the work.
 *
 * The gradient with respect to the input is the same gathering: with stride s, the input pixels fall into s x
 * s classes, and within a class every pixel is reached by the same taps. Forward is the case of one class.
 *
 * A 3x3 kernel of stride 1 goes to winograd.h where that is faster.
 *
 * Work is cut by shape only, so results do not depend on the number of threads.
 */
#include <string.h>

#include "runtime/base/parallel.h"
#include "runtime/cpu/gemm_kernel.h"
#include "runtime/cpu/loops.h"
#include "runtime/cpu/winograd.h"
#include "runtime/ops.h"

enum {
    MAX_TAPS = 32,            /* along one axis */
    MAX_POINTERS = 4096,      /* to source pixels in a task; 32 KiB of stack */
    MAX_TILES = 64,           /* of output pixels in a task */
    SOURCE_FLOATS = 96 << 10, /* that the pixels of a task read, where that leaves MIN_TILES of them */
    MIN_TILES = 4,
    MIN_TASKS = 32, /* where there are as many tiles and panels; a task has a part of the columns then */
};

static int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -sft_divide_up(-a, b); }

/* One axis of a class: output position i (0 .. count-1) lies at first + i*step and reads, for its k-th tap,
 * the source at base[k] + i*source_step where that is inside. */
struct axis {
    int64_t count, first, step, source_step, source_size;
    int taps;
    int64_t base[MAX_TAPS];
    int tap[MAX_TAPS]; /* index in the kernel */
};

struct gather {
    const struct sft_gemm_kernel *kernel;
    struct axis axis[2];
    int64_t images, out_size[2];
    int64_t block; /* images whose pixels are taken in turn, by choose_block() */
    const float *source;
    int64_t source_channels;   /* of a pixel */
    int64_t channel, channels; /* of this group: the first, and how many */
    float *out;
    int64_t out_channels;         /* of a pixel */
    int64_t out_channel, columns; /* of this group: the first, and how many */
    const float *packed;          /* [panel][tap][channel][column] */
    int64_t kernel_width, packed_taps;
    const float *zeros, *bias;
    int relu;
    int64_t tiles_per_task, pixels, panels, parts; /* of the columns, dealt out to tasks */
};

static enum sft_status check_taps(const struct sft_shape *weight)
{
    if (weight->dim[0] <= MAX_TAPS && weight->dim[1] <= MAX_TAPS &&
        weight->dim[0] * weight->dim[1] * SFT_MAX_BLOCK_ROWS <= MAX_POINTERS)
        return SFT_OK;
    return sft_fail(SFT_USAGE, "conv2d: a kernel of %dx%d is larger than the CPU backend takes (18x18)",
                    (int)weight->dim[0], (int)weight->dim[1]);
}

/* ---- packed weights ---- */

struct pack {
    const float *weight;
    int64_t tap_stride, row_stride, column_stride, taps, rows, columns;
    float *packed;
    int width; /* of a panel */
};

static void pack_panel(void *context, int64_t panel, int slot)
{
    const struct pack *p = context;
    int64_t first = panel * p->width, valid = sft_min64(p->width, p->columns - first);
    float *to = p->packed + panel * p->taps * p->rows * p->width;
    const float *from = p->weight + first * p->column_stride;
    (void)slot;
    for (int64_t t = 0; t < p->taps; t++, from += p->tap_stride, to += p->rows * p->width)
        sft_gemm_kernel()->pack_columns(from, p->row_stride, p->column_stride, valid, p->rows, to);
}

static int64_t packed_count(int64_t taps, int64_t rows, int64_t columns)
{
    return taps * rows * sft_round_up(columns, sft_gemm_kernel()->columns);
}

/* ---- gathering convolution ---- */

/*
 * Output pixels are numbered by blocks of images and in a block by line, position and image. With a tile's
 * number of images in a block, the pixels of a tile mostly lie at one position and have the same taps in the
 * padding: those are left out. On a 4x4 image that is a third of the work of a 3x3 kernel, on a 2x2 image
 * more than half. On a large image it is little, and a block is one image: pixels beside each other share
 * what they read.
 */
static double share_inside(const struct axis *axis)
{
    int64_t inside = 0;
    for (int t = 0; t < axis->taps; t++)
        for (int64_t i = 0; i < axis->count; i++)
            inside += (uint64_t)(axis->base[t] + i * axis->source_step) < (uint64_t)axis->source_size;
    return axis->taps ? (double)inside / (double)(axis->taps * axis->count) : 1.0;
}

static int64_t choose_block(const struct gather *g)
{
    return share_inside(&g->axis[0]) * share_inside(&g->axis[1]) < 0.9 ? g->kernel->rows : 1;
}

struct run {
    int64_t image, images; /* of the block */
    int64_t line, x, next; /* position in it; image of the block to start with */
    int64_t slot, count;   /* first of the task's pixels; how many of this line */
};

static struct run run_at(const struct gather *g, int64_t m, int64_t left, int64_t slot)
{
    int64_t width = g->axis[1].count, block = g->block * g->axis[0].count * width;
    struct run run = {.image = m / block * g->block, .slot = slot};
    run.images = sft_min64(g->block, g->images - run.image);
    run.line = m % block / (width * run.images);
    m = m % block % (width * run.images);
    run.x = m / run.images;
    run.next = m % run.images;
    run.count = sft_min64(width * run.images - m, left);
    return run;
}

static void point_out(const struct gather *g, const struct run *run, float **out)
{
    const struct axis *v = &g->axis[0], *h = &g->axis[1];
    int64_t line = g->out_size[1] * g->out_channels, plane = g->out_size[0] * line, i = run->next;
    float *first = g->out + run->image * plane + (v->first + run->line * v->step) * line + g->out_channel;
    float *pixel = first + (h->first + run->x * h->step) * g->out_channels;
    for (int64_t u = 0; u < run->count; u++) {
        out[run->slot + u] = pixel + i * plane;
        if (++i == run->images) {
            i = 0;
            pixel += h->step * g->out_channels;
        }
    }
}

/* source[(tile*taps + tap)*rows + row]: what the tap reads for each pixel of the run. */
static void point_tap(const struct gather *g, const struct run *run, int tap, const float **source)
{
    const struct axis *v = &g->axis[0], *h = &g->axis[1];
    int rows = g->kernel->rows, taps = v->taps * h->taps;
    int64_t plane = v->source_size * h->source_size * g->source_channels, i = run->next, m = run->slot % rows;
    int64_t y = v->base[tap / h->taps] + run->line * v->source_step;
    int64_t x = h->base[tap % h->taps] + run->x * h->source_step;
    bool inside = (uint64_t)y < (uint64_t)v->source_size;
    const float *row =
        g->source + run->image * plane + g->channel + (inside ? y : 0) * h->source_size * g->source_channels;
    int64_t at = i * plane + x * g->source_channels,
            back = h->source_step * g->source_channels - run->images * plane;
    const float **to = source + (run->slot / rows * taps + tap) * rows;
    for (int64_t u = 0; u < run->count; u++, at += plane) {
        to[m] = inside && (uint64_t)x < (uint64_t)h->source_size ? row + at : g->zeros;
        if (++m == rows) {
            m = 0;
            to += (int64_t)taps * rows;
        }
        if (++i == run->images) {
            i = 0;
            x += h->source_step;
            at += back;
        }
    }
}

static void point(const struct gather *g, int64_t m0, int64_t m1, const float **source, float **out)
{
    int taps = g->axis[0].taps * g->axis[1].taps;
    for (int64_t m = m0; m < m1;) {
        struct run run = run_at(g, m, m1 - m, m - m0);
        point_out(g, &run, out);
        for (int t = 0; t < taps; t++) point_tap(g, &run, t, source);
        m += run.count;
    }
}

static void fill_tail(const struct gather *g, int64_t count, const float **source)
{
    int rows = g->kernel->rows, taps = g->axis[0].taps * g->axis[1].taps;
    int64_t tile = count / rows;
    if (count % rows == 0) return;
    for (int t = 0; t < taps; t++)
        for (int64_t m = count % rows; m < rows; m++) source[(tile * taps + t) * rows + m] = g->zeros;
}

/* Moves the taps of a tile that reach any pixel to the front, with where their weights lie, and returns their
 * number.
 */
static int used_taps(const struct gather *g, const int64_t *weight, const float **tile, int64_t *tile_weight)
{
    int rows = g->kernel->rows;
    int taps = g->axis[0].taps * g->axis[1].taps;
    int used = 0;
    for (int t = 0; t < taps; t++) {
        const float **from = tile + t * rows, **to = tile + used * rows;
        bool reaches = false;
        for (int m = 0; m < rows && !reaches; m++) reaches = from[m] != g->zeros;
        if (!reaches) continue;
        if (to != from) memcpy(to, from, (size_t)rows * sizeof(*to));
        tile_weight[used++] = weight[t];
    }
    return used;
}

/* Where the weights of each tap lie in a panel. */
static void place_weights(const struct gather *g, int64_t *weight)
{
    const struct axis *v = &g->axis[0], *h = &g->axis[1];
    for (int r = 0; r < v->taps; r++)
        for (int s = 0; s < h->taps; s++)
            *weight++ = (v->tap[r] * g->kernel_width + h->tap[s]) * g->channels * g->kernel->columns;
}

/* The block of one tile and panel, whose weights of a tap lie at packed + weight[tap]. */
static void run_tile(const struct gather *g, const float *const *source, const int64_t *weight, int taps,
                     const struct sft_block_store *store)
{
    const float *w[MAX_TAPS * MAX_TAPS];
    const float *packed = g->packed + store->column * g->packed_taps * g->channels;
    for (int t = 0; t < taps; t++) w[t] = packed + weight[t];
    g->kernel->indirect(taps, g->channels, source, w, store);
}

static void gather_task(void *context, int64_t task, int slot)
{
    const struct gather *g = context;
    const struct sft_gemm_kernel *k = g->kernel;
    const float *source[MAX_POINTERS];
    float *out[MAX_TILES * SFT_MAX_BLOCK_ROWS];
    int64_t weight[MAX_TAPS * MAX_TAPS], tile_weight[MAX_POINTERS];
    int64_t taps = (int64_t)g->axis[0].taps * g->axis[1].taps;
    int used[MAX_TILES];
    int64_t part = task % g->parts, m0 = task / g->parts * g->tiles_per_task * k->rows,
            m1 = sft_min64(m0 + g->tiles_per_task * k->rows, g->pixels);
    int64_t tiles = sft_divide_up(m1 - m0, k->rows);
    (void)slot;
    point(g, m0, m1, source, out);
    fill_tail(g, m1 - m0, source);
    place_weights(g, weight);
    for (int64_t i = 0; i < tiles; i++)
        used[i] = used_taps(g, weight, source + i * taps * k->rows, tile_weight + i * taps);
    for (int64_t panel = part * g->panels / g->parts; panel < (part + 1) * g->panels / g->parts; panel++)
        for (int64_t i = 0; i < tiles; i++) {
            struct sft_block_store store = {
                .row = out + i * k->rows,
                .column = panel * k->columns,
                .rows = (int)sft_min64(k->rows, m1 - m0 - i * k->rows),
                .columns = (int)sft_min64(k->columns, g->columns - panel * k->columns),
                .bias = g->bias,
                .relu = g->relu,
            };
            run_tile(g, source + i * taps * k->rows, tile_weight + i * taps, used[i], &store);
        }
}

static void run_gather(struct gather *g)
{
    int64_t taps = sft_max64(1, (int64_t)g->axis[0].taps * g->axis[1].taps), rows = g->kernel->rows, blocks;
    int64_t most = sft_min64(MAX_TILES, MAX_POINTERS / (taps * rows));
    g->block = choose_block(g);
    g->pixels = g->images * g->axis[0].count * g->axis[1].count;
    g->panels = sft_divide_up(g->columns, g->kernel->columns);
    g->tiles_per_task = sft_max64(MIN_TILES, SOURCE_FLOATS / (taps * rows * g->channels));
    g->tiles_per_task = sft_max64(1, sft_min64(most, g->tiles_per_task));
    blocks = sft_divide_up(g->pixels, g->tiles_per_task * rows);
    g->parts = sft_max64(1, sft_min64(g->panels, sft_divide_up(MIN_TASKS, sft_max64(1, blocks))));
    sft_parallel_for(blocks * g->parts, gather_task, g);
}

/* ---- forward ---- */

size_t sft_cpu_conv2d_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    const struct sft_conv2d_params *params = SFT_NODE_PARAMS(struct sft_conv2d_params, node);
    const struct sft_shape *w = sft_in_shape(graph, node, 1);
    struct sft_winograd conv;
    if (sft_winograd_takes(params, sft_in_shape(graph, node, 0), sft_out_shape(graph, node, 0), w, &conv))
        return sft_winograd_scratch(&conv);
    return sizeof(float) *
           (size_t)(packed_count(w->dim[0] * w->dim[1], w->dim[2], w->dim[3] / params->groups) + w->dim[2]);
}

/* Every pixel of one axis and all taps. */
static struct axis forward_axis(const struct sft_conv2d_params *params, int a, int taps, int64_t size,
                                int64_t source_size)
{
    struct axis axis = {
        .count = size,
        .step = 1,
        .source_step = params->stride[a],
        .source_size = source_size,
        .taps = taps,
    };
    for (int r = 0; r < taps; r++) {
        axis.base[r] = (int64_t)r * params->dilation[a] - params->pad[a];
        axis.tap[r] = r;
    }
    return axis;
}

enum sft_status sft_cpu_conv2d(const struct sft_call *call)
{
    const struct sft_conv2d_params *params = SFT_NODE_PARAMS(struct sft_conv2d_params, call->node);
    const struct sft_shape *x = sft_in_shape(call->graph, call->node, 0);
    const struct sft_shape *w = sft_in_shape(call->graph, call->node, 1);
    const struct sft_shape *y = sft_out_shape(call->graph, call->node, 0);
    int64_t taps = w->dim[0] * w->dim[1], columns = w->dim[3] / params->groups;
    float *zeros = call->scratch, *packed = zeros + w->dim[2];
    struct sft_winograd conv;
    struct gather g = {
        .kernel = sft_gemm_kernel(),
        .images = x->dim[0],
        .out_size = {y->dim[1], y->dim[2]},
        .source = call->in[0],
        .source_channels = x->dim[3],
        .channels = w->dim[2],
        .out = call->out[0],
        .out_channels = w->dim[3],
        .columns = columns,
        .packed = packed,
        .kernel_width = w->dim[1],
        .packed_taps = taps,
        .zeros = zeros,
        .relu = params->relu,
    };
    if (sft_winograd_takes(params, x, y, w, &conv)) {
        conv.bias = call->in[2];
        return sft_winograd_run(&conv, call);
    }
    SFT_TRY(check_taps(w));
    memset(zeros, 0, (size_t)w->dim[2] * sizeof(float));
    for (int a = 0; a < 2; a++)
        g.axis[a] = forward_axis(params, a, (int)w->dim[a], y->dim[1 + a], x->dim[1 + a]);
    for (int group = 0; group < params->groups; group++) {
        struct pack pack = {
            .weight = (const float *)call->in[1] + group * columns,
            .tap_stride = w->dim[2] * w->dim[3],
            .row_stride = w->dim[3],
            .column_stride = 1,
            .taps = taps,
            .rows = w->dim[2],
            .columns = columns,
            .packed = packed,
            .width = g.kernel->columns,
        };
        sft_parallel_for(sft_divide_up(columns, pack.width), pack_panel, &pack);
        g.channel = group * w->dim[2];
        g.out_channel = group * columns;
        g.bias = call->in[2] ? (const float *)call->in[2] + g.out_channel : NULL;
        run_gather(&g);
    }
    return SFT_OK;
}

/* ---- gradient with respect to the input ---- */

size_t sft_cpu_conv2d_dx_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    const struct sft_conv2d_params *params = SFT_NODE_PARAMS(struct sft_conv2d_params, node);
    const struct sft_shape *w = sft_in_shape(graph, node, 1);
    int64_t k = w->dim[3] / params->groups;
    struct sft_winograd conv;
    if (sft_winograd_takes_dx(params, sft_out_shape(graph, node, 0), sft_in_shape(graph, node, 0), w, &conv))
        return sft_winograd_scratch(&conv);
    return sizeof(float) * (size_t)(packed_count(w->dim[0] * w->dim[1], k, w->dim[2]) + k);
}

/* The pixels first, first + stride, ... of one axis and the taps that reach them. */
static struct axis class_axis(const struct sft_conv2d_params *params, int a, int64_t first, int64_t taps,
                              int64_t size, int64_t source_size)
{
    struct axis axis = {.count = sft_divide_up(size - first, params->stride[a]),
                        .first = first,
                        .step = params->stride[a],
                        .source_step = 1,
                        .source_size = source_size};
    for (int r = 0; r < taps; r++) {
        int64_t reach = first + params->pad[a] - (int64_t)r * params->dilation[a];
        if (reach % params->stride[a]) continue;
        axis.base[axis.taps] = floor_div(reach, params->stride[a]);
        axis.tap[axis.taps++] = r;
    }
    return axis;
}

static void run_classes(struct gather *g, const struct sft_conv2d_params *params, const struct sft_shape *dy,
                        const struct sft_shape *w)
{
    for (int64_t i = 0; i < sft_min64(params->stride[0], g->out_size[0]); i++)
        for (int64_t j = 0; j < sft_min64(params->stride[1], g->out_size[1]); j++) {
            g->axis[0] = class_axis(params, 0, i, w->dim[0], g->out_size[0], dy->dim[1]);
            g->axis[1] = class_axis(params, 1, j, w->dim[1], g->out_size[1], dy->dim[2]);
            run_gather(g);
        }
}

enum sft_status sft_cpu_conv2d_dx(const struct sft_call *call)
{
    const struct sft_conv2d_params *params = SFT_NODE_PARAMS(struct sft_conv2d_params, call->node);
    const struct sft_shape *dy = sft_in_shape(call->graph, call->node, 0);
    const struct sft_shape *w = sft_in_shape(call->graph, call->node, 1);
    const struct sft_shape *dx = sft_out_shape(call->graph, call->node, 0);
    int64_t taps = w->dim[0] * w->dim[1], k = w->dim[3] / params->groups;
    float *zeros = call->scratch, *packed = zeros + k;
    struct sft_winograd conv;
    struct gather g = {
        .kernel = sft_gemm_kernel(),
        .images = dx->dim[0],
        .out_size = {dx->dim[1], dx->dim[2]},
        .source = call->in[0],
        .source_channels = w->dim[3],
        .channels = k,
        .out = call->out[0],
        .out_channels = dx->dim[3],
        .columns = w->dim[2],
        .packed = packed,
        .kernel_width = w->dim[1],
        .packed_taps = taps,
        .zeros = zeros,
    };
    if (sft_winograd_takes_dx(params, dx, dy, w, &conv)) return sft_winograd_run(&conv, call);
    SFT_TRY(check_taps(w));
    memset(zeros, 0, (size_t)k * sizeof(float));
    for (int group = 0; group < params->groups; group++) {
        struct pack pack = {
            .weight = (const float *)call->in[1] + group * k,
            .tap_stride = w->dim[2] * w->dim[3],
            .row_stride = 1,
            .column_stride = w->dim[3],
            .taps = taps,
            .rows = k,
            .columns = w->dim[2],
            .packed = packed,
            .width = g.kernel->columns,
        };
        sft_parallel_for(sft_divide_up(w->dim[2], pack.width), pack_panel, &pack);
        g.channel = group * k;
        g.out_channel = group * w->dim[2];
        run_classes(&g, params, dy, w);
    }
    return SFT_OK;
}
