/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/aliasing.h"

#include <stdlib.h>

#include "runtime/base/alloc.h"
#include "runtime/op.h"

/* ---- where a value lies ---- */

struct region {
    sft_value root;
    int64_t begin, end; /* elements from the root's start: types of one memory have the same size */
};

static struct region region_of(const struct sft_graph *graph, sft_value value)
{
    struct region region;
    region.root = sft_graph_root(graph, value, &region.begin);
    region.end = region.begin + sft_shape_count(&graph->values[value].shape);
    return region;
}

static bool same_memory(const struct sft_graph *graph, sft_value a, sft_value b)
{
    const struct sft_tensor *tensor = graph->values[a].tensor;
    return a == b || (tensor && tensor == graph->values[b].tensor);
}

static bool overlap(const struct sft_graph *graph, const struct region *a, const struct region *b)
{
    return a->begin < b->end && b->begin < a->end && same_memory(graph, a->root, b->root);
}

bool sft_values_overlap(const struct sft_graph *graph, sft_value a, sft_value b)
{
    struct region of_a = region_of(graph, a), of_b = region_of(graph, b);
    return overlap(graph, &of_a, &of_b);
}

/* ---- what writes to outside memory ---- */

struct write {
    size_t node;
    struct region region;
    sft_value value;    /* that the node places there; SFT_NONE: an update in place */
    int input;          /* that is updated; -1 for a placed value */
    size_t last_reader; /* node that reads the placed value last, or `node` */
};

struct writes {
    const struct sft_graph *graph;
    struct write *items; /* in the order of their nodes */
    size_t count;
    size_t *number; /* by value: 1 + the write that places it, or 0 */
};

static bool is_placed(const struct sft_graph *graph, sft_value value)
{
    const struct sft_value_info *info = &graph->values[value];
    return info->node >= 0 && info->base != SFT_NONE && !graph->nodes[info->node].op->view;
}

/* The value whose contents a read of `value` means: itself, or what it is a view of. */
static sft_value source_of(const struct sft_graph *graph, sft_value value)
{
    while (!is_placed(graph, value) && graph->values[value].base != SFT_NONE)
        value = graph->values[value].base;
    return value;
}

static void add_write(struct writes *writes, size_t k, sft_value value, int input)
{
    writes->items[writes->count++] = (struct write){
        .node = k,
        .region = region_of(writes->graph, value),
        .value = input < 0 ? value : SFT_NONE,
        .input = input,
        .last_reader = k,
    };
    if (input < 0) writes->number[value] = writes->count;
}

static void note_reads(struct writes *writes, size_t k)
{
    const struct sft_node *node = &writes->graph->nodes[k];
    for (int i = 0; i < node->n_in; i++) {
        size_t number = node->in[i] == SFT_NONE ? 0 : writes->number[source_of(writes->graph, node->in[i])];
        if (number && !node->op->view) writes->items[number - 1].last_reader = k;
    }
}

static void collect(struct writes *writes)
{
    const struct sft_graph *graph = writes->graph;
    for (size_t k = 0; k < graph->n_nodes; k++) {
        const struct sft_node *node = &graph->nodes[k];
        note_reads(writes, k);
        for (int i = 0; i < node->n_in; i++)
            if (node->op->mutates >> i & 1) add_write(writes, k, node->in[i], i);
        for (int i = 0; i < node->n_out; i++)
            if (is_placed(graph, node->out[i])) add_write(writes, k, node->out[i], -1);
    }
}

/* ---- checks ---- */

static const char *op_of(const struct writes *writes, const struct write *write)
{
    return writes->graph->nodes[write->node].op->name;
}

static const char *tensor_of(const struct writes *writes, const struct write *write)
{
    return writes->graph->values[write->region.root].name;
}

static bool may_write_over(const struct writes *writes, const struct write *write, int i)
{
    const struct sft_node *node = &writes->graph->nodes[write->node];
    struct region input = region_of(writes->graph, node->in[i]);
    if (i == write->input) return true;
    return write->value == node->out[0] && (node->op->in_place >> i & 1) &&
           input.begin == write->region.begin && input.end == write->region.end;
}

/* A kernel reads its inputs while it writes. */
static enum sft_status check_inputs(const struct writes *writes, const struct write *write)
{
    const struct sft_node *node = &writes->graph->nodes[write->node];
    for (int i = 0; i < node->n_in; i++) {
        struct region input;
        if (node->in[i] == SFT_NONE) continue;
        input = region_of(writes->graph, node->in[i]);
        if (overlap(writes->graph, &input, &write->region) && !may_write_over(writes, write, i))
            return sft_fail(SFT_USAGE,
                            "%s: writes to %s where its input %d lies, which it still reads; give it a copy "
                            "(sft_scale by 1)",
                            op_of(writes, write), tensor_of(writes, write), i);
    }
    return SFT_OK;
}

static enum sft_status check_pair(const struct writes *writes, const struct write *first,
                                  const struct write *second)
{
    if (first->value == SFT_NONE || !overlap(writes->graph, &first->region, &second->region)) return SFT_OK;
    if (second->value != SFT_NONE)
        return sft_fail(SFT_USAGE, "%s and %s: their results are placed over each other in %s",
                        op_of(writes, first), op_of(writes, second), tensor_of(writes, first));
    if (first->last_reader > second->node)
        return sft_fail(SFT_USAGE,
                        "%s: its result lies in %s, which %s updates before %s has read it; place a copy",
                        op_of(writes, first), tensor_of(writes, first), op_of(writes, second),
                        writes->graph->nodes[first->last_reader].op->name);
    return SFT_OK;
}

static enum sft_status check(const struct writes *writes)
{
    for (size_t i = 0; i < writes->count; i++) {
        SFT_TRY(check_inputs(writes, &writes->items[i]));
        for (size_t j = i + 1; j < writes->count; j++)
            SFT_TRY(check_pair(writes, &writes->items[i], &writes->items[j]));
    }
    return SFT_OK;
}

static size_t most_writes(const struct sft_graph *graph)
{
    size_t most = graph->n_values;
    for (size_t k = 0; k < graph->n_nodes; k++)
        most += (size_t)__builtin_popcount(graph->nodes[k].op->mutates);
    return most;
}

enum sft_status sft_graph_check_aliasing(const struct sft_graph *graph)
{
    struct writes writes = {.graph = graph};
    enum sft_status status = SFT_MEMORY;
    writes.items = sft_calloc(most_writes(graph), sizeof(*writes.items));
    writes.number = sft_calloc(graph->n_values, sizeof(*writes.number));
    if (!writes.items || !writes.number) goto out;
    collect(&writes);
    status = check(&writes);
out:
    free(writes.items);
    free(writes.number);
    return status;
}
