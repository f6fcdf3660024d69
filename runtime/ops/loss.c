/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/op.h"
#include "runtime/ops.h"
#include "runtime/tape.h"

static enum sft_status infer_same(const struct sft_graph *graph, const struct sft_node *node,
                                  struct sft_shape *out, enum sft_dtype *dtype)
{
    (void)dtype;
    out[0] = *sft_in_shape(graph, node, 0);
    if (out[0].rank < 1 || (node->n_in > 1 && !sft_shape_equal(&out[0], sft_in_shape(graph, node, 1))))
        return sft_fail(SFT_USAGE, "%s: shapes do not fit together", node->op->name);
    return SFT_OK;
}

static void cost_rows(const struct sft_graph *graph, const struct sft_node *node, struct sft_cost *cost)
{
    cost->flops = 5.0 * (double)sft_in_count(graph, node, 0);
}

sft_value sft_softmax(struct sft_graph *graph, sft_value x)
{
    return sft_graph_append(graph, &sft_op_softmax, &x, 1, NULL, NULL);
}

static void grad_softmax(struct sft_tape *tape, const struct sft_node *node)
{
    sft_value dy = sft_grad(tape, node->out[0]);
    sft_add_grad(tape, node->in[0], sft_softmax_grad(tape->graph, dy, node->out[0]));
}

const struct sft_op sft_op_softmax = {
    .id = SFT_ID_softmax,
    .name = "softmax",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .infer = infer_same,
    .grad = grad_softmax,
    .cost = cost_rows,
    .in_place = 1,
};

sft_value sft_softmax_grad(struct sft_graph *graph, sft_value dy, sft_value y)
{
    return sft_graph_append(graph, &sft_op_softmax_grad, (sft_value[]){dy, y}, 2, NULL, NULL);
}

const struct sft_op sft_op_softmax_grad = {
    .id = SFT_ID_softmax_grad,
    .name = "softmax_grad",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .infer = infer_same,
    SFT_NO_SECOND_DERIVATIVE,
    .cost = cost_rows,
    .in_place = 3,
};

static enum sft_status check_rows(const struct sft_graph *graph, const struct sft_node *node)
{
    const struct sft_shape *z = sft_in_shape(graph, node, 0);
    int distance = SFT_NODE_PARAMS(struct sft_row_loss_params, node)->distance;
    if (z->rank != 2 || !sft_shape_equal(sft_in_shape(graph, node, 1), &SFT_SHAPE(z->dim[0])) ||
        graph->values[node->in[1]].dtype != SFT_I32)
        return sft_fail(SFT_USAGE, "%s: logits are (N, C), labels (N) int32", node->op->name);
    if (distance < SFT_DISTANCE_OE || distance > SFT_DISTANCE_LOGITNORM)
        return sft_fail(SFT_USAGE, "%s: no such distance (%d)", node->op->name, distance);
    return SFT_OK;
}

sft_value sft_row_loss(struct sft_graph *graph, sft_value logits, sft_value labels,
                       struct sft_row_loss_params params)
{
    return sft_graph_append(graph, &sft_op_row_loss, (sft_value[]){logits, labels}, 2, &params, NULL);
}

static enum sft_status infer_row_loss(const struct sft_graph *graph, const struct sft_node *node,
                                      struct sft_shape *out, enum sft_dtype *dtype)
{
    (void)dtype;
    SFT_TRY(check_rows(graph, node));
    out[0] = SFT_SHAPE(sft_in_shape(graph, node, 0)->dim[0]);
    return SFT_OK;
}

static void grad_row_loss(struct sft_tape *tape, const struct sft_node *node)
{
    sft_value dy = sft_grad(tape, node->out[0]);
    sft_add_grad(tape, node->in[0],
                 sft_row_loss_grad(tape->graph, node->in[0], node->in[1], dy,
                                   *SFT_NODE_PARAMS(struct sft_row_loss_params, node)));
}

const struct sft_op sft_op_row_loss = {
    .id = SFT_ID_row_loss,
    .name = "row_loss",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .params_size = sizeof(struct sft_row_loss_params),
    .infer = infer_row_loss,
    .grad = grad_row_loss,
    .cost = cost_rows,
};

sft_value sft_row_loss_grad(struct sft_graph *graph, sft_value logits, sft_value labels, sft_value dloss,
                            struct sft_row_loss_params params)
{
    return sft_graph_append(graph, &sft_op_row_loss_grad, (sft_value[]){logits, labels, dloss}, 3, &params,
                            NULL);
}

static enum sft_status infer_row_loss_grad(const struct sft_graph *graph, const struct sft_node *node,
                                           struct sft_shape *out, enum sft_dtype *dtype)
{
    (void)dtype;
    SFT_TRY(check_rows(graph, node));
    out[0] = *sft_in_shape(graph, node, 0);
    if (!sft_shape_equal(sft_in_shape(graph, node, 2), &SFT_SHAPE(out[0].dim[0])))
        return sft_fail(SFT_USAGE, "row_loss_grad: dloss is (N)");
    return SFT_OK;
}

const struct sft_op sft_op_row_loss_grad = {
    .id = SFT_ID_row_loss_grad,
    .name = "row_loss_grad",
    .min_in = 3,
    .max_in = 3,
    .n_out = 1,
    .params_size = sizeof(struct sft_row_loss_params),
    .infer = infer_row_loss_grad,
    SFT_NO_SECOND_DERIVATIVE,
    .cost = cost_rows,
};
