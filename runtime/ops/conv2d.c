/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/op.h"
#include "runtime/ops.h"
#include "runtime/tape.h"

static enum sft_status check_params(const struct sft_node *node, const struct sft_conv2d_params *params)
{
    bool fits = params->groups >= 1;
    for (int i = 0; i < 2; i++)
        fits = fits && params->stride[i] >= 1 && params->pad[i] >= 0 && params->dilation[i] >= 1;
    if (fits) return SFT_OK;
    return sft_fail(SFT_USAGE, "%s: stride, dilation and groups must be at least 1, padding at least 0",
                    node->op->name);
}

static int64_t out_size(int64_t in, int64_t kernel, int axis, const struct sft_conv2d_params *params)
{
    int64_t room = in + 2 * params->pad[axis] - params->dilation[axis] * (kernel - 1) - 1;
    return room < 0 ? 0 : room / params->stride[axis] + 1;
}

static enum sft_status misfit(const struct sft_graph *graph, const struct sft_node *node)
{
    char a[SFT_SHAPE_TEXT], b[SFT_SHAPE_TEXT];
    return sft_fail(SFT_USAGE, "%s: %s and %s do not fit together (groups %d)", node->op->name,
                    sft_shape_str(sft_in_shape(graph, node, 0), a),
                    sft_shape_str(sft_in_shape(graph, node, 1), b),
                    SFT_NODE_PARAMS(struct sft_conv2d_params, node)->groups);
}

static double flops(const struct sft_shape *y, const struct sft_shape *weight)
{
    return 2.0 * (double)sft_shape_count(y) * (double)(weight->dim[0] * weight->dim[1] * weight->dim[2]);
}

/* ---- forward ---- */

sft_value sft_conv2d(struct sft_graph *graph, sft_value x, sft_value weight, sft_value bias,
                     struct sft_conv2d_params params)
{
    return sft_graph_append(graph, &sft_op_conv2d, (sft_value[]){x, weight, bias}, 3, &params, NULL);
}

static enum sft_status infer(const struct sft_graph *graph, const struct sft_node *node,
                             struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_conv2d_params *params = SFT_NODE_PARAMS(struct sft_conv2d_params, node);
    const struct sft_shape *x = sft_in_shape(graph, node, 0), *w = sft_in_shape(graph, node, 1);
    const struct sft_shape *bias = sft_in_shape(graph, node, 2);
    (void)dtype;
    SFT_TRY(check_params(node, params));
    if (x->rank != 4 || w->rank != 4 || x->dim[3] != w->dim[2] * params->groups ||
        w->dim[3] % params->groups || (bias->rank >= 0 && !sft_shape_equal(bias, &SFT_SHAPE(w->dim[3]))))
        return misfit(graph, node);
    out[0] = SFT_SHAPE(x->dim[0], out_size(x->dim[1], w->dim[0], 0, params),
                       out_size(x->dim[2], w->dim[1], 1, params), w->dim[3]);
    return out[0].dim[1] && out[0].dim[2] ? SFT_OK : misfit(graph, node);
}

static void grad(struct sft_tape *tape, const struct sft_node *node)
{
    struct sft_conv2d_params params = *SFT_NODE_PARAMS(struct sft_conv2d_params, node);
    struct sft_graph *graph = tape->graph;
    sft_value x = node->in[0], weight = node->in[1], bias = node->in[2];
    sft_value dy = sft_grad(tape, node->out[0]);
    if (params.relu) dy = sft_relu_grad(graph, dy, node->out[0]);
    params.relu = 0;
    if (sft_needs_grad(tape, x)) {
        const struct sft_shape *shape = sft_graph_shape(graph, x);
        params.size[0] = shape->dim[1];
        params.size[1] = shape->dim[2];
        sft_add_grad(tape, x, sft_conv2d_dx(graph, dy, weight, params));
    }
    if (sft_needs_grad(tape, weight)) {
        const struct sft_shape *shape = sft_graph_shape(graph, weight);
        params.size[0] = shape->dim[0];
        params.size[1] = shape->dim[1];
        sft_add_grad(tape, weight, sft_conv2d_dw(graph, x, dy, params));
    }
    if (sft_needs_grad(tape, bias))
        sft_add_grad(tape, bias, sft_sum_to(graph, dy, *sft_graph_shape(graph, bias), 1.0f));
}

