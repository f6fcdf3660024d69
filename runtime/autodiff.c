/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/autodiff.h"

#include <stdlib.h>

#include "runtime/base/alloc.h"
#include "runtime/op.h"
#include "runtime/ops.h"

bool sft_needs_grad(const struct sft_autodiff *autodiff, sft_value value)
{
    return value != SFT_NONE && (size_t)value < autodiff->n_values && autodiff->needed[value];
}

sft_value sft_grad(const struct sft_autodiff *autodiff, sft_value value)
{
    return value != SFT_NONE && (size_t)value < autodiff->n_values ? autodiff->grads[value] : SFT_NONE;
}

void sft_add_grad(struct sft_autodiff *autodiff, sft_value value, sft_value gradient)
{
    if (!sft_needs_grad(autodiff, value) || gradient == SFT_NONE) return;
    if (autodiff->grads[value] != SFT_NONE)
        gradient = sft_add(autodiff->graph, autodiff->grads[value], gradient, 1.0f);
    autodiff->grads[value] = gradient;
}

/* A value is needed when it is wanted or computed from a needed one. */
static void mark_needed(struct sft_autodiff *autodiff, size_t n_nodes, const sft_value *wanted, int n)
{
    for (int i = 0; i < n; i++)
        if (wanted[i] != SFT_NONE) autodiff->needed[wanted[i]] = true;
    for (size_t k = 0; k < n_nodes; k++) {
        const struct sft_node *node = &autodiff->graph->nodes[k];
        bool needed = false;
        for (int i = 0; i < node->n_in; i++) needed |= sft_needs_grad(autodiff, node->in[i]);
        for (int i = 0; needed && i < node->n_out; i++) autodiff->needed[node->out[i]] = true;
    }
}

static enum sft_status differentiate_node(struct sft_autodiff *autodiff, size_t k)
{
    const struct sft_node node = autodiff->graph->nodes[k];
    bool reached = false, needed = false;
    for (int i = 0; i < node.n_out; i++) reached |= sft_grad(autodiff, node.out[i]) != SFT_NONE;
    for (int i = 0; i < node.n_in; i++) needed |= sft_needs_grad(autodiff, node.in[i]);
    if (!reached || !needed) return SFT_OK;
    if (!node.op->grad) return sft_fail(SFT_USAGE, "%s has no gradient: %s", node.op->name, node.op->no_grad);
    node.op->grad(autodiff, &node);
    return sft_graph_status(autodiff->graph);
}

enum sft_status sft_autodiff(struct sft_graph *graph, sft_value loss, const sft_value *wanted, int n,
                             sft_value *grads)
{
    struct sft_autodiff autodiff = {.graph = graph, .n_values = graph->n_values};
    size_t n_nodes = graph->n_nodes;
    enum sft_status status = SFT_MEMORY;

    if (graph->status != SFT_OK) return graph->status;
    if (loss == SFT_NONE || sft_shape_count(sft_graph_shape(graph, loss)) != 1)
        return sft_fail(SFT_USAGE, "autodiff: the loss must be a single number");
    autodiff.needed = sft_calloc(graph->n_values, sizeof(*autodiff.needed));
    autodiff.grads = sft_calloc(graph->n_values, sizeof(*autodiff.grads));
    if (!autodiff.needed || !autodiff.grads) goto out;
    for (size_t i = 0; i < graph->n_values; i++) autodiff.grads[i] = SFT_NONE;

    mark_needed(&autodiff, n_nodes, wanted, n);
    autodiff.grads[loss] = sft_fill(graph, *sft_graph_shape(graph, loss), 1.0f);
    for (size_t k = n_nodes; k-- > 0;) SFT_TRY_OUT(differentiate_node(&autodiff, k));
    for (int i = 0; i < n; i++) grads[i] = sft_grad(&autodiff, wanted[i]);
    status = sft_graph_status(graph);
out:
    free(autodiff.needed);
    free(autodiff.grads);
    return status;
}
