/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/op.h"
#include "runtime/ops.h"
#include "runtime/tape.h"

sft_value sft_matmul(struct sft_graph *graph, sft_value a, sft_value b, sft_value bias,
                     struct sft_matmul_params params)
{
    return sft_graph_append(graph, &sft_op_matmul, (sft_value[]){a, b, bias}, 3, &params, NULL);
}

static enum sft_status infer(const struct sft_graph *graph, const struct sft_node *node,
                             struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_matmul_params *params = SFT_NODE_PARAMS(struct sft_matmul_params, node);
    const struct sft_shape *a = sft_in_shape(graph, node, 0), *b = sft_in_shape(graph, node, 1);
    const struct sft_shape *bias = sft_in_shape(graph, node, 2);
    char ta[SFT_SHAPE_TEXT], tb[SFT_SHAPE_TEXT];
    int r = a->rank;
    bool fits = r == b->rank && (r == 2 || r == 3);
    (void)dtype;
    if (fits) {
        int64_t m = a->dim[r - 2 + params->transpose_a], k = a->dim[r - 1 - params->transpose_a];
        int64_t n = b->dim[r - 1 - params->transpose_b];
        fits = k == b->dim[r - 2 + params->transpose_b] && (r == 2 || a->dim[0] == b->dim[0]);
        fits = fits && (bias->rank < 0 || (r == 2 && sft_shape_equal(bias, &SFT_SHAPE(n))));
        out[0] = r == 2 ? SFT_SHAPE(m, n) : SFT_SHAPE(a->dim[0], m, n);
    }
    if (fits) return SFT_OK;
    return sft_fail(SFT_USAGE, "matmul: %s%s times %s%s does not fit", sft_shape_str(a, ta),
                    params->transpose_a ? " transposed" : "", sft_shape_str(b, tb),
                    params->transpose_b ? " transposed" : "");
}

/* With y = A B: dA = dy B^T and dB = A^T dy; an operand that came transposed gets the transposed product. */
static void grad(struct sft_tape *tape, const struct sft_node *node)
{
    const struct sft_matmul_params *params = SFT_NODE_PARAMS(struct sft_matmul_params, node);
    struct sft_graph *graph = tape->graph;
    sft_value a = node->in[0], b = node->in[1], bias = node->in[2];
    sft_value dy = sft_grad(tape, node->out[0]);
    int ta = params->transpose_a, tb = params->transpose_b;
    if (params->relu) dy = sft_relu_grad(graph, dy, node->out[0]);
    if (sft_needs_grad(tape, a)) {
        struct sft_matmul_params p =
            ta ? (struct sft_matmul_params){tb, 1, 0} : (struct sft_matmul_params){0, !tb, 0};
        sft_add_grad(tape, a, sft_matmul(graph, ta ? b : dy, ta ? dy : b, SFT_NONE, p));
    }
    if (sft_needs_grad(tape, b)) {
        struct sft_matmul_params p =
            tb ? (struct sft_matmul_params){1, ta, 0} : (struct sft_matmul_params){!ta, 0, 0};
        sft_add_grad(tape, b, sft_matmul(graph, tb ? dy : a, tb ? a : dy, SFT_NONE, p));
    }
    if (sft_needs_grad(tape, bias))
        sft_add_grad(tape, bias, sft_sum_to(graph, dy, *sft_graph_shape(graph, bias), 1.0f));
}

static void cost(const struct sft_graph *graph, const struct sft_node *node, struct sft_cost *cost)
{
    const struct sft_shape *a = sft_in_shape(graph, node, 0);
    int64_t k = a->dim[a->rank - 1 - SFT_NODE_PARAMS(struct sft_matmul_params, node)->transpose_a];
    cost->flops = 2.0 * (double)k * (double)sft_out_count(graph, node, 0);
}

const struct sft_op sft_op_matmul = {
    .id = SFT_ID_matmul,
    .name = "matmul",
    .min_in = 2,
    .max_in = 3,
    .n_out = 1,
    .params_size = sizeof(struct sft_matmul_params),
    .infer = infer,
    .grad = grad,
    .cost = cost,
};
