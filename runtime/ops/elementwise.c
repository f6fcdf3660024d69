/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise ops. A broadcast operand's gradient is the sum over the axes along which it was repeated. */
#include "runtime/op.h"
#include "runtime/ops.h"
#include "runtime/tape.h"

static enum sft_status infer_same(const struct sft_graph *graph, const struct sft_node *node,
                                  struct sft_shape *out, enum sft_dtype *dtype)
{
    (void)dtype;
    out[0] = *sft_in_shape(graph, node, 0);
    return SFT_OK;
}

static enum sft_status infer_pair(const struct sft_graph *graph, const struct sft_node *node,
                                  struct sft_shape *out, enum sft_dtype *dtype)
{
    char a[SFT_SHAPE_TEXT], b[SFT_SHAPE_TEXT];
    (void)dtype;
    out[0] = *sft_in_shape(graph, node, 0);
    if (!sft_shape_equal(&out[0], sft_in_shape(graph, node, 1)))
        return sft_fail(SFT_USAGE, "%s: shapes %s and %s differ", node->op->name, sft_shape_str(&out[0], a),
                        sft_shape_str(sft_in_shape(graph, node, 1), b));
    return SFT_OK;
}

static enum sft_status infer_broadcast(const struct sft_graph *graph, const struct sft_node *node,
                                       struct sft_shape *out, enum sft_dtype *dtype)
{
    char a[SFT_SHAPE_TEXT], b[SFT_SHAPE_TEXT];
    (void)dtype;
    out[0] = *sft_in_shape(graph, node, 0);
    if (!sft_shape_broadcasts(sft_in_shape(graph, node, 1), &out[0], NULL))
        return sft_fail(SFT_USAGE, "%s: %s does not broadcast to %s", node->op->name,
                        sft_shape_str(sft_in_shape(graph, node, 1), b), sft_shape_str(&out[0], a));
    return SFT_OK;
}

static void cost_1(const struct sft_graph *graph, const struct sft_node *node, struct sft_cost *cost)
{
    cost->flops = (double)sft_out_count(graph, node, 0);
}

static void cost_2(const struct sft_graph *graph, const struct sft_node *node, struct sft_cost *cost)
{
    cost->flops = 2.0 * (double)sft_out_count(graph, node, 0);
}

/* The gradient of an operand that may have been repeated to the output's shape. */
static sft_value reduced(struct sft_tape *tape, sft_value gradient, sft_value operand)
{
    struct sft_graph *graph = tape->graph;
    if (sft_shape_equal(sft_graph_shape(graph, gradient), sft_graph_shape(graph, operand))) return gradient;
    return sft_sum_to(graph, gradient, *sft_graph_shape(graph, operand), 1.0f);
}

/* clang-format off */
/* What a result has the shape of: its operand; the first of two, to which the second broadcasts; both. */
#define UNARY .min_in = 1, .max_in = 1, .n_out = 1, .infer = infer_same, .in_place = 1
#define BROADCAST .min_in = 2, .max_in = 2, .n_out = 1, .infer = infer_broadcast, .in_place = 1
#define PAIR .min_in = 2, .max_in = 2, .n_out = 1, .infer = infer_pair, .in_place = 3
/* clang-format on */

/* ---- add ---- */

sft_value sft_add(struct sft_graph *graph, sft_value a, sft_value b, float alpha)
{
    struct sft_add_params params = {alpha};
    return sft_graph_append(graph, &sft_op_add, (sft_value[]){a, b}, 2, &params, NULL);
}

static void grad_add(struct sft_tape *tape, const struct sft_node *node)
{
    float alpha = SFT_NODE_PARAMS(struct sft_add_params, node)->alpha;
    sft_value dy = sft_grad(tape, node->out[0]), db;
    sft_add_grad(tape, node->in[0], dy);
    if (!sft_needs_grad(tape, node->in[1])) return;
    db = reduced(tape, dy, node->in[1]);
    sft_add_grad(tape, node->in[1], alpha == 1.0f ? db : sft_scale(tape->graph, db, alpha));
}

