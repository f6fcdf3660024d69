/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cpu/winograd.h"

#include <string.h>

#include "runtime/base/parallel.h"
#include "runtime/cpu/gemm_kernel.h"
#include "runtime/cpu/loops.h"
#include "runtime/cpu/winograd_kernel.h"

enum {
    ELEMENTS = SFT_WINOGRAD_ELEMENTS,
    CHANNEL_MULTIPLE = 32, /* whole vectors and panels for every instruction set */
    BLOCK = 48,            /* tiles whose products are made together; a multiple of the kernels' rows */
    LANES = 16,            /* tasks, each with a buffer for a block */
    FILTER_CHANNELS = 16,  /* whose filters are transformed at a time: a cache line of a turned filter */
    DW_BLOCK = 24,         /* tiles that a task of the weight gradient transforms */
    DW_MAX_TILES = 768,    /* of a chunk */
    DW_CHUNK_FLOATS = 2 << 20,
    LINE = 16,                                       /* floats of a cache line */
    M_STRIDE = BLOCK * SFT_MAX_BLOCK_COLUMNS + LINE, /* of products, from an element to the next */
};

/* ---- which convolutions ---- */

/* Pairs of an output position and a tap along an axis that lie inside the source. */
static int64_t pairs_inside(const struct sft_winograd *c, int axis)
{
    int64_t count = 0;
    for (int64_t i = 0; i < c->out_size[axis]; i++)
        for (int64_t r = 0; r < 3; r++)
            count += (uint64_t)(i + r - c->pad[axis]) < (uint64_t)c->source_size[axis];
    return count;
}

/* The transforms cost about as much as a quarter of the products that remain. */
static bool is_faster(const struct sft_winograd *c)
{
    int64_t tiles = sft_divide_up(c->out_size[0], 2) * sft_divide_up(c->out_size[1], 2);
    if (c->channels % CHANNEL_MULTIPLE || c->columns % CHANNEL_MULTIPLE || c->pad[0] < 0 || c->pad[1] < 0)
        return false;
    return tiles * ELEMENTS * 5 / 4 < pairs_inside(c, 0) * pairs_inside(c, 1);
}

bool sft_winograd_takes(const struct sft_conv2d_params *params, const struct sft_shape *x,
                        const struct sft_shape *y, const struct sft_shape *w, struct sft_winograd *conv)
{
    *conv = (struct sft_winograd){
        .images = x->dim[0],
        .channels = x->dim[3],
        .columns = y->dim[3],
        .source_size = {x->dim[1], x->dim[2]},
        .out_size = {y->dim[1], y->dim[2]},
        .pad = {params->pad[0], params->pad[1]},
        .tap_stride = w->dim[2] * w->dim[3],
        .row_stride = w->dim[3],
        .column_stride = 1,
        .relu = params->relu,
    };
    return w->dim[0] == 3 && w->dim[1] == 3 && params->stride[0] == 1 && params->stride[1] == 1 &&
           params->dilation[0] == 1 && params->dilation[1] == 1 && params->groups == 1 && is_faster(conv);
}

bool sft_winograd_takes_dx(const struct sft_conv2d_params *params, const struct sft_shape *dx,
                           const struct sft_shape *dy, const struct sft_shape *w, struct sft_winograd *conv)
{
    struct sft_conv2d_params turned = *params;
    bool takes;
    for (int a = 0; a < 2; a++) turned.pad[a] = 2 - params->pad[a];
    takes = sft_winograd_takes(&turned, dy, dx, w, conv);
    conv->row_stride = 1;
    conv->column_stride = w->dim[3];
    conv->flipped = true;
    conv->relu = 0;
    return takes;
}

static void set_operands(struct sft_winograd *conv, const struct sft_call *call)
{
    conv->source = call->in[0];
    conv->weight = call->in[1];
    conv->out = call->out[0];
}

/* ---- tiles ---- */

struct work {
    const struct sft_winograd *conv;
    const struct sft_gemm_kernel *gemm;
    const struct sft_winograd_kernel *kernel;
    int64_t tiles, across, down, panels;
    const float *zeros;
    float *u, *v, *z;                     /* transformed filters, sources, gradients of the result */
    int64_t u_stride, v_stride, z_stride; /* from an element to the next */
    int64_t blocks, parts;                /* of the tiles, and of the panels where blocks are few */
    int64_t lanes, first, chunk;
};

