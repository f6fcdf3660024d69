/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Convolution and its gradients as products without a lowered copy of the image: the shaders find each
 * element of the lowered matrix by its tap and pixel (shaders/abi/conv2d.h says how).
 *
 *     forward   rows: output pixels             columns: output channels   sum: taps and input channels
 *     dx        rows: input pixels              columns: input channels    sum: taps and output channels
 *     dw        rows: taps and input channels   columns: output channels   sum: output pixels
 */
#include "runtime/base/divide.h"
#include "runtime/ops.h"
#include "runtime/vulkan/ops/gemm.h"
#include "shaders/abi/conv2d.h"
#include "shaders/abi/gemm.h"

SFT_VK_OPERANDS(conv2d_operands, SFT_CONV2D_OPERANDS);
SFT_VK_WORDS(conv2d_words, SFT_CONV2D_WORDS);
SFT_VK_OPERANDS(conv2d_dw_operands, SFT_CONV2D_DW_OPERANDS);
SFT_VK_WORDS(conv2d_dw_words, SFT_CONV2D_DW_WORDS);

enum { ROWS, COLUMNS, AXES };

/* One direction of a forward or dx dispatch: the pairs' halves of shaders/abi/conv2d.h. */
struct axis {
    int64_t grid;
    int64_t first, step;
    int64_t origin, pixel_step;
    int64_t tap_delta, tap_count, tap_first, tap_step;
};

/* Signed halves of a word. */
static uint32_t pair(int64_t rows, int64_t columns)
{
    return ((uint32_t)rows & 0xffffu) | (uint32_t)columns << 16;
}

static const struct sft_conv2d_params *params_of(const struct sft_node *node)
{
    return SFT_NODE_PARAMS(struct sft_conv2d_params, node);
}

/* Everything that is packed into half a word. */
static enum sft_status check_sizes(const struct sft_graph *graph, const struct sft_node *node,
                                   const struct sft_shape *weight)
{
    const struct sft_conv2d_params *params = params_of(node);
    const struct sft_shape *in = sft_in_shape(graph, node, 0), *out = sft_out_shape(graph, node, 0);
    const int64_t limit = 0x7fff;
    for (int i = 0; i < AXES; i++) {
        int64_t reach = params->pad[i] + (int64_t)params->dilation[i] * weight->dim[i];
        if (in->dim[1 + i] <= limit && out->dim[1 + i] <= limit && params->size[i] <= limit &&
            reach <= limit && params->stride[i] <= limit)
            continue;
        return sft_fail(
            SFT_USAGE,
            "%s: the Vulkan kernels take images, kernels, strides and paddings of up to %d pixels a "
            "side; use the CPU backend or smaller images",
            node->op->name, (int)limit);
    }
    return SFT_OK;
}

/* ---- forward and dx ---- */

static struct axis forward_axis(const struct sft_conv2d_params *params, int i, int64_t out, int64_t kernel)
{
    return (struct axis){
        .grid = out,
        .step = 1,
        .origin = -params->pad[i],
        .pixel_step = params->stride[i],
        .tap_delta = params->dilation[i],
        .tap_count = kernel,
        .tap_step = 1,
    };
}

