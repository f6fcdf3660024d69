/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cost.h"

struct sft_cost sft_node_cost(const struct sft_graph *graph, const struct sft_node *node)
{
    struct sft_cost cost = {0};
    if (node->op->view) return cost;
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i] != SFT_NONE) cost.bytes += (double)sft_graph_bytes(graph, node->in[i]);
    for (int i = 0; i < node->n_out; i++) cost.bytes += (double)sft_graph_bytes(graph, node->out[i]);
    if (node->op->cost) node->op->cost(graph, node, &cost);
    return cost;
}

double sft_node_seconds(const struct sft_graph *graph, const struct sft_node *node)
{
    const double flops = 1e11, bandwidth = 1e10, start = 1e-5;
    struct sft_cost cost = sft_node_cost(graph, node);
    return node->op->view ? 0.0 : cost.flops / flops + cost.bytes / bandwidth + start;
}
