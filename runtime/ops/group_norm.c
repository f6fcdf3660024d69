/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/op.h"
#include "runtime/ops.h"
#include "runtime/tape.h"

struct sft_group_norm_out sft_group_norm(struct sft_graph *graph, sft_value x, sft_value gamma,
                                         sft_value beta, sft_value mean, sft_value variance,
                                         struct sft_group_norm_params params)
{
    sft_value out[SFT_MAX_OUTPUTS];
    sft_graph_append(graph, &sft_op_group_norm, (sft_value[]){x, gamma, beta, mean, variance}, 5, &params,
                     out);
    return (struct sft_group_norm_out){out[0], out[1], out[2]};
}

static enum sft_status check_group_norm(const struct sft_graph *graph, const struct sft_node *node, int gamma)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    int64_t groups = SFT_NODE_PARAMS(struct sft_group_norm_params, node)->groups, channels;
    char a[SFT_SHAPE_TEXT], b[SFT_SHAPE_TEXT];
    if (x->rank < 2)
        return sft_fail(SFT_USAGE, "%s: %s has no channels", node->op->name, sft_shape_str(x, a));
    channels = x->dim[x->rank - 1];
    if (groups < 1 || channels % groups)
        return sft_fail(SFT_USAGE, "%s: %d channels do not divide into %d groups", node->op->name,
                        (int)channels, (int)groups);
    for (int i = gamma; i < gamma + 2; i++)
        if (!sft_shape_equal(sft_in_shape(graph, node, i), &SFT_SHAPE(channels)))
            return sft_fail(SFT_USAGE, "%s: gamma or beta %s does not fit %s", node->op->name,
                            sft_shape_str(sft_in_shape(graph, node, i), b), sft_shape_str(x, a));
    return SFT_OK;
}

static bool is_statistic(const struct sft_graph *graph, const struct sft_node *node, int input)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    int64_t groups = SFT_NODE_PARAMS(struct sft_group_norm_params, node)->groups;
    return sft_shape_equal(sft_in_shape(graph, node, input), &SFT_SHAPE(x->dim[0], groups));
}

static enum sft_status infer_group_norm(const struct sft_graph *graph, const struct sft_node *node,
                                        struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_group_norm_params *params = SFT_NODE_PARAMS(struct sft_group_norm_params, node);
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    (void)dtype;
    SFT_TRY(check_group_norm(graph, node, 1));
    if (params->frozen ? !is_statistic(graph, node, 3) || !is_statistic(graph, node, 4)
                       : node->in[3] != SFT_NONE || node->in[4] != SFT_NONE)
        return sft_fail(SFT_USAGE,
                        "group_norm: mean and variance belong to the frozen form and are (N, groups)");
    out[0] = *x;
    out[1] = out[2] = SFT_SHAPE(x->dim[0], params->groups);
    return SFT_OK;
}

/* Whether one op makes the gradient: single pixels, one group. */
static bool is_layer_norm(const struct sft_graph *graph, const struct sft_node *node)
{
    const struct sft_group_norm_params *params = SFT_NODE_PARAMS(struct sft_group_norm_params, node);
    return sft_in_shape(graph, node, 0)->rank == 2 && params->groups == 1 && !params->relu && !params->frozen;
}

static void grad_layer_norm(struct sft_tape *tape, const struct sft_node *node)
{
    sft_value dgamma, dbeta;
    sft_value dx = sft_layer_norm_grad(tape->graph, node->in[0], sft_grad(tape, node->out[0]), node->in[1],
                                       node->out[1], node->out[2], &dgamma, &dbeta);
    sft_add_grad(tape, node->in[0], dx);
    sft_add_grad(tape, node->in[1], dgamma);
    sft_add_grad(tape, node->in[2], dbeta);
}

static void grad_group_norm(struct sft_tape *tape, const struct sft_node *node)
{
    struct sft_group_norm_params params = *SFT_NODE_PARAMS(struct sft_group_norm_params, node);
    struct sft_graph *graph = tape->graph;
    sft_value x = node->in[0], gamma = node->in[1], beta = node->in[2];
    sft_value mean = node->out[1], rstd = node->out[2];
    sft_value dy = sft_grad(tape, node->out[0]);
    sft_value sums = SFT_NONE, dgamma, dbeta;
    bool affine = sft_needs_grad(tape, gamma) || sft_needs_grad(tape, beta);
    if (dy == SFT_NONE) return;
    if (is_layer_norm(graph, node)) {
        grad_layer_norm(tape, node);
        return;
    }
    if (affine || !params.frozen) sums = sft_group_norm_sums(graph, x, dy, gamma, beta, mean, rstd, params);
    if (affine) {
        dbeta = sft_group_norm_dparam(graph, sums, &dgamma);
        sft_add_grad(tape, gamma, dgamma);
        sft_add_grad(tape, beta, dbeta);
    }
    if (sft_needs_grad(tape, x))
        sft_add_grad(tape, x, sft_group_norm_dx(graph, x, dy, gamma, beta, mean, rstd, sums, params));
}

