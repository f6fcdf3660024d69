/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/op.h"

#include <string.h>

const struct sft_op *const sft_ops[] = {
#define SFT_OP(name) &sft_op_##name,
#include "runtime/ops/ops.def"
#undef SFT_OP
};

const int sft_op_count = (int)(sizeof(sft_ops) / sizeof(sft_ops[0]));

const struct sft_op *sft_op_find(const char *name)
{
    for (int i = 0; i < sft_op_count; i++)
        if (strcmp(sft_ops[i]->name, name) == 0) return sft_ops[i];
    return NULL;
}

struct sft_cost sft_node_cost(const struct sft_graph *graph, const struct sft_node *node)
{
    struct sft_cost cost = {0};
    if (node->op->view) return cost;
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i] != SFT_NONE) cost.bytes += 4.0 * (double)sft_in_count(graph, node, i);
    for (int i = 0; i < node->n_out; i++) cost.bytes += 4.0 * (double)sft_out_count(graph, node, i);
    if (node->op->cost) node->op->cost(graph, node, &cost);
    return cost;
}
