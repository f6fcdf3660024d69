/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Convolution and its gradients as products without a lowered copy of the image: the shaders find each
 * element of the lowered matrix by its tap and pixel (shaders/lib/conv2d.glsl says how). forward   rows:
 * output pixels   columns: output channels   sum: taps and input channels dx        rows: input pixels
 * columns: input channels    sum: taps and output channels dw        rows: taps and input channels   columns:
 * output channels   sum: output pixels
 */
#include "runtime/ops.h"
#include "runtime/vulkan/ops/gemm.h"

enum { ROWS, COLUMNS, AXES };
enum { TILE_STEP = 8 }; /* STEP in shaders/lib/gemm_tiled.glsl */

/* One direction of a forward or dx dispatch, as in shaders/lib/conv2d.glsl. */
struct axis {
    int64_t grid, first, step, origin, pixel_step, tap_delta, tap_count, tap_first, tap_step;
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
    return (struct axis){.grid = out,
                         .step = 1,
                         .origin = -params->pad[i],
                         .pixel_step = params->stride[i],
                         .tap_delta = params->dilation[i],
                         .tap_count = kernel,
                         .tap_step = 1};
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
    struct axis axis = {.grid = (in - first + stride - 1) / stride,
                        .first = first,
                        .step = stride,
                        .pixel_step = 1,
                        .tap_step = stride / gcd(stride, dilation)};
    while (r < kernel && (first + params->pad[i] - r * dilation) % stride != 0) r++;
    axis.tap_first = r < kernel ? r : 0;
    axis.tap_count = r < kernel ? (kernel - r + axis.tap_step - 1) / axis.tap_step : 0;
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
    int64_t groups = params_of(node)->groups, taps = weight->dim[0] * weight->dim[1],
            depth = in->dim[3] / groups;
    struct sft_vk_gemm gemm = {.rows = out->dim[0] * out->dim[1] * out->dim[2],
                               .columns = out->dim[3] / groups,
                               .depth = depth * taps,
                               .matrices = groups,
                               .transposed_b = backward};
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
    struct sft_vk_gemm whole, gemm; /* gemm: as the device's kernels see it */
    int64_t splits;
    struct sft_vk_operand source, weight, bias, to;
    bool relu;
};

static enum sft_status prepare(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                               const struct sft_node *node, bool backward, struct pixels *pixels)
{
    bool cpu = sft_vk_recorder_limits(recorder)->cpu_device; /* has too few cores to split for */
    sft_value bias = node->n_in > 2 ? node->in[2] : SFT_NONE;
    SFT_TRY(check_sizes(graph, node, sft_in_shape(graph, node, 1)));
    pixels->whole = pixels->gemm = whole_product(graph, node, backward);
    pixels->splits = cpu ? 1 : sft_vk_gemm_splits(&pixels->whole);
    pixels->source = sft_vk_read(node->in[0]);
    pixels->weight = sft_vk_read(node->in[1]);
    pixels->bias = sft_vk_read(pixels->splits > 1 ? SFT_NONE : bias);
    pixels->to = sft_vk_write(node->out[0]);
    pixels->relu = !backward && params_of(node)->relu;
    if (pixels->splits > 1) {
        pixels->to = sft_vk_gemm_parts(&pixels->whole);
        pixels->to.write = true;
        pixels->gemm.vec_d = pixels->gemm.columns % 4 == 0;
    }
    return sft_vk_gemm_untranspose(recorder, &pixels->gemm, &pixels->weight);
}