const struct sft_op sft_op_add = {
    .id = SFT_ID_add,
    .name = "add",
    BROADCAST,
    .params_size = sizeof(struct sft_add_params),
    .grad = grad_add,
    .cost = cost_2,
};

/* ---- mul ---- */

sft_value sft_mul(struct sft_graph *graph, sft_value a, sft_value b)
{
    return sft_graph_append(graph, &sft_op_mul, (sft_value[]){a, b}, 2, NULL, NULL);
}

static void grad_mul(struct sft_tape *tape, const struct sft_node *node)
{
    struct sft_graph *graph = tape->graph;
    sft_value dy = sft_grad(tape, node->out[0]);
    if (sft_needs_grad(tape, node->in[0])) sft_add_grad(tape, node->in[0], sft_mul(graph, dy, node->in[1]));
    if (sft_needs_grad(tape, node->in[1]))
        sft_add_grad(tape, node->in[1], reduced(tape, sft_mul(graph, dy, node->in[0]), node->in[1]));
}

const struct sft_op sft_op_mul = {
    .id = SFT_ID_mul,
    .name = "mul",
    BROADCAST,
    .grad = grad_mul,
    .cost = cost_1,
};

/* ---- div ---- */

sft_value sft_div(struct sft_graph *graph, sft_value a, sft_value b)
{
    return sft_graph_append(graph, &sft_op_div, (sft_value[]){a, b}, 2, NULL, NULL);
}

/* da = dy/b, db = -dy*y/b. */
static void grad_div(struct sft_tape *tape, const struct sft_node *node)
{
    struct sft_graph *graph = tape->graph;
    sft_value da = sft_div(graph, sft_grad(tape, node->out[0]), node->in[1]);
    sft_add_grad(tape, node->in[0], da);
    if (sft_needs_grad(tape, node->in[1]))
        sft_add_grad(tape, node->in[1],
                     reduced(tape, sft_scale(graph, sft_mul(graph, da, node->out[0]), -1.0f), node->in[1]));
}

const struct sft_op sft_op_div = {
    .id = SFT_ID_div,
    .name = "div",
    BROADCAST,
    .grad = grad_div,
    .cost = cost_1,
};

/* ---- scale ---- */

sft_value sft_scale(struct sft_graph *graph, sft_value x, float factor)
{
    struct sft_scale_params params = {factor};
    return sft_graph_append(graph, &sft_op_scale, &x, 1, &params, NULL);
}

static void grad_scale(struct sft_tape *tape, const struct sft_node *node)
{
    float factor = SFT_NODE_PARAMS(struct sft_scale_params, node)->factor;
    sft_add_grad(tape, node->in[0], sft_scale(tape->graph, sft_grad(tape, node->out[0]), factor));
}

const struct sft_op sft_op_scale = {
    .id = SFT_ID_scale,
    .name = "scale",
    UNARY,
    .params_size = sizeof(struct sft_scale_params),
    .grad = grad_scale,
    .cost = cost_1,
};

/* ---- sign ---- */

sft_value sft_sign(struct sft_graph *graph, sft_value x)
{
    return sft_graph_append(graph, &sft_op_sign, &x, 1, NULL, NULL);
}

const struct sft_op sft_op_sign = {
    .id = SFT_ID_sign,
    .name = "sign",
    UNARY,
    .no_grad = "it is flat wherever it has a slope",
    .cost = cost_1,
};

/* ---- sqrt ---- */

sft_value sft_sqrt(struct sft_graph *graph, sft_value x)
{
    return sft_graph_append(graph, &sft_op_sqrt, &x, 1, NULL, NULL);
}

static void grad_sqrt(struct sft_tape *tape, const struct sft_node *node)
{
    struct sft_graph *graph = tape->graph;
    sft_value quotient = sft_div(graph, sft_grad(tape, node->out[0]), node->out[0]);
    sft_add_grad(tape, node->in[0], sft_scale(graph, quotient, 0.5f));
}