/* A transform touches all elements of a tile at once: they must not lie a power of two apart, where they
 * would push each other out of the cache. */
static int64_t spread(int64_t floats) { return floats + LINE; }

static struct work make_work(const struct sft_winograd *conv)
{
    struct work w = {.conv = conv,
                     .gemm = sft_gemm_kernel(),
                     .kernel = sft_winograd_kernel(),
                     .down = sft_divide_up(conv->out_size[0], 2),
                     .across = sft_divide_up(conv->out_size[1], 2)};
    w.tiles = conv->images * w.down * w.across;
    w.panels = conv->columns / w.gemm->columns;
    w.blocks = sft_divide_up(w.tiles, BLOCK);
    w.parts = sft_min64(w.panels, sft_divide_up(LANES, w.blocks));
    w.lanes = sft_min64(LANES, w.blocks * w.parts);
    w.chunk = DW_CHUNK_FLOATS / (ELEMENTS * (conv->channels + conv->columns)) / DW_BLOCK * DW_BLOCK;
    w.chunk = sft_min64(sft_max64(DW_BLOCK, sft_min64(w.chunk, DW_MAX_TILES)), w.tiles);
    w.u_stride = spread(conv->channels * conv->columns);
    w.v_stride = spread(BLOCK * conv->channels);
    return w;
}

/* The same for the gradient with respect to the weight, whose tiles are those of a chunk. */
static struct work make_dw_work(const struct sft_winograd *conv)
{
    struct work w = make_work(conv);
    w.v_stride = spread(w.chunk * conv->channels);
    w.z_stride = spread(w.chunk * conv->columns);
    return w;
}

/* Where the count x count pixels from (y, x) on lie in (N,H,W,channels); -1 outside of the image. */
static void locate(const int64_t size[2], int64_t channels, int64_t image, int64_t y, int64_t x, int count,
                   int64_t *at)
{
    for (int i = 0; i < count; i++)
        for (int j = 0; j < count; j++) {
            bool inside = (uint64_t)(y + i) < (uint64_t)size[0] && (uint64_t)(x + j) < (uint64_t)size[1];
            at[i * count + j] = inside ? ((image * size[0] + y + i) * size[1] + x + j) * channels : -1;
        }
}

static void transform_source(const struct work *w, int64_t tile, float *v, int64_t stride)
{
    const struct sft_winograd *c = w->conv;
    int64_t column = tile % w->across, line = tile / w->across, at[16];
    const float *pixel[16];
    locate(c->source_size, c->channels, line / w->down, line % w->down * 2 - c->pad[0],
           column * 2 - c->pad[1], 4, at);
    for (int i = 0; i < 16; i++) pixel[i] = at[i] < 0 ? w->zeros : c->source + at[i];
    w->kernel->input(pixel, c->channels, v, stride);
}

static void locate_result(const struct work *w, int64_t tile, int64_t at[4])
{
    int64_t column = tile % w->across, line = tile / w->across;
    locate(w->conv->out_size, w->conv->columns, line / w->down, line % w->down * 2, column * 2, 2, at);
}

/* ---- filters ---- */

/* g[channel][tap][column] of a panel's filters from some channel on, in the order in which they lie. */
static void gather_filters(const struct sft_winograd *c, const float *weight, int64_t channels, int64_t width,
                           float *g)
{
    for (int t = 0; t < 9; t++, g += width) {
        const float *from = weight + (c->flipped ? 8 - t : t) * c->tap_stride;
        if (c->column_stride == 1)
            for (int64_t i = 0; i < channels; i++)
                memcpy(g + i * 9 * width, from + i * c->row_stride, (size_t)width * sizeof(float));
        else
            for (int64_t j = 0; j < width; j++)
                for (int64_t i = 0; i < channels; i++)
                    g[i * 9 * width + j] = from[i * c->row_stride + j * c->column_stride];
    }
}

