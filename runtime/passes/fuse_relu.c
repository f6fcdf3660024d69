/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An elementwise ReLU goes into the op before it, which writes its result anyway: y = relu(z), where z =
 * op(...) has no other reader, becomes y = op_with_relu(...).
 *
 * The gradient of the ReLU reads y, which is still there. Behind a group norm it goes away as well: the
 * norm's gradient ops see from x where y is positive, so that y need not be kept for them.
 */
#include <stdlib.h>

#include "runtime/aliasing.h"
#include "runtime/base/alloc.h"
#include "runtime/op.h"
#include "runtime/ops.h"
#include "runtime/passes/pass.h"

struct fusion {
    struct sft_graph *graph;
    int *readers; /* by value: inputs of nodes, before the pass */
    bool *keep;   /* by node */
};

/* The ops that can hold a ReLU, and where their parameters say that they do. */
static const struct {
    const struct sft_op *op;
    size_t relu;
} holders[] = {
    {&sft_op_conv2d, offsetof(struct sft_conv2d_params, relu)},
    {&sft_op_matmul, offsetof(struct sft_matmul_params, relu)},
    {&sft_op_group_norm, offsetof(struct sft_group_norm_params, relu)},
    {&sft_op_group_norm_sums, offsetof(struct sft_group_norm_params, relu)},
    {&sft_op_group_norm_dx, offsetof(struct sft_group_norm_params, relu)},
};

/* The node's flag; NULL where its op has none. */
static int *relu_flag(struct sft_node *node)
{
    for (size_t i = 0; i < sizeof(holders) / sizeof(holders[0]); i++)
        if (holders[i].op == node->op) return (int *)(void *)(node->params + holders[i].relu);
    return NULL;
}

static void count_readers(const struct sft_graph *graph, int *readers)
{
    for (size_t k = 0; k < graph->n_nodes; k++)
        for (int i = 0; i < graph->nodes[k].n_in; i++)
            if (graph->nodes[k].in[i] != SFT_NONE) readers[graph->nodes[k].in[i]]++;
}

/* ---- the gradient behind a group norm ---- */

/* Whether the node is a gradient op of `norm` that gets its dy from `masked`. */
static bool is_gradient(const struct sft_node *node, const struct sft_node *norm, sft_value masked)
{
    const sft_value wanted[] = {norm->in[0], masked, norm->in[1], norm->in[2], norm->out[1], norm->out[2]};
    if (node->op != &sft_op_group_norm_sums && node->op != &sft_op_group_norm_dx) return false;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (node->in[i] != wanted[i]) return false;
    return true;
}

/* Lets the norm's gradient ops mask by themselves, where nobody else reads what relu_grad number `mask`
 * gives. */
static void unmask(struct fusion *fusion, const struct sft_node *norm, size_t mask)
{
    struct sft_graph *graph = fusion->graph;
    const struct sft_node *node = &graph->nodes[mask];
    sft_value masked = node->out[0];
    int others = fusion->readers[masked];
    if (graph->values[masked].base != SFT_NONE) return;
    for (size_t k = mask + 1; k < graph->n_nodes; k++) others -= is_gradient(&graph->nodes[k], norm, masked);
    if (others != 0) return;
    for (size_t k = mask + 1; k < graph->n_nodes; k++) {
        struct sft_node *gradient = &graph->nodes[k];
        if (!is_gradient(gradient, norm, masked)) continue;
        gradient->in[1] = node->in[0];
        *relu_flag(gradient) = 1;
    }
    fusion->keep[mask] = false;
}

static void unmask_gradients(struct fusion *fusion, const struct sft_node *norm)
{
    const struct sft_graph *graph = fusion->graph;
    for (size_t k = 0; k < graph->n_nodes; k++)
        if (graph->nodes[k].op == &sft_op_relu_grad && graph->nodes[k].in[1] == norm->out[0])
            unmask(fusion, norm, k);
}

/* ---- the ReLU itself ---- */

/* Whether the result may be written where its operand is made: at another place in the schedule, the tensor
 * that the result lies in could still be read, by the maker too. */
static bool may_be_earlier(const struct sft_graph *graph, size_t relu, size_t maker)
{
    const struct sft_node *node = &graph->nodes[maker];
    sft_value result = graph->nodes[relu].out[0];
    if (graph->values[result].base == SFT_NONE) return true;
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i] != SFT_NONE && sft_values_overlap(graph, node->in[i], result)) return false;
    return maker + 1 == relu;
}

/* The node that can take the ReLU of node k over; NULL where there is none. */
static struct sft_node *holder_of(const struct fusion *fusion, size_t k)
{
    const struct sft_graph *graph = fusion->graph;
    sft_value z = graph->nodes[k].in[0];
    const struct sft_value_info *info = &graph->values[z];
    struct sft_node *maker = info->node < 0 ? NULL : &graph->nodes[info->node];
    const int *flag = maker ? relu_flag(maker) : NULL;
    if (!flag || *flag || maker->out[0] != z) return NULL;
    if (fusion->readers[z] != 1 || info->base != SFT_NONE) return NULL;
    return may_be_earlier(graph, k, (size_t)info->node) ? maker : NULL;
}

static void fuse(struct fusion *fusion, size_t k)
{
    struct sft_graph *graph = fusion->graph;
    struct sft_node *relu = &graph->nodes[k], *holder = holder_of(fusion, k);
    if (!holder) return;
    *relu_flag(holder) = 1;
    holder->out[0] = relu->out[0];
    relu->out[0] = relu->in[0];
    fusion->keep[k] = false;
    if (holder->op == &sft_op_group_norm) unmask_gradients(fusion, holder);
}

enum sft_status sft_pass_fuse_relu(struct sft_graph *graph, const struct sft_pass_limits *limits)
{
    struct fusion fusion = {.graph = graph};
    enum sft_status status = SFT_MEMORY;
    (void)limits;
    fusion.readers = sft_calloc(graph->n_values, sizeof(*fusion.readers));
    fusion.keep = sft_calloc(graph->n_nodes, sizeof(*fusion.keep));
    if (!fusion.readers || !fusion.keep) goto out;
    count_readers(graph, fusion.readers);
    for (size_t k = 0; k < graph->n_nodes; k++) fusion.keep[k] = true;
    for (size_t k = 0; k < graph->n_nodes; k++)
        if (graph->nodes[k].op == &sft_op_relu) fuse(&fusion, k);
    sft_graph_keep(graph, fusion.keep);
    status = SFT_OK;
out:
    free(fusion.readers);
    free(fusion.keep);
    return status;
}