/* One dispatch over the pixels of the axes. */
static enum sft_status record_pixels(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                     const struct sft_node *node, const struct pixels *pixels,
                                     const struct axis *axes)
{
    const struct sft_vk_limits *limits = sft_vk_recorder_limits(recorder);
    const struct sft_shape *in = sft_in_shape(graph, node, 0), *out = sft_out_shape(graph, node, 0);
    const struct sft_shape *weight = sft_in_shape(graph, node, 1);
    const struct axis *y = &axes[ROWS], *x = &axes[COLUMNS];
    bool backward = pixels->whole.transposed_b, transposed = pixels->gemm.transposed_b;
    int64_t groups = params_of(node)->groups, depth = in->dim[3] / groups, columns = out->dim[3] / groups;
    int64_t sum = depth * y->tap_count * x->tap_count,
            part = (sum / pixels->splits + TILE_STEP) / TILE_STEP * TILE_STEP;
    int64_t tap = backward ? in->dim[3] * columns : depth * out->dim[3]; /* elements of the weight */
    int64_t stride = transposed ? in->dim[3] : backward ? columns : out->dim[3];
    int64_t group = !backward ? columns : transposed ? depth : depth * columns;
    struct sft_vk_gemm gemm = pixels->gemm;
    struct sft_vk_dispatch dispatch = {
        .operands = {pixels->source, pixels->weight, pixels->bias, pixels->to},
        .n_operands = 4,
        .push = {(uint32_t)in->dim[0],
                 pair(y->grid, x->grid),
                 pair(in->dim[1], in->dim[2]),
                 (uint32_t)in->dim[3],
                 (uint32_t)depth,
                 (uint32_t)columns,
                 pair(out->dim[1], out->dim[2]),
                 (uint32_t)out->dim[3],
                 pair(y->first, x->first),
                 pair(y->step, x->step),
                 pair(y->origin, x->origin),
                 pair(y->pixel_step, x->pixel_step),
                 pair(y->tap_delta, x->tap_delta),
                 pair(y->tap_count, x->tap_count),
                 pair(y->tap_first, x->tap_first),
                 pair(y->tap_step, x->tap_step),
                 pair(weight->dim[0], weight->dim[1]),
                 (uint32_t)tap,
                 (uint32_t)group,
                 (uint32_t)stride,
                 pixels->relu && pixels->splits == 1,
                 (uint32_t)pixels->splits,
                 (uint32_t)part},
        .n_push = 23,
    };
    gemm.rows = out->dim[0] * y->grid * x->grid;
    gemm.depth = limits->cpu_device ? depth : sum; /* the CPU family sums tap by tap */
    sft_vk_gemm_plan(&gemm, limits, "conv2d_lanes", "conv2d_tiled", groups * pixels->splits, &dispatch);
    if (!limits->cpu_device) dispatch.spec[dispatch.n_spec++] = depth % TILE_STEP == 0;
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
    return sft_vk_gemm_reduce(recorder, graph, &pixels.whole, node->in[2], node->out[0], pixels.relu);
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

enum sft_status sft_vk_conv2d_dw(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                 const struct sft_node *node)
{
    const struct sft_vk_limits *limits = sft_vk_recorder_limits(recorder);
    const struct sft_conv2d_params *params = params_of(node);
    const struct sft_shape *x = sft_in_shape(graph, node, 0), *dy = sft_in_shape(graph, node, 1);
    const struct sft_shape *dw = sft_out_shape(graph, node, 0);
    struct sft_vk_gemm gemm = dw_product(graph, node);
    int64_t splits = sft_vk_gemm_splits(&gemm), part = (gemm.depth / splits + 4) / 4 * 4;
    struct sft_vk_operand to = splits > 1 ? sft_vk_gemm_parts(&gemm) : sft_vk_write(node->out[0]);
    to.write = true;
    struct sft_vk_dispatch dispatch = {
        .operands = {sft_vk_read(node->in[0]), sft_vk_read(node->in[1]), to},
        .n_operands = 3,
        .push = {(uint32_t)dy->dim[0], pair(dy->dim[1], dy->dim[2]), pair(x->dim[1], x->dim[2]),
                 (uint32_t)x->dim[3], (uint32_t)dw->dim[2], (uint32_t)gemm.columns, (uint32_t)dy->dim[3],
                 pair(params->stride[0], params->stride[1]), pair(params->pad[0], params->pad[1]),
                 pair(params->dilation[0], params->dilation[1]), pair(dw->dim[0], dw->dim[1]),
                 (uint32_t)splits, (uint32_t)part},
        .n_push = 13,
    };
    SFT_TRY(check_sizes(graph, node, dw));
    if (splits > 1) gemm.vec_d = gemm.columns % 4 == 0;
    sft_vk_gemm_plan(&gemm, limits, "conv2d_dw_lanes", "conv2d_dw_tiled", params->groups * splits, &dispatch);
    if (limits->cpu_device) dispatch.spec[dispatch.n_spec++] = dy->dim[2] % 4 == 0;
    SFT_TRY(sft_vk_record(recorder, &dispatch));
    return splits > 1 ? sft_vk_gemm_reduce(recorder, graph, &gemm, SFT_NONE, node->out[0], false) : SFT_OK;
}
