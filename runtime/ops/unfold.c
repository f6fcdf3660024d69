/* SPDX-License-Identifier: Apache-2.0 */
/* Patches of an image as rows, and back: each other's adjoint. */
#include "runtime/op.h"
#include "runtime/ops.h"
#include "runtime/tape.h"

static int64_t places(int64_t size, const struct sft_unfold_params *params)
{
    int64_t room = size + 2 * (int64_t)params->pad - params->kernel;
    return room < 0 ? 0 : room / params->stride + 1;
}

/* The shape of the patches of images `x`. */
static enum sft_status patches(const struct sft_node *node, const struct sft_shape *x,
                               const struct sft_unfold_params *params, struct sft_shape *rows)
{
    char text[SFT_SHAPE_TEXT];
    if (x->rank != 4)
        return sft_fail(SFT_USAGE, "%s: %s is no batch of images", node->op->name, sft_shape_str(x, text));
    if (params->kernel < 1 || params->stride < 1 || params->pad < 0 || params->pad >= params->kernel)
        return sft_fail(SFT_USAGE, "%s: kernel and stride must be at least 1, padding less than the kernel",
                        node->op->name);
    *rows = SFT_SHAPE(x->dim[0], places(x->dim[1], params) * places(x->dim[2], params),
                      x->dim[3] * params->kernel * params->kernel);
    if (rows->dim[1] < 1)
        return sft_fail(SFT_USAGE, "%s: %s is smaller than the patch", node->op->name,
                        sft_shape_str(x, text));
    return SFT_OK;
}

sft_value sft_unfold(struct sft_graph *graph, sft_value x, struct sft_unfold_params params)
{
    return sft_graph_append(graph, &sft_op_unfold, &x, 1, &params, NULL);
}

static enum sft_status infer_unfold(const struct sft_graph *graph, const struct sft_node *node,
                                    struct sft_shape *out, enum sft_dtype *dtype)
{
    (void)dtype;
    return patches(node, sft_in_shape(graph, node, 0), SFT_NODE_PARAMS(struct sft_unfold_params, node),
                   &out[0]);
}

static void grad_unfold(struct sft_tape *tape, const struct sft_node *node)
{
    const struct sft_shape *x = sft_in_shape(tape->graph, node, 0);
    struct sft_fold_params params = {*SFT_NODE_PARAMS(struct sft_unfold_params, node),
                                     {x->dim[1], x->dim[2]}};
    sft_add_grad(tape, node->in[0], sft_fold(tape->graph, sft_grad(tape, node->out[0]), params));
}

const struct sft_op sft_op_unfold = {
    .id = SFT_ID_unfold,
    .name = "unfold",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .params_size = sizeof(struct sft_unfold_params),
    .infer = infer_unfold,
    .grad = grad_unfold,
};

sft_value sft_fold(struct sft_graph *graph, sft_value patches, struct sft_fold_params params)
{
    return sft_graph_append(graph, &sft_op_fold, &patches, 1, &params, NULL);
}

static enum sft_status infer_fold(const struct sft_graph *graph, const struct sft_node *node,
                                  struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_fold_params *params = SFT_NODE_PARAMS(struct sft_fold_params, node);
    const struct sft_shape *y = sft_in_shape(graph, node, 0);
    int64_t taps = (int64_t)params->patch.kernel * params->patch.kernel;
    struct sft_shape rows;
    (void)dtype;
    if (y->rank != 3) return sft_fail(SFT_USAGE, "fold: patches are (N, P*Q, C*kernel*kernel)");
    out[0] = SFT_SHAPE(y->dim[0], params->size[0], params->size[1], taps > 0 ? y->dim[2] / taps : 0);
    SFT_TRY(patches(node, &out[0], &params->patch, &rows));
    if (!sft_shape_equal(&rows, y))
        return sft_fail(SFT_USAGE, "fold: the patches do not fit an image of %d x %d", (int)params->size[0],
                        (int)params->size[1]);
    return SFT_OK;
}

static void grad_fold(struct sft_tape *tape, const struct sft_node *node)
{
    sft_add_grad(tape, node->in[0],
                 sft_unfold(tape->graph, sft_grad(tape, node->out[0]),
                            SFT_NODE_PARAMS(struct sft_fold_params, node)->patch));
}

static void cost_fold(const struct sft_graph *graph, const struct sft_node *node, struct sft_cost *cost)
{
    cost->flops = (double)sft_in_count(graph, node, 0);
}

const struct sft_op sft_op_fold = {
    .id = SFT_ID_fold,
    .name = "fold",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .params_size = sizeof(struct sft_fold_params),
    .infer = infer_fold,
    .grad = grad_fold,
    .cost = cost_fold,
};
