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
