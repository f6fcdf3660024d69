/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/op.h"
#include "runtime/ops.h"

static const char no_grad[] = "optimisers are not differentiated";

static bool hyper_fits(const struct sft_graph *graph, const struct sft_node *node, int input)
{
    return sft_in_count(graph, node, input) == SFT_HYPER_COUNT;
}

sft_value sft_perturb(struct sft_graph *graph, sft_value w, sft_value g, sft_value norm, sft_value hyper)
{
    return sft_graph_append(graph, &sft_op_perturb, (sft_value[]){w, g, norm, hyper}, 4, NULL, NULL);
}

static enum sft_status infer_perturb(const struct sft_graph *graph, const struct sft_node *node,
                                     struct sft_shape *out, enum sft_dtype *dtype)
{
    (void)dtype;
    out[0] = *sft_in_shape(graph, node, 0);
    if (!sft_shape_equal(&out[0], sft_in_shape(graph, node, 1)) || sft_in_count(graph, node, 2) != 1 ||
        !hyper_fits(graph, node, 3))
        return sft_fail(SFT_USAGE, "perturb: shapes do not fit together");
    return SFT_OK;
}

const struct sft_op sft_op_perturb = {
    .id = SFT_ID_perturb,
    .name = "perturb",
    .min_in = 4,
    .max_in = 4,
    .n_out = 1,
    .infer = infer_perturb,
    .no_grad = no_grad,
};

static enum sft_status infer_update(const struct sft_graph *graph, const struct sft_node *node,
                                    struct sft_shape *out, enum sft_dtype *dtype)
{
    (void)out;
    (void)dtype;
    for (int i = 1; i < node->n_in - 1; i++)
        if (sft_in_count(graph, node, i) != sft_in_count(graph, node, 0))
            return sft_fail(SFT_USAGE, "%s: weights, state and gradient have different sizes",
                            node->op->name);
    if (!hyper_fits(graph, node, node->n_in - 1))
        return sft_fail(SFT_USAGE, "%s: hyper-parameters are (%d)", node->op->name, SFT_HYPER_COUNT);
    return SFT_OK;
}

void sft_sgd(struct sft_graph *graph, sft_value w, sft_value v, sft_value g, sft_value hyper,
             struct sft_update_params params)
{
    sft_graph_append(graph, &sft_op_sgd, (sft_value[]){w, v, g, hyper}, 4, &params, NULL);
}

const struct sft_op sft_op_sgd = {
    .id = SFT_ID_sgd,
    .name = "sgd",
    .min_in = 4,
    .max_in = 4,
    .params_size = sizeof(struct sft_update_params),
    .mutates = 3,
    .infer = infer_update,
    .no_grad = no_grad,
};

void sft_adam(struct sft_graph *graph, sft_value w, sft_value m, sft_value v, sft_value g, sft_value hyper,
              struct sft_update_params params)
{
    sft_graph_append(graph, &sft_op_adam, (sft_value[]){w, m, v, g, hyper}, 5, &params, NULL);
}

const struct sft_op sft_op_adam = {
    .id = SFT_ID_adam,
    .name = "adam",
    .min_in = 5,
    .max_in = 5,
    .params_size = sizeof(struct sft_update_params),
    .mutates = 7,
    .infer = infer_update,
    .no_grad = no_grad,
};
