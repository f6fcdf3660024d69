/* SPDX-License-Identifier: Apache-2.0 */
/* Weight standardisation. */
#include "runtime/op.h"
#include "runtime/ops.h"
#include "runtime/tape.h"

sft_value sft_weight_standardize(struct sft_graph *graph, sft_value weight, float epsilon, sft_value *rstd)
{
    struct sft_weight_standardize_params params = {epsilon};
    sft_value out[SFT_MAX_OUTPUTS];
    sft_graph_append(graph, &sft_op_weight_standardize, &weight, 1, &params, out);
    if (rstd) *rstd = out[1];
    return out[0];
}

static enum sft_status infer_standardize(const struct sft_graph *graph, const struct sft_node *node,
                                         struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_shape *w = sft_in_shape(graph, node, 0);
    char text[SFT_SHAPE_TEXT];
    (void)dtype;
    if (w->rank < 2)
        return sft_fail(SFT_USAGE, "weight_standardize: %s is no filter", sft_shape_str(w, text));
    out[0] = *w;
    out[1] = SFT_SHAPE(w->dim[w->rank - 1]);
    return SFT_OK;
}

static void grad_standardize(struct sft_tape *tape, const struct sft_node *node)
{
    sft_value dy = sft_grad(tape, node->out[0]);
    sft_add_grad(tape, node->in[0], sft_weight_standardize_grad(tape->graph, dy, node->out[0], node->out[1]));
}

static void cost_standardize(const struct sft_graph *graph, const struct sft_node *node,
                             struct sft_cost *cost)
{
    cost->flops = 6.0 * (double)sft_in_count(graph, node, 0);
}

const struct sft_op sft_op_weight_standardize = {
    .id = SFT_ID_weight_standardize,
    .name = "weight_standardize",
    .min_in = 1,
    .max_in = 1,
    .n_out = 2,
    .params_size = sizeof(struct sft_weight_standardize_params),
    .infer = infer_standardize,
    .grad = grad_standardize,
    .cost = cost_standardize,
};

sft_value sft_weight_standardize_grad(struct sft_graph *graph, sft_value dy, sft_value y, sft_value rstd)
{
    return sft_graph_append(graph, &sft_op_weight_standardize_grad, (sft_value[]){dy, y, rstd}, 3, NULL,
                            NULL);
}

static enum sft_status infer_standardize_grad(const struct sft_graph *graph, const struct sft_node *node,
                                              struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_shape *y = sft_in_shape(graph, node, 1);
    (void)dtype;
    if (y->rank < 2 || !sft_shape_equal(y, sft_in_shape(graph, node, 0)) ||
        !sft_shape_equal(sft_in_shape(graph, node, 2), &SFT_SHAPE(y->dim[y->rank - 1])))
        return sft_fail(SFT_USAGE, "weight_standardize_grad: shapes do not fit together");
    out[0] = *y;
    return SFT_OK;
}

const struct sft_op sft_op_weight_standardize_grad = {
    .id = SFT_ID_weight_standardize_grad,
    .name = "weight_standardize_grad",
    .min_in = 3,
    .max_in = 3,
    .n_out = 1,
    .infer = infer_standardize_grad,
    SFT_NO_SECOND_DERIVATIVE,
    .cost = cost_standardize,
};