/* u[element][panel][channel][column] of a panel and FILTER_CHANNELS channels. */
static void transform_filters(void *context, int64_t task, int slot)
{
    const struct work *w = context;
    const struct sft_winograd *c = w->conv;
    int64_t width = w->gemm->columns, parts = sft_divide_up(c->channels, FILTER_CHANNELS);
    int64_t panel = task / parts, first = task % parts * FILTER_CHANNELS;
    int64_t channels = sft_min64(FILTER_CHANNELS, c->channels - first);
    const float *from = c->weight + first * c->row_stride + panel * width * c->column_stride;
    float g[FILTER_CHANNELS * 9 * SFT_MAX_BLOCK_COLUMNS];
    (void)slot;
    gather_filters(c, from, channels, width, g);
    for (int64_t i = 0; i < channels; i++)
        w->kernel->filter(g + i * 9 * width, width, w->u + (panel * c->channels + first + i) * width,
                          w->u_stride);
}

/* ---- convolution ---- */

/* m[element][tile][column] of a panel for `count` tiles whose v[element][tile][channel] is given. */
static void multiply(const struct work *w, const float *v, int64_t panel, int64_t count, float *m)
{
    const struct sft_gemm_kernel *k = w->gemm;
    const struct sft_winograd *c = w->conv;
    for (int64_t e = 0; e < ELEMENTS; e++) {
        const float *u = w->u + e * w->u_stride + panel * c->channels * k->columns;
        for (int64_t tile = 0; tile < count; tile += k->rows) {
            const float *source[SFT_MAX_BLOCK_ROWS];
            float *row[SFT_MAX_BLOCK_ROWS];
            struct sft_block_store store = {
                .row = row, .rows = (int)sft_min64(k->rows, count - tile), .columns = k->columns};
            for (int i = 0; i < k->rows; i++) {
                source[i] = v + e * w->v_stride + (tile + (i < store.rows ? i : 0)) * c->channels;
                row[i] = m + e * M_STRIDE + (tile + i) * k->columns;
            }
            k->indirect(1, c->channels, source, &u, &store);
        }
    }
}

static void run_block(const struct work *w, int64_t task, float *v)
{
    const struct sft_winograd *c = w->conv;
    int64_t first = task / w->parts * BLOCK, part = task % w->parts;
    int64_t count = sft_min64(BLOCK, w->tiles - first), width = w->gemm->columns;
    float m[ELEMENTS * M_STRIDE];
    for (int64_t i = 0; i < count; i++) transform_source(w, first + i, v + i * c->channels, w->v_stride);
    for (int64_t panel = part * w->panels / w->parts; panel < (part + 1) * w->panels / w->parts; panel++) {
        multiply(w, v, panel, count, m);
        for (int64_t i = 0; i < count; i++) {
            int64_t at[4];
            float *y[4];
            locate_result(w, first + i, at);
            for (int p = 0; p < 4; p++) y[p] = at[p] < 0 ? NULL : c->out + at[p] + panel * width;
            w->kernel->output(m + i * width, M_STRIDE, c->bias ? c->bias + panel * width : NULL, c->relu, y);
        }
    }
}

static void run_lane(void *context, int64_t lane, int slot)
{
    const struct work *w = context;
    (void)slot;
    for (int64_t task = lane; task < w->blocks * w->parts; task += w->lanes)
        run_block(w, task, w->v + lane * ELEMENTS * w->v_stride);
}

size_t sft_winograd_scratch(const struct sft_winograd *conv)
{
    struct work w = make_work(conv);
    return sizeof(float) * (size_t)(conv->channels + ELEMENTS * w.u_stride + w.lanes * ELEMENTS * w.v_stride);
}

enum sft_status sft_winograd_run(struct sft_winograd *conv, const struct sft_call *call)
{
    struct work w = make_work(conv);
    float *zeros = call->scratch;
    set_operands(conv, call);
    memset(zeros, 0, (size_t)conv->channels * sizeof(float));
    w.zeros = zeros;
    w.u = zeros + conv->channels;
    w.v = w.u + ELEMENTS * w.u_stride;
    sft_parallel_for(sft_divide_up(conv->channels, FILTER_CHANNELS) * w.panels, transform_filters, &w);
    sft_parallel_for(w.lanes, run_lane, &w);
    return SFT_OK;
}