static void cost_norm(const struct sft_graph *graph, const struct sft_node *node, struct sft_cost *cost)
{
    cost->flops = 6.0 * (double)sft_in_count(graph, node, 0);
}

const struct sft_op sft_op_group_norm = {
    .id = SFT_ID_group_norm,
    .name = "group_norm",
    .min_in = 3,
    .max_in = 5,
    .n_out = 3,
    .params_size = sizeof(struct sft_group_norm_params),
    .infer = infer_group_norm,
    .grad = grad_group_norm,
    .cost = cost_norm,
};

sft_value sft_group_norm_sums(struct sft_graph *graph, sft_value x, sft_value dy, sft_value gamma,
                              sft_value beta, sft_value mean, sft_value rstd,
                              struct sft_group_norm_params params)
{
    return sft_graph_append(graph, &sft_op_group_norm_sums, (sft_value[]){x, dy, gamma, beta, mean, rstd}, 6,
                            &params, NULL);
}

static enum sft_status check_group_norm_grad(const struct sft_graph *graph, const struct sft_node *node)
{
    SFT_TRY(check_group_norm(graph, node, 2));
    if (!sft_shape_equal(sft_in_shape(graph, node, 0), sft_in_shape(graph, node, 1)) ||
        !is_statistic(graph, node, 4) || !is_statistic(graph, node, 5))
        return sft_fail(SFT_USAGE, "%s: dy, mean or rstd does not fit x", node->op->name);
    return SFT_OK;
}

static struct sft_shape sums_shape(const struct sft_shape *x)
{
    return SFT_SHAPE(2, x->dim[0], x->dim[x->rank - 1]);
}

static enum sft_status infer_sums(const struct sft_graph *graph, const struct sft_node *node,
                                  struct sft_shape *out, enum sft_dtype *dtype)
{
    (void)dtype;
    SFT_TRY(check_group_norm_grad(graph, node));
    out[0] = sums_shape(sft_in_shape(graph, node, 0));
    return SFT_OK;
}

const struct sft_op sft_op_group_norm_sums = {
    .id = SFT_ID_group_norm_sums,
    .name = "group_norm_sums",
    .min_in = 6,
    .max_in = 6,
    .n_out = 1,
    .params_size = sizeof(struct sft_group_norm_params),
    .infer = infer_sums,
    SFT_NO_SECOND_DERIVATIVE,
    .cost = cost_norm,
};

sft_value sft_group_norm_dx(struct sft_graph *graph, sft_value x, sft_value dy, sft_value gamma,
                            sft_value beta, sft_value mean, sft_value rstd, sft_value sums,
                            struct sft_group_norm_params params)
{
    return sft_graph_append(graph, &sft_op_group_norm_dx, (sft_value[]){x, dy, gamma, beta, mean, rstd, sums},
                            7, &params, NULL);
}

static enum sft_status infer_dx(const struct sft_graph *graph, const struct sft_node *node,
                                struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    struct sft_shape sums = {.rank = -1};
    (void)dtype;
    SFT_TRY(check_group_norm_grad(graph, node));
    if (node->in[6] != SFT_NONE || !SFT_NODE_PARAMS(struct sft_group_norm_params, node)->frozen)
        sums = sums_shape(x);
    if (!sft_shape_equal(sft_in_shape(graph, node, 6), &sums))
        return sft_fail(SFT_USAGE, "group_norm_dx: sums do not fit x");
    out[0] = *x;
    return SFT_OK;
}

const struct sft_op sft_op_group_norm_dx = {
    .id = SFT_ID_group_norm_dx,
    .name = "group_norm_dx",
    .min_in = 6,
    .max_in = 7,
    .n_out = 1,
    .params_size = sizeof(struct sft_group_norm_params),
    .infer = infer_dx,
    SFT_NO_SECOND_DERIVATIVE,
    .cost = cost_norm,
    .in_place = 2,
};

