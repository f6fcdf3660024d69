/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/op.h"
#include "runtime/ops.h"

sft_value sft_remove_rank_one(struct sft_graph *graph, sft_value x, sft_value start, int iterations,
                              sft_value *quality)
{
    struct sft_remove_rank_one_params params = {iterations};
    sft_value out[2];
    sft_graph_append(graph, &sft_op_remove_rank_one, (sft_value[]){x, start}, 2, &params, out);
    if (quality) *quality = out[1];
    return out[0];
}

static enum sft_status infer(const struct sft_graph *graph, const struct sft_node *node,
                             struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    (void)dtype;
    if (x->rank < 2) return sft_fail(SFT_USAGE, "remove_rank_one: needs matrices (N, ..., columns)");
    if (SFT_NODE_PARAMS(struct sft_remove_rank_one_params, node)->iterations < 0)
        return sft_fail(SFT_USAGE, "remove_rank_one: a negative number of iterations");
    if (node->in[1] != SFT_NONE && sft_in_count(graph, node, 1) != x->dim[0] * x->dim[x->rank - 1])
        return sft_fail(SFT_USAGE, "remove_rank_one: needs a start vector of x's columns for each matrix");
    out[0] = *x;
    out[1] = SFT_SHAPE(x->dim[0], 2);
    return SFT_OK;
}

static void cost(const struct sft_graph *graph, const struct sft_node *node, struct sft_cost *result)
{
    double rounds = 2.0 * SFT_NODE_PARAMS(struct sft_remove_rank_one_params, node)->iterations + 3.0;
    result->flops = 2.0 * rounds * (double)sft_in_count(graph, node, 0);
}

const struct sft_op sft_op_remove_rank_one = {
    .id = SFT_ID_remove_rank_one,
    .name = "remove_rank_one",
    .min_in = 1,
    .max_in = 2,
    .n_out = 2,
    .params_size = sizeof(struct sft_remove_rank_one_params),
    .infer = infer,
    .no_grad = "scores do not differentiate through it",
    .cost = cost,
};