static int64_t gcd(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The input pixels first, first + stride, ... meet the taps r with (first + pad - r*dilation) divisible by
 * the stride.
 */
static struct axis backward_axis(const struct sft_conv2d_params *params, int i, int64_t in, int64_t kernel,
                                 int64_t first)
{
    int64_t stride = params->stride[i], dilation = params->dilation[i], r = 0;
    struct axis axis = {
        .grid = sft_divide_up(in - first, stride),
        .first = first,
        .step = stride,
        .pixel_step = 1,
        .tap_step = stride / gcd(stride, dilation),
    };
    while (r < kernel && (first + params->pad[i] - r * dilation) % stride != 0) r++;
    axis.tap_first = r < kernel ? r : 0;
    axis.tap_count = r < kernel ? sft_divide_up(kernel - r, axis.tap_step) : 0;
    axis.origin = (first + params->pad[i] - axis.tap_first * dilation) / stride;
    axis.tap_delta = -(dilation * axis.tap_step / stride);
    return axis;
}

/* The whole product, as if every tap met every pixel: it decides about splits and scratch memory, for all
 * classes alike. */
static struct sft_vk_gemm whole_product(const struct sft_graph *graph, const struct sft_node *node,
                                        bool backward)
{
    const struct sft_shape *in = sft_in_shape(graph, node, 0), *out = sft_out_shape(graph, node, 0);
    const struct sft_shape *weight = sft_in_shape(graph, node, 1);
    int64_t groups = params_of(node)->groups, depth = in->dim[3] / groups;
    int64_t taps = weight->dim[0] * weight->dim[1];
    struct sft_vk_gemm gemm = {
        .rows = out->dim[0] * out->dim[1] * out->dim[2],
        .columns = out->dim[3] / groups,
        .depth = depth * taps,
        .matrices = groups,
        .transposed_b = backward,
    };
    gemm.vec_a = sft_vk_aligned(graph, node->in[0]) && depth % 4 == 0;
    gemm.vec_b = sft_vk_aligned(graph, node->in[1]) && (backward ? depth : gemm.columns) % 4 == 0;
    gemm.vec_d = sft_vk_aligned(graph, node->out[0]) && gemm.columns % 4 == 0 &&
                 (node->n_in < 3 || node->in[2] == SFT_NONE || sft_vk_aligned(graph, node->in[2]));
    if (backward) {
        gemm.b_matrices = taps;
        gemm.b_columns = weight->dim[2];
        gemm.b_depth = weight->dim[3];
    }
    return gemm;
}

/* What the dispatches of a node have in common. */
struct pixels {
    struct sft_vk_gemm whole;
    struct sft_vk_gemm gemm; /* as the device's kernels see it */
    int64_t splits;
    struct conv2d_operands operands;
    bool relu; /* the kernel's own, not that of the sum of its parts */
};

static bool wants_relu(const struct sft_node *node, bool backward)
{
    return !backward && params_of(node)->relu;
}

static enum sft_status prepare(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                               const struct sft_node *node, bool backward, struct pixels *pixels)
{
    bool cpu = sft_vk_recorder_limits(recorder)->cpu_device; /* has too few cores to split for */
    sft_value bias = node->n_in > 2 ? node->in[2] : SFT_NONE;
    bool split;
    SFT_TRY(check_sizes(graph, node, sft_in_shape(graph, node, 1)));
    pixels->whole = pixels->gemm = whole_product(graph, node, backward);
    pixels->splits = cpu ? 1 : sft_vk_gemm_splits(&pixels->whole);
    split = pixels->splits > 1;
    pixels->relu = wants_relu(node, backward) && !split;
    pixels->operands = (struct conv2d_operands){
        .source = sft_vk_read(node->in[0]),
        .weight = sft_vk_read(node->in[1]),
        .bias = sft_vk_read(split ? SFT_NONE : bias),
        .d = split ? sft_vk_gemm_write_parts(&pixels->whole) : sft_vk_write(node->out[0]),
    };
    if (split) pixels->gemm.vec_d = pixels->gemm.columns % 4 == 0;
    return sft_vk_gemm_untranspose(recorder, &pixels->gemm, &pixels->operands.weight);
}

/* Elements from one tap, group and channel of the weight to the next. */
static void set_weight_steps(struct conv2d_words *words, const struct pixels *pixels, int64_t all_columns)
{
    bool backward = pixels->whole.transposed_b, transposed = pixels->gemm.transposed_b;
    words->weight_tap = backward ? words->channels * words->columns : words->depth * (uint32_t)all_columns;
    if (!backward) {
        words->weight_group = words->columns;
        words->weight_stride = (uint32_t)all_columns;
    } else if (transposed) {
        words->weight_group = words->depth;
        words->weight_stride = words->channels;
    } else {
        words->weight_group = words->depth * words->columns;
        words->weight_stride = words->columns;
    }
}

static void set_axes(struct conv2d_words *words, const struct axis *axes)
{
    const struct axis *y = &axes[ROWS], *x = &axes[COLUMNS];
    words->grid = pair(y->grid, x->grid);
    words->out_first = pair(y->first, x->first);
    words->out_step = pair(y->step, x->step);
    words->origin = pair(y->origin, x->origin);
    words->pixel_step = pair(y->pixel_step, x->pixel_step);
    words->tap_delta = pair(y->tap_delta, x->tap_delta);
    words->tap_count = pair(y->tap_count, x->tap_count);
    words->tap_first = pair(y->tap_first, x->tap_first);
    words->tap_step = pair(y->tap_step, x->tap_step);
}

/* `sum`: the terms of a sum over the taps of `axes`. */
static struct conv2d_words words_of(const struct sft_graph *graph, const struct sft_node *node,
                                    const struct pixels *pixels, const struct axis *axes, int64_t sum)
{
    const struct sft_shape *in = sft_in_shape(graph, node, 0), *out = sft_out_shape(graph, node, 0);
    const struct sft_shape *weight = sft_in_shape(graph, node, 1);
    int64_t groups = params_of(node)->groups;
    struct conv2d_words words = {
        .images = (uint32_t)in->dim[0],
        .size = pair(in->dim[1], in->dim[2]),
        .channels = (uint32_t)in->dim[3],
        .depth = (uint32_t)(in->dim[3] / groups),
        .columns = (uint32_t)(out->dim[3] / groups),
        .out_size = pair(out->dim[1], out->dim[2]),
        .out_channels = (uint32_t)out->dim[3],
        .kernel = pair(weight->dim[0], weight->dim[1]),
        .relu = pixels->relu,
        .splits = (uint32_t)pixels->splits,
        .part = (uint32_t)sft_vk_gemm_part(sum, pixels->splits, SFT_TILE_STEP),
    };
    set_axes(&words, axes);
    set_weight_steps(&words, pixels, out->dim[3]);
    return words;
}

/* One dispatch over the pixels of the axes. */
static enum sft_status record_pixels(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                     const struct sft_node *node, const struct pixels *pixels,
                                     const struct axis *axes)
{
    static const struct sft_vk_gemm_shaders shaders = {.lanes = "conv2d_lanes", .tiled = "conv2d_tiled"};
    const struct sft_vk_limits *limits = sft_vk_recorder_limits(recorder);
    int64_t groups = params_of(node)->groups, depth = sft_in_shape(graph, node, 0)->dim[3] / groups;
    int64_t sum = depth * axes[ROWS].tap_count * axes[COLUMNS].tap_count;
    const struct conv2d_words words = words_of(graph, node, pixels, axes, sum);
    struct sft_vk_gemm gemm = pixels->gemm;
    struct sft_vk_dispatch dispatch = {0};
    SFT_VK_PUSH(&dispatch, pixels->operands, words);
    gemm.rows = words.images * axes[ROWS].grid * axes[COLUMNS].grid;
    gemm.depth = limits->cpu_device ? depth : sum; /* the CPU family sums tap by tap */
    sft_vk_gemm_plan(&gemm, limits, &shaders, groups * pixels->splits, &dispatch);
    if (!limits->cpu_device)
        sft_vk_specialise(&dispatch, SFT_CONV2D_WHOLE_TAPS_ID, depth % SFT_TILE_STEP == 0);
    return sft_vk_record(recorder, &dispatch);
}

size_t sft_vk_conv2d_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    struct sft_vk_gemm gemm = whole_product(graph, node, false);
    return sft_vk_gemm_scratch(&gemm);
}