sft_value sft_group_norm_dparam(struct sft_graph *graph, sft_value sums, sft_value *dgamma)
{
    sft_value out[SFT_MAX_OUTPUTS];
    sft_graph_append(graph, &sft_op_group_norm_dparam, &sums, 1, NULL, out);
    *dgamma = out[1];
    return out[0];
}

static enum sft_status infer_dparam(const struct sft_graph *graph, const struct sft_node *node,
                                    struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_shape *sums = sft_in_shape(graph, node, 0);
    (void)dtype;
    if (sums->rank != 3 || sums->dim[0] != 2)
        return sft_fail(SFT_USAGE, "group_norm_dparam: sums are (2, N, C)");
    out[0] = out[1] = SFT_SHAPE(sums->dim[2]);
    return SFT_OK;
}

const struct sft_op sft_op_group_norm_dparam = {
    .id = SFT_ID_group_norm_dparam,
    .name = "group_norm_dparam",
    .min_in = 1,
    .max_in = 1,
    .n_out = 2,
    .infer = infer_dparam,
    SFT_NO_SECOND_DERIVATIVE,
};

/* ---- the gradient of layer norm ---- */

sft_value sft_layer_norm_grad(struct sft_graph *graph, sft_value x, sft_value dy, sft_value gamma,
                              sft_value mean, sft_value rstd, sft_value *dgamma, sft_value *dbeta)
{
    sft_value out[SFT_MAX_OUTPUTS];
    sft_graph_append(graph, &sft_op_layer_norm_grad, (sft_value[]){x, dy, gamma, mean, rstd}, 5, NULL, out);
    *dgamma = out[1];
    *dbeta = out[2];
    return out[0];
}

static enum sft_status infer_layer(const struct sft_graph *graph, const struct sft_node *node,
                                   struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    (void)dtype;
    if (x->rank != 2 || !sft_shape_equal(sft_in_shape(graph, node, 1), x) ||
        !sft_shape_equal(sft_in_shape(graph, node, 2), &SFT_SHAPE(x->dim[1])) ||
        !sft_shape_equal(sft_in_shape(graph, node, 3), &SFT_SHAPE(x->dim[0], 1)) ||
        !sft_shape_equal(sft_in_shape(graph, node, 4), &SFT_SHAPE(x->dim[0], 1)))
        return sft_fail(SFT_USAGE,
                        "layer_norm_grad: x and dy are (rows, C), gamma (C), mean and rstd (rows, 1)");
    out[0] = *x;
    out[1] = out[2] = SFT_SHAPE(x->dim[1]);
    return SFT_OK;
}

const struct sft_op sft_op_layer_norm_grad = {
    .id = SFT_ID_layer_norm_grad,
    .name = "layer_norm_grad",
    .min_in = 5,
    .max_in = 5,
    .n_out = 3,
    .infer = infer_layer,
    SFT_NO_SECOND_DERIVATIVE,
    .cost = cost_norm,
    .in_place = 2,
};

/* ---- running statistics of batch norm ---- */

void sft_running_update(struct sft_graph *graph, sft_value running_mean, sft_value running_variance,
                        sft_value mean, sft_value rstd, struct sft_running_update_params params)
{
    sft_graph_append(graph, &sft_op_running_update, (sft_value[]){running_mean, running_variance, mean, rstd},
                     4, &params, NULL);
}

static enum sft_status infer_running(const struct sft_graph *graph, const struct sft_node *node,
                                     struct sft_shape *out, enum sft_dtype *dtype)
{
    (void)out;
    (void)dtype;
    for (int i = 1; i < 4; i++)
        if (sft_in_count(graph, node, i) != sft_in_count(graph, node, 0))
            return sft_fail(SFT_USAGE, "running_update: statistics of different sizes");
    if (SFT_NODE_PARAMS(struct sft_running_update_params, node)->count < 2)
        return sft_fail(SFT_USAGE,
                        "running_update: batch norm needs more than one value per channel to train");
    return SFT_OK;
}

const struct sft_op sft_op_running_update = {
    .id = SFT_ID_running_update,
    .name = "running_update",
    .min_in = 4,
    .max_in = 4,
    .n_out = 0,
    .params_size = sizeof(struct sft_running_update_params),
    .mutates = 3,
    .infer = infer_running,
    .no_grad = "it is no part of the loss",
};
