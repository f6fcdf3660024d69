/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/op.h"
#include "runtime/ops.h"
#include "runtime/tape.h"

static int64_t pooled(int64_t size, int axis, const struct sft_pool_params *params)
{
    int64_t room = size + 2 * params->pad[axis] - params->kernel[axis];
    return room < 0 ? 0 : room / params->stride[axis] + 1;
}

static enum sft_status check(const struct sft_node *node, const struct sft_shape *x)
{
    const struct sft_pool_params *params = SFT_NODE_PARAMS(struct sft_pool_params, node);
    char text[SFT_SHAPE_TEXT];
    if (x->rank != 4)
        return sft_fail(SFT_USAGE, "%s: %s is no batch of images", node->op->name, sft_shape_str(x, text));
    for (int i = 0; i < 2; i++)
        if (params->kernel[i] < 1 || params->stride[i] < 1 || params->pad[i] < 0 ||
            params->pad[i] >= params->kernel[i])
            return sft_fail(SFT_USAGE,
                            "%s: kernel and stride must be at least 1, padding less than the kernel",
                            node->op->name);
    return SFT_OK;
}

static enum sft_status infer_forward(const struct sft_graph *graph, const struct sft_node *node,
                                     struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_pool_params *params = SFT_NODE_PARAMS(struct sft_pool_params, node);
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    char text[SFT_SHAPE_TEXT];
    SFT_TRY(check(node, x));
    out[0] = out[1] =
        SFT_SHAPE(x->dim[0], pooled(x->dim[1], 0, params), pooled(x->dim[2], 1, params), x->dim[3]);
    dtype[1] = SFT_I32;
    if (out[0].dim[1] < 1 || out[0].dim[2] < 1)
        return sft_fail(SFT_USAGE, "%s: %s is smaller than the window", node->op->name,
                        sft_shape_str(x, text));
    return SFT_OK;
}

static enum sft_status infer_backward(const struct sft_graph *graph, const struct sft_node *node,
                                      struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_pool_params *params = SFT_NODE_PARAMS(struct sft_pool_params, node);
    const struct sft_shape *dy = sft_in_shape(graph, node, 0);
    (void)dtype;
    SFT_TRY(check(node, dy));
    if (pooled(params->size[0], 0, params) != dy->dim[1] ||
        pooled(params->size[1], 1, params) != dy->dim[2] ||
        (node->n_in > 1 && !sft_shape_equal(dy, sft_in_shape(graph, node, 1))))
        return sft_fail(SFT_USAGE, "%s: dy does not fit the input's size", node->op->name);
    out[0] = SFT_SHAPE(dy->dim[0], params->size[0], params->size[1], dy->dim[3]);
    return SFT_OK;
}

static struct sft_pool_params with_size(struct sft_tape *tape, const struct sft_node *node)
{
    struct sft_pool_params params = *SFT_NODE_PARAMS(struct sft_pool_params, node);
    const struct sft_shape *x = sft_in_shape(tape->graph, node, 0);
    params.size[0] = x->dim[1];
    params.size[1] = x->dim[2];
    return params;
}

sft_value sft_max_pool(struct sft_graph *graph, sft_value x, struct sft_pool_params params, sft_value *index)
{
    sft_value out[SFT_MAX_OUTPUTS];
    sft_graph_append(graph, &sft_op_max_pool, &x, 1, &params, out);
    if (index) *index = out[1];
    return out[0];
}

static void grad_max_pool(struct sft_tape *tape, const struct sft_node *node)
{
    sft_value dy = sft_grad(tape, node->out[0]);
    sft_add_grad(tape, node->in[0], sft_max_pool_grad(tape->graph, dy, node->out[1], with_size(tape, node)));
}

const struct sft_op sft_op_max_pool = {
    .id = SFT_ID_max_pool,
    .name = "max_pool",
    .min_in = 1,
    .max_in = 1,
    .n_out = 2,
    .params_size = sizeof(struct sft_pool_params),
    .infer = infer_forward,
    .grad = grad_max_pool,
};

sft_value sft_max_pool_grad(struct sft_graph *graph, sft_value dy, sft_value index,
                            struct sft_pool_params params)
{
    return sft_graph_append(graph, &sft_op_max_pool_grad, (sft_value[]){dy, index}, 2, &params, NULL);
}

const struct sft_op sft_op_max_pool_grad = {
    .id = SFT_ID_max_pool_grad,
    .name = "max_pool_grad",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .params_size = sizeof(struct sft_pool_params),
    .infer = infer_backward,
    SFT_NO_SECOND_DERIVATIVE,
};

sft_value sft_avg_pool(struct sft_graph *graph, sft_value x, struct sft_pool_params params)
{
    return sft_graph_append(graph, &sft_op_avg_pool, &x, 1, &params, NULL);
}

static void grad_avg_pool(struct sft_tape *tape, const struct sft_node *node)
{
    sft_value dy = sft_grad(tape, node->out[0]);
    sft_add_grad(tape, node->in[0], sft_avg_pool_grad(tape->graph, dy, with_size(tape, node)));
}

const struct sft_op sft_op_avg_pool = {
    .id = SFT_ID_avg_pool,
    .name = "avg_pool",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .params_size = sizeof(struct sft_pool_params),
    .infer = infer_forward,
    .grad = grad_avg_pool,
};

sft_value sft_avg_pool_grad(struct sft_graph *graph, sft_value dy, struct sft_pool_params params)
{
    return sft_graph_append(graph, &sft_op_avg_pool_grad, &dy, 1, &params, NULL);
}

const struct sft_op sft_op_avg_pool_grad = {
    .id = SFT_ID_avg_pool_grad,
    .name = "avg_pool_grad",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .params_size = sizeof(struct sft_pool_params),
    .infer = infer_backward,
    SFT_NO_SECOND_DERIVATIVE,
};