static void cost(const struct sft_graph *graph, const struct sft_node *node, struct sft_cost *cost)
{
    cost->flops = flops(sft_out_shape(graph, node, 0), sft_in_shape(graph, node, 1));
}

const struct sft_op sft_op_conv2d = {
    .id = SFT_ID_conv2d,
    .name = "conv2d",
    .min_in = 2,
    .max_in = 3,
    .n_out = 1,
    .params_size = sizeof(struct sft_conv2d_params),
    .infer = infer,
    .grad = grad,
    .cost = cost,
};

/* ---- gradient with respect to the input ---- */

sft_value sft_conv2d_dx(struct sft_graph *graph, sft_value dy, sft_value weight,
                        struct sft_conv2d_params params)
{
    return sft_graph_append(graph, &sft_op_conv2d_dx, (sft_value[]){dy, weight}, 2, &params, NULL);
}

static enum sft_status infer_dx(const struct sft_graph *graph, const struct sft_node *node,
                                struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_conv2d_params *params = SFT_NODE_PARAMS(struct sft_conv2d_params, node);
    const struct sft_shape *dy = sft_in_shape(graph, node, 0), *w = sft_in_shape(graph, node, 1);
    (void)dtype;
    SFT_TRY(check_params(node, params));
    if (dy->rank != 4 || w->rank != 4 || dy->dim[3] != w->dim[3] || w->dim[3] % params->groups ||
        out_size(params->size[0], w->dim[0], 0, params) != dy->dim[1] ||
        out_size(params->size[1], w->dim[1], 1, params) != dy->dim[2])
        return misfit(graph, node);
    out[0] = SFT_SHAPE(dy->dim[0], params->size[0], params->size[1], w->dim[2] * params->groups);
    return SFT_OK;
}

static void cost_dx(const struct sft_graph *graph, const struct sft_node *node, struct sft_cost *cost)
{
    cost->flops = flops(sft_in_shape(graph, node, 0), sft_in_shape(graph, node, 1));
}

const struct sft_op sft_op_conv2d_dx = {
    .id = SFT_ID_conv2d_dx,
    .name = "conv2d_dx",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .params_size = sizeof(struct sft_conv2d_params),
    .infer = infer_dx,
    SFT_NO_SECOND_DERIVATIVE,
    .cost = cost_dx,
};

/* ---- gradient with respect to the weight ---- */

sft_value sft_conv2d_dw(struct sft_graph *graph, sft_value x, sft_value dy, struct sft_conv2d_params params)
{
    return sft_graph_append(graph, &sft_op_conv2d_dw, (sft_value[]){x, dy}, 2, &params, NULL);
}

static enum sft_status infer_dw(const struct sft_graph *graph, const struct sft_node *node,
                                struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_conv2d_params *params = SFT_NODE_PARAMS(struct sft_conv2d_params, node);
    const struct sft_shape *x = sft_in_shape(graph, node, 0), *dy = sft_in_shape(graph, node, 1);
    (void)dtype;
    SFT_TRY(check_params(node, params));
    if (x->rank != 4 || dy->rank != 4 || x->dim[0] != dy->dim[0] || x->dim[3] % params->groups ||
        dy->dim[3] % params->groups || params->size[0] < 1 || params->size[1] < 1 ||
        out_size(x->dim[1], params->size[0], 0, params) != dy->dim[1] ||
        out_size(x->dim[2], params->size[1], 1, params) != dy->dim[2])
        return misfit(graph, node);
    out[0] = SFT_SHAPE(params->size[0], params->size[1], x->dim[3] / params->groups, dy->dim[3]);
    return SFT_OK;
}

static void cost_dw(const struct sft_graph *graph, const struct sft_node *node, struct sft_cost *cost)
{
    cost->flops = flops(sft_in_shape(graph, node, 1), sft_out_shape(graph, node, 0));
}

const struct sft_op sft_op_conv2d_dw = {
    .id = SFT_ID_conv2d_dw,
    .name = "conv2d_dw",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .params_size = sizeof(struct sft_conv2d_params),
    .infer = infer_dw,
    SFT_NO_SECOND_DERIVATIVE,
    .cost = cost_dw,
};
