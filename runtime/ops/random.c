/* SPDX-License-Identifier: Apache-2.0 */
/* Dropout and normal numbers. */
#include "runtime/op.h"
#include "runtime/ops.h"
#include "runtime/tape.h"

sft_value sft_dropout(struct sft_graph *graph, sft_value x, sft_value key, struct sft_dropout_params params)
{
    return sft_graph_append(graph, &sft_op_dropout, (sft_value[]){x, key}, 2, &params, NULL);
}

static enum sft_status key_fits(const struct sft_graph *graph, const struct sft_node *node, int input)
{
    if (sft_shape_equal(sft_in_shape(graph, node, input), &SFT_SHAPE(4)) &&
        graph->values[node->in[input]].dtype == SFT_I32)
        return SFT_OK;
    return sft_fail(SFT_USAGE, "%s: the key is (4) int32", node->op->name);
}

static enum sft_status infer_dropout(const struct sft_graph *graph, const struct sft_node *node,
                                     struct sft_shape *out, enum sft_dtype *dtype)
{
    float p = SFT_NODE_PARAMS(struct sft_dropout_params, node)->probability;
    (void)dtype;
    out[0] = *sft_in_shape(graph, node, 0);
    if (!(p >= 0.0f && p < 1.0f))
        return sft_fail(SFT_USAGE, "dropout: probability %g is not in [0, 1)", (double)p);
    return key_fits(graph, node, 1);
}

static void grad_dropout(struct sft_tape *tape, const struct sft_node *node)
{
    sft_value dy = sft_grad(tape, node->out[0]);
    sft_add_grad(
        tape, node->in[0],
        sft_dropout(tape->graph, dy, node->in[1], *SFT_NODE_PARAMS(struct sft_dropout_params, node)));
}

const struct sft_op sft_op_dropout = {
    .id = SFT_ID_dropout,
    .name = "dropout",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .params_size = sizeof(struct sft_dropout_params),
    .infer = infer_dropout,
    .grad = grad_dropout,
    .in_place = 1,
};

sft_value sft_normal(struct sft_graph *graph, struct sft_shape shape, sft_value key, uint32_t stream)
{
    struct sft_normal_params params = {shape, stream};
    return sft_graph_append(graph, &sft_op_normal, &key, 1, &params, NULL);
}

static enum sft_status infer_normal(const struct sft_graph *graph, const struct sft_node *node,
                                    struct sft_shape *out, enum sft_dtype *dtype)
{
    (void)dtype;
    out[0] = SFT_NODE_PARAMS(struct sft_normal_params, node)->shape;
    return key_fits(graph, node, 0);
}

static void cost_normal(const struct sft_graph *graph, const struct sft_node *node, struct sft_cost *cost)
{
    cost->flops = 50.0 * (double)sft_out_count(graph, node, 0); /* mostly integer work */
}

const struct sft_op sft_op_normal = {
    .id = SFT_ID_normal,
    .name = "normal",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .params_size = sizeof(struct sft_normal_params),
    .infer = infer_normal,
    .no_grad = "it has no inputs to differentiate by",
    .cost = cost_normal,
};