enum sft_status sft_vk_conv2d(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                              const struct sft_node *node)
{
    const struct sft_shape *weight = sft_in_shape(graph, node, 1), *out = sft_out_shape(graph, node, 0);
    struct pixels pixels;
    struct axis axes[AXES];
    SFT_TRY(prepare(recorder, graph, node, false, &pixels));
    for (int i = 0; i < AXES; i++)
        axes[i] = forward_axis(params_of(node), i, out->dim[1 + i], weight->dim[i]);
    SFT_TRY(record_pixels(recorder, graph, node, &pixels, axes));
    if (pixels.splits == 1) return SFT_OK;
    return sft_vk_gemm_reduce(recorder, graph, &pixels.whole, node->in[2], node->out[0],
                              wants_relu(node, false));
}

size_t sft_vk_conv2d_dx_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    struct sft_vk_gemm gemm = whole_product(graph, node, true);
    return sft_vk_gemm_scratch(&gemm);
}

enum sft_status sft_vk_conv2d_dx(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                 const struct sft_node *node)
{
    const struct sft_conv2d_params *params = params_of(node);
    const struct sft_shape *weight = sft_in_shape(graph, node, 1), *out = sft_out_shape(graph, node, 0);
    struct pixels pixels;
    struct axis axes[AXES];
    SFT_TRY(prepare(recorder, graph, node, true, &pixels));
    for (int64_t i = 0; i < params->stride[ROWS] && i < out->dim[1]; i++) {
        axes[ROWS] = backward_axis(params, ROWS, out->dim[1], weight->dim[0], i);
        for (int64_t j = 0; j < params->stride[COLUMNS] && j < out->dim[2]; j++) {
            axes[COLUMNS] = backward_axis(params, COLUMNS, out->dim[2], weight->dim[1], j);
            SFT_TRY(record_pixels(recorder, graph, node, &pixels, axes));
        }
    }
    if (pixels.splits == 1) return SFT_OK;
    return sft_vk_gemm_reduce(recorder, graph, &pixels.whole, SFT_NONE, node->out[0], false);
}