/* ---- gradient with respect to the weight ---- */

/* v[element][tile][channel] and z[element][panel][tile][column] of some tiles of the chunk. */
static void transform_tiles(void *context, int64_t task, int slot)
{
    const struct work *w = context;
    const struct sft_winograd *c = w->conv;
    int64_t width = w->gemm->columns, chunk = sft_min64(w->chunk, w->tiles - w->first);
    (void)slot;
    for (int64_t i = task * DW_BLOCK; i < sft_min64((task + 1) * DW_BLOCK, chunk); i++) {
        const float *dy[4];
        int64_t at[4];
        transform_source(w, w->first + i, w->v + i * c->channels, w->v_stride);
        locate_result(w, w->first + i, at);
        for (int64_t panel = 0; panel < w->panels; panel++) {
            for (int p = 0; p < 4; p++) dy[p] = at[p] < 0 ? w->zeros : c->weight + at[p] + panel * width;
            w->kernel->output_gradient(dy, w->z + (panel * w->chunk + i) * width, w->z_stride);
        }
    }
}

/* Adds the chunk's part to u[element][panel][channel][column] of one element and panel. */
static void multiply_transposed(void *context, int64_t task, int slot)
{
    const struct work *w = context;
    const struct sft_gemm_kernel *k = w->gemm;
    const struct sft_winograd *c = w->conv;
    int64_t element = task / w->panels, panel = task % w->panels,
            count = sft_min64(w->chunk, w->tiles - w->first);
    const float *x[DW_MAX_TILES], *y[DW_MAX_TILES];
    float *row[SFT_MAX_BLOCK_ROWS];
    (void)slot;
    for (int64_t i = 0; i < count; i++) {
        x[i] = w->v + element * w->v_stride + i * c->channels;
        y[i] = w->z + element * w->z_stride + (panel * w->chunk + i) * k->columns;
    }
    for (int64_t channel = 0; channel < c->channels; channel += k->rows) {
        struct sft_block_store store = {.row = row,
                                        .rows = (int)sft_min64(k->rows, c->channels - channel),
                                        .columns = k->columns,
                                        .accumulate = w->first > 0};
        for (int i = 0; i < store.rows; i++)
            row[i] = w->u + element * w->u_stride + (panel * c->channels + channel + i) * k->columns;
        k->outer(count, x, channel, y, 0, &store);
    }
}

static void transform_gradient(void *context, int64_t task, int slot)
{
    const struct work *w = context;
    const struct sft_winograd *c = w->conv;
    int64_t width = w->gemm->columns, panel = task % w->panels, channel = task / w->panels;
    (void)slot;
    w->kernel->filter_gradient(w->u + (panel * c->channels + channel) * width, w->u_stride,
                               c->out + channel * c->row_stride + panel * width, c->tap_stride);
}

size_t sft_winograd_dw_scratch(const struct sft_winograd *conv)
{
    struct work w = make_dw_work(conv);
    return sizeof(float) *
           (size_t)(conv->channels + conv->columns + ELEMENTS * (w.u_stride + w.v_stride + w.z_stride));
}

enum sft_status sft_winograd_dw_run(struct sft_winograd *conv, const struct sft_call *call)
{
    struct work w = make_dw_work(conv);
    float *zeros = call->scratch;
    set_operands(conv, call);
    memset(zeros, 0, (size_t)(conv->channels + conv->columns) * sizeof(float));
    w.zeros = zeros;
    w.u = zeros + conv->channels + conv->columns;
    w.v = w.u + ELEMENTS * w.u_stride;
    w.z = w.v + ELEMENTS * w.v_stride;
    for (w.first = 0; w.first < w.tiles; w.first += w.chunk) {
        sft_parallel_for(sft_divide_up(sft_min64(w.chunk, w.tiles - w.first), DW_BLOCK), transform_tiles, &w);
        sft_parallel_for(ELEMENTS * w.panels, multiply_transposed, &w);
    }
    sft_parallel_for(conv->channels * w.panels, transform_gradient, &w);
    return SFT_OK;
}
