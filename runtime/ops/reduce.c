/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/op.h"
#include "runtime/ops.h"
#include "runtime/tape.h"

static enum sft_status misfit(const struct sft_node *node, const struct sft_shape *small,
                              const struct sft_shape *big)
{
    char a[SFT_SHAPE_TEXT], b[SFT_SHAPE_TEXT];
    return sft_fail(SFT_USAGE, "%s: %s does not broadcast to %s", node->op->name, sft_shape_str(small, a),
                    sft_shape_str(big, b));
}

sft_value sft_sum_to(struct sft_graph *graph, sft_value x, struct sft_shape shape, float scale)
{
    struct sft_sum_to_params params = {shape, scale};
    return sft_graph_append(graph, &sft_op_sum_to, &x, 1, &params, NULL);
}

static enum sft_status infer_sum_to(const struct sft_graph *graph, const struct sft_node *node,
                                    struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    (void)dtype;
    out[0] = SFT_NODE_PARAMS(struct sft_sum_to_params, node)->shape;
    if (!sft_shape_valid(&out[0]) || !sft_shape_broadcasts(&out[0], x, NULL)) return misfit(node, &out[0], x);
    return SFT_OK;
}

static void grad_sum_to(struct sft_tape *tape, const struct sft_node *node)
{
    struct sft_graph *graph = tape->graph;
    sft_value dy = sft_grad(tape, node->out[0]);
    sft_add_grad(tape, node->in[0],
                 sft_broadcast_to(graph, dy, *sft_graph_shape(graph, node->in[0]),
                                  SFT_NODE_PARAMS(struct sft_sum_to_params, node)->scale));
}

static void cost_sum(const struct sft_graph *graph, const struct sft_node *node, struct sft_cost *cost)
{
    cost->flops = (double)sft_in_count(graph, node, 0);
}

const struct sft_op sft_op_sum_to = {
    .id = SFT_ID_sum_to,
    .name = "sum_to",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .params_size = sizeof(struct sft_sum_to_params),
    .infer = infer_sum_to,
    .grad = grad_sum_to,
    .cost = cost_sum,
};

sft_value sft_broadcast_to(struct sft_graph *graph, sft_value x, struct sft_shape shape, float scale)
{
    struct sft_sum_to_params params = {shape, scale};
    return sft_graph_append(graph, &sft_op_broadcast_to, &x, 1, &params, NULL);
}

static enum sft_status infer_broadcast_to(const struct sft_graph *graph, const struct sft_node *node,
                                          struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    (void)dtype;
    out[0] = SFT_NODE_PARAMS(struct sft_sum_to_params, node)->shape;
    if (!sft_shape_valid(&out[0]) || !sft_shape_broadcasts(x, &out[0], NULL)) return misfit(node, x, &out[0]);
    return SFT_OK;
}

static void grad_broadcast_to(struct sft_tape *tape, const struct sft_node *node)
{
    struct sft_graph *graph = tape->graph;
    sft_value dy = sft_grad(tape, node->out[0]);
    sft_add_grad(tape, node->in[0],
                 sft_sum_to(graph, dy, *sft_graph_shape(graph, node->in[0]),
                            SFT_NODE_PARAMS(struct sft_sum_to_params, node)->scale));
}

const struct sft_op sft_op_broadcast_to = {
    .id = SFT_ID_broadcast_to,
    .name = "broadcast_to",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .params_size = sizeof(struct sft_sum_to_params),
    .infer = infer_broadcast_to,
    .grad = grad_broadcast_to,
};

sft_value sft_norm2(struct sft_graph *graph, sft_value x, float epsilon)
{
    struct sft_norm2_params params = {epsilon};
    return sft_graph_append(graph, &sft_op_norm2, &x, 1, &params, NULL);
}

static enum sft_status infer_norm2(const struct sft_graph *graph, const struct sft_node *node,
                                   struct sft_shape *out, enum sft_dtype *dtype)
{
    (void)graph;
    (void)node;
    (void)dtype;
    out[0] = SFT_SHAPE(1);
    return SFT_OK;
}

static void cost_norm2(const struct sft_graph *graph, const struct sft_node *node, struct sft_cost *cost)
{
    cost->flops = 2.0 * (double)sft_in_count(graph, node, 0);
}

const struct sft_op sft_op_norm2 = {
    .id = SFT_ID_norm2,
    .name = "norm2",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .params_size = sizeof(struct sft_norm2_params),
    .infer = infer_norm2,
    .no_grad = "optimisers do not differentiate through the norm",
    .cost = cost_norm2,
};