const struct sft_op sft_op_sqrt = {
    .id = SFT_ID_sqrt,
    .name = "sqrt",
    UNARY,
    .grad = grad_sqrt,
    .cost = cost_1,
};

/* ---- exp ---- */

sft_value sft_exp(struct sft_graph *graph, sft_value x)
{
    return sft_graph_append(graph, &sft_op_exp, &x, 1, NULL, NULL);
}

static void grad_exp(struct sft_tape *tape, const struct sft_node *node)
{
    sft_add_grad(tape, node->in[0], sft_mul(tape->graph, sft_grad(tape, node->out[0]), node->out[0]));
}

const struct sft_op sft_op_exp = {
    .id = SFT_ID_exp,
    .name = "exp",
    UNARY,
    .grad = grad_exp,
    .cost = cost_1,
};

/* ---- relu ---- */

sft_value sft_relu(struct sft_graph *graph, sft_value x)
{
    return sft_graph_append(graph, &sft_op_relu, &x, 1, NULL, NULL);
}

static void grad_relu(struct sft_tape *tape, const struct sft_node *node)
{
    sft_value dy = sft_grad(tape, node->out[0]);
    sft_add_grad(tape, node->in[0], sft_relu_grad(tape->graph, dy, node->out[0]));
}

const struct sft_op sft_op_relu = {
    .id = SFT_ID_relu,
    .name = "relu",
    UNARY,
    .grad = grad_relu,
    .cost = cost_1,
};

sft_value sft_relu_grad(struct sft_graph *graph, sft_value dy, sft_value y)
{
    return sft_graph_append(graph, &sft_op_relu_grad, (sft_value[]){dy, y}, 2, NULL, NULL);
}

const struct sft_op sft_op_relu_grad = {
    .id = SFT_ID_relu_grad,
    .name = "relu_grad",
    PAIR,
    SFT_NO_SECOND_DERIVATIVE,
    .cost = cost_1,
};

/* ---- gelu ---- */

sft_value sft_gelu(struct sft_graph *graph, sft_value x)
{
    return sft_graph_append(graph, &sft_op_gelu, &x, 1, NULL, NULL);
}

static void grad_gelu(struct sft_tape *tape, const struct sft_node *node)
{
    sft_value dy = sft_grad(tape, node->out[0]);
    sft_add_grad(tape, node->in[0], sft_gelu_grad(tape->graph, dy, node->in[0]));
}

const struct sft_op sft_op_gelu = {
    .id = SFT_ID_gelu,
    .name = "gelu",
    UNARY,
    .grad = grad_gelu,
    .cost = cost_1,
};

sft_value sft_gelu_grad(struct sft_graph *graph, sft_value dy, sft_value x)
{
    return sft_graph_append(graph, &sft_op_gelu_grad, (sft_value[]){dy, x}, 2, NULL, NULL);
}

const struct sft_op sft_op_gelu_grad = {
    .id = SFT_ID_gelu_grad,
    .name = "gelu_grad",
    PAIR,
    SFT_NO_SECOND_DERIVATIVE,
    .cost = cost_2,
};

/* ---- fill ---- */

sft_value sft_fill(struct sft_graph *graph, struct sft_shape shape, float value)
{
    struct sft_fill_params params = {shape, value};
    return sft_graph_append(graph, &sft_op_fill, NULL, 0, &params, NULL);
}

static enum sft_status infer_fill(const struct sft_graph *graph, const struct sft_node *node,
                                  struct sft_shape *out, enum sft_dtype *dtype)
{
    (void)graph;
    (void)dtype;
    out[0] = SFT_NODE_PARAMS(struct sft_fill_params, node)->shape;
    return SFT_OK;
}

const struct sft_op sft_op_fill = {
    .id = SFT_ID_fill,
    .name = "fill",
    .n_out = 1,
    .params_size = sizeof(struct sft_fill_params),
    .infer = infer_fill,
    .no_grad = "it has no inputs",
};