/* ---- dw ---- */

static struct sft_vk_gemm dw_product(const struct sft_graph *graph, const struct sft_node *node)
{
    const struct sft_shape *dy = sft_in_shape(graph, node, 1), *dw = sft_out_shape(graph, node, 0);
    int64_t groups = params_of(node)->groups;
    struct sft_vk_gemm gemm = {
        .rows = dw->dim[0] * dw->dim[1] * dw->dim[2],
        .columns = dw->dim[3] / groups,
        .depth = dy->dim[0] * dy->dim[1] * dy->dim[2],
        .matrices = groups,
        .transposed_a = true,
    };
    gemm.vec_a = sft_vk_aligned(graph, node->in[0]) && dw->dim[2] % 4 == 0;
    gemm.vec_b = sft_vk_aligned(graph, node->in[1]) && gemm.columns % 4 == 0;
    gemm.vec_d = sft_vk_aligned(graph, node->out[0]) && gemm.columns % 4 == 0;
    return gemm;
}

size_t sft_vk_conv2d_dw_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    struct sft_vk_gemm gemm = dw_product(graph, node);
    return sft_vk_gemm_scratch(&gemm);
}

static struct conv2d_dw_words dw_words_of(const struct sft_graph *graph, const struct sft_node *node,
                                          const struct sft_vk_gemm *gemm)
{
    const struct sft_conv2d_params *params = params_of(node);
    const struct sft_shape *x = sft_in_shape(graph, node, 0), *dy = sft_in_shape(graph, node, 1);
    const struct sft_shape *dw = sft_out_shape(graph, node, 0);
    int64_t splits = sft_vk_gemm_splits(gemm);
    return (struct conv2d_dw_words){
        .images = (uint32_t)dy->dim[0],
        .grid = pair(dy->dim[1], dy->dim[2]),
        .size = pair(x->dim[1], x->dim[2]),
        .channels = (uint32_t)x->dim[3],
        .depth = (uint32_t)dw->dim[2],
        .columns = (uint32_t)gemm->columns,
        .out_channels = (uint32_t)dy->dim[3],
        .stride = pair(params->stride[0], params->stride[1]),
        .pad = pair(params->pad[0], params->pad[1]),
        .dilation = pair(params->dilation[0], params->dilation[1]),
        .kernel = pair(dw->dim[0], dw->dim[1]),
        .splits = (uint32_t)splits,
        .part = (uint32_t)sft_vk_gemm_part(gemm->depth, splits, 4),
    };
}

enum sft_status sft_vk_conv2d_dw(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                 const struct sft_node *node)
{
    static const struct sft_vk_gemm_shaders shaders = {.lanes = "conv2d_dw_lanes",
                                                       .tiled = "conv2d_dw_tiled"};
    const struct sft_vk_limits *limits = sft_vk_recorder_limits(recorder);
    const struct sft_shape *dy = sft_in_shape(graph, node, 1), *dw = sft_out_shape(graph, node, 0);
    struct sft_vk_gemm gemm = dw_product(graph, node);
    bool split = sft_vk_gemm_splits(&gemm) > 1;
    struct sft_vk_dispatch dispatch = {0};
    const struct conv2d_dw_words words = dw_words_of(graph, node, &gemm);
    const struct conv2d_dw_operands operands = {
        .x = sft_vk_read(node->in[0]),
        .dy = sft_vk_read(node->in[1]),
        .d = split ? sft_vk_gemm_write_parts(&gemm) : sft_vk_write(node->out[0]),
    };
    SFT_TRY(check_sizes(graph, node, dw));
    if (split) gemm.vec_d = gemm.columns % 4 == 0;
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_gemm_plan(&gemm, limits, &shaders, gemm.matrices * words.splits, &dispatch);
    if (limits->cpu_device) sft_vk_specialise(&dispatch, SFT_CONV2D_DW_WHOLE_LINES_ID, dy->dim[2] % 4 == 0);
    SFT_TRY(sft_vk_record(recorder, &dispatch));
    return split ? sft_vk_gemm_reduce(recorder, graph, &gemm, SFT_NONE, node->out[0], false) : SFT_OK;
}
