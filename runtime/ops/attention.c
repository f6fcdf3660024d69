/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/op.h"
#include "runtime/ops.h"
#include "runtime/tape.h"

sft_value sft_attention(struct sft_graph *graph, sft_value q, sft_value k, sft_value v,
                        struct sft_attention_params params)
{
    return sft_graph_append(graph, &sft_op_attention, (sft_value[]){q, k, v}, 3, &params, NULL);
}

/* The shape of one of q, k and v, the first of which is input `first`. */
static enum sft_status part_shape(const struct sft_graph *graph, const struct sft_node *node, int first,
                                  struct sft_shape *part)
{
    const struct sft_shape *q = sft_in_shape(graph, node, first);
    int heads = SFT_NODE_PARAMS(struct sft_attention_params, node)->heads;
    bool packed = node->in[first + 1] == SFT_NONE && node->in[first + 2] == SFT_NONE;
    char text[SFT_SHAPE_TEXT];
    if (q->rank != 3 || (packed && q->dim[2] % 3))
        return sft_fail(SFT_USAGE, "%s: %s is neither (N, T, width) nor three of them side by side",
                        node->op->name, sft_shape_str(q, text));
    *part = *q;
    if (packed) part->dim[2] /= 3;
    for (int i = first + 1; !packed && i < first + 3; i++)
        if (!sft_shape_equal(sft_in_shape(graph, node, i), q))
            return sft_fail(SFT_USAGE, "%s: q, k and v differ in shape", node->op->name);
    if (heads < 1 || part->dim[2] % heads)
        return sft_fail(SFT_USAGE, "%s: a width of %d does not divide into %d heads", node->op->name,
                        (int)part->dim[2], heads);
    return SFT_OK;
}

static struct sft_shape row_shape(const struct sft_shape *part, const struct sft_node *node)
{
    return SFT_SHAPE(part->dim[0], SFT_NODE_PARAMS(struct sft_attention_params, node)->heads, part->dim[1]);
}

static enum sft_status infer(const struct sft_graph *graph, const struct sft_node *node,
                             struct sft_shape *out, enum sft_dtype *dtype)
{
    (void)dtype;
    SFT_TRY(part_shape(graph, node, 0, &out[0]));
    out[1] = row_shape(&out[0], node);
    return SFT_OK;
}

static sft_value part_of(struct sft_tape *tape, sft_value packed, int i)
{
    struct sft_shape shape = *sft_graph_shape(tape->graph, packed);
    int64_t start[SFT_MAX_RANK] = {0};
    shape.dim[2] /= 3;
    start[2] = i * shape.dim[2];
    return sft_slice(tape->graph, packed, start, shape);
}

static void grad(struct sft_tape *tape, const struct sft_node *node)
{
    sft_value dqkv =
        sft_attention_grad(tape->graph, sft_grad(tape, node->out[0]), node->out[0], node->out[1], node->in[0],
                           node->in[1], node->in[2], *SFT_NODE_PARAMS(struct sft_attention_params, node));
    if (dqkv == SFT_NONE) return;
    if (node->in[1] == SFT_NONE)
        sft_add_grad(tape, node->in[0], dqkv);
    else
        for (int i = 0; i < 3; i++)
            if (sft_needs_grad(tape, node->in[i])) sft_add_grad(tape, node->in[i], part_of(tape, dqkv, i));
}

/* `products` of a T x T matrix with d numbers for each of its elements. */
static double product_flops(const struct sft_graph *graph, sft_value y, int products)
{
    const struct sft_shape *shape = sft_graph_shape(graph, y);
    return 2.0 * products * (double)sft_shape_count(shape) * (double)shape->dim[1];
}

static void cost(const struct sft_graph *graph, const struct sft_node *node, struct sft_cost *cost)
{
    cost->flops = product_flops(graph, node->out[0], 2);
}

const struct sft_op sft_op_attention = {
    .id = SFT_ID_attention,
    .name = "attention",
    .min_in = 1,
    .max_in = 3,
    .n_out = 2,
    .params_size = sizeof(struct sft_attention_params),
    .infer = infer,
    .grad = grad,
    .cost = cost,
};

sft_value sft_attention_grad(struct sft_graph *graph, sft_value dy, sft_value y, sft_value lse, sft_value q,
                             sft_value k, sft_value v, struct sft_attention_params params)
{
    return sft_graph_append(graph, &sft_op_attention_grad, (sft_value[]){dy, y, lse, q, k, v}, 6, &params,
                            NULL);
}

static enum sft_status infer_grad(const struct sft_graph *graph, const struct sft_node *node,
                                  struct sft_shape *out, enum sft_dtype *dtype)
{
    struct sft_shape part, rows;
    (void)dtype;
    SFT_TRY(part_shape(graph, node, 3, &part));
    rows = row_shape(&part, node);
    if (!sft_shape_equal(sft_in_shape(graph, node, 0), &part) ||
        !sft_shape_equal(sft_in_shape(graph, node, 1), &part) ||
        !sft_shape_equal(sft_in_shape(graph, node, 2), &rows))
        return sft_fail(SFT_USAGE, "attention_grad: dy, y or lse does not fit q, k and v");
    out[0] = part;
    out[0].dim[2] *= 3;
    return SFT_OK;
}

static void cost_grad(const struct sft_graph *graph, const struct sft_node *node, struct sft_cost *cost)
{
    cost->flops = product_flops(graph, node->in[0], 5);
}

const struct sft_op sft_op_attention_grad = {
    .id = SFT_ID_attention_grad,
    .name = "attention_grad",
    .min_in = 4,
    .max_in = 6,
    .n_out = 1,
    .params_size = sizeof(struct sft_attention_params),
    .infer = infer_grad,
    SFT_NO_SECOND_DERIVATIVE,
    .cost = cost_grad,
};
