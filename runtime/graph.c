/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/graph.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/op.h"

enum sft_status sft_graph_create(struct sft_graph **graph)
{
    *graph = sft_calloc(1, sizeof(**graph));
    return *graph ? SFT_OK : SFT_MEMORY;
}

void sft_graph_destroy(struct sft_graph **graph)
{
    if (!*graph) return;
    free((*graph)->nodes);
    free((*graph)->values);
    free(*graph);
    *graph = NULL;
}

enum sft_status sft_graph_status(const struct sft_graph *graph) { return graph->status; }

sft_value sft_graph_fail(struct sft_graph *graph, enum sft_status status)
{
    if (graph->status == SFT_OK) graph->status = status;
    return SFT_NONE;
}

const struct sft_shape *sft_graph_shape(const struct sft_graph *graph, sft_value value)
{
    static const struct sft_shape none = {.rank = -1};
    return value == SFT_NONE ? &none : &graph->values[value].shape;
}

size_t sft_graph_bytes(const struct sft_graph *graph, sft_value value)
{
    const struct sft_value_info *info = &graph->values[value];
    return (size_t)sft_shape_count(&info->shape) * sft_dtype_size(info->dtype);
}

sft_value sft_graph_root(const struct sft_graph *graph, sft_value value, int64_t *offset)
{
    int64_t elements = 0;
    while (graph->values[value].base != SFT_NONE) {
        elements += graph->values[value].offset;
        value = graph->values[value].base;
    }
    if (offset) *offset = elements;
    return value;
}

static sft_value add_value(struct sft_graph *graph, struct sft_value_info info)
{
    if (graph->status != SFT_OK) return SFT_NONE;
    if (sft_grow(&graph->values, &graph->value_room, graph->n_values + 1, sizeof(info)) != SFT_OK)
        return sft_graph_fail(graph, SFT_MEMORY);
    graph->values[graph->n_values] = info;
    return (sft_value)graph->n_values++;
}

sft_value sft_graph_input(struct sft_graph *graph, const char *name, enum sft_dtype dtype,
                          struct sft_shape shape)
{
    if (graph->status == SFT_OK && !sft_shape_valid(&shape))
        return sft_graph_fail(graph, sft_fail(SFT_USAGE, "%s: not a valid shape", name));
    return add_value(
        graph,
        (struct sft_value_info){
            .shape = shape, .dtype = dtype, .name = name, .node = -1, .base = SFT_NONE, .outside = true});
}

void sft_graph_bind(struct sft_graph *graph, sft_value value, struct sft_tensor *tensor)
{
    if (value == SFT_NONE || graph->status != SFT_OK) return;
    graph->values[value].tensor = tensor;
}

static enum sft_status check_arity(const struct sft_op *op, const struct sft_node *node)
{
    if (node->n_in > op->max_in)
        return sft_fail(SFT_USAGE, "%s: %d inputs, takes at most %d", op->name, node->n_in, op->max_in);
    for (int i = 0; i < op->min_in; i++)
        if (i >= node->n_in || node->in[i] == SFT_NONE)
            return sft_fail(SFT_USAGE, "%s: input %d is missing", op->name, i);
    return SFT_OK;
}

static enum sft_status check_mutations(const struct sft_graph *graph, const struct sft_node *node)
{
    for (int i = 0; i < node->n_in; i++)
        if ((node->op->mutates >> i & 1) && !graph->values[sft_graph_root(graph, node->in[i], NULL)].outside)
            return sft_fail(SFT_USAGE, "%s: input %d is updated in place and must be an outside value",
                            node->op->name, i);
    return SFT_OK;
}

sft_value sft_graph_append(struct sft_graph *graph, const struct sft_op *op, const sft_value *in, int n_in,
                           const void *params, sft_value *out)
{
    struct sft_node node = {.op = op, .n_in = n_in, .n_out = op->n_out};
    struct sft_shape shapes[SFT_MAX_OUTPUTS] = {{0}};
    enum sft_dtype dtypes[SFT_MAX_OUTPUTS] = {SFT_F32, SFT_F32, SFT_F32};
    enum sft_status status;

    for (int i = 0; i < SFT_MAX_OUTPUTS; i++) node.out[i] = SFT_NONE;
    for (int i = 0; out && i < op->n_out; i++) out[i] = SFT_NONE;
    if (graph->status != SFT_OK) return SFT_NONE;
    for (int i = 0; i < SFT_MAX_INPUTS; i++) node.in[i] = i < n_in ? in[i] : SFT_NONE;
    if (params) memcpy(node.params, params, op->params_size);

    status = check_arity(op, &node);
    if (status == SFT_OK) status = check_mutations(graph, &node);
    if (status == SFT_OK) status = op->infer(graph, &node, shapes, dtypes);
    for (int i = 0; status == SFT_OK && i < op->n_out; i++)
        if (!sft_shape_valid(&shapes[i]))
            status = sft_fail(SFT_USAGE, "%s: output %d has no valid shape", op->name, i);
    if (status == SFT_OK)
        status = sft_grow(&graph->nodes, &graph->node_room, graph->n_nodes + 1, sizeof(node));
    if (status != SFT_OK) return sft_graph_fail(graph, status);

    for (int i = 0; i < op->n_out; i++)
        node.out[i] = add_value(graph, (struct sft_value_info){.shape = shapes[i],
                                                               .dtype = dtypes[i],
                                                               .node = (int32_t)graph->n_nodes,
                                                               .base = SFT_NONE});
    if (graph->status != SFT_OK) return SFT_NONE;
    graph->nodes[graph->n_nodes++] = node;
    for (int i = 0; out && i < op->n_out; i++) out[i] = node.out[i];
    return node.out[0];
}

/* Whether a node's work is seen from outside: it updates a tensor, or a result of its own lies in one. */
static bool is_seen(const struct sft_graph *graph, const struct sft_node *node)
{
    if (node->op->mutates) return true;
    for (int i = 0; i < node->n_out && !node->op->view; i++)
        if (graph->values[sft_graph_root(graph, node->out[i], NULL)].outside) return true;
    return false;
}

static bool is_wanted(const struct sft_graph *graph, const struct sft_node *node, const bool *wanted)
{
    for (int i = 0; i < node->n_out; i++)
        if (wanted[node->out[i]]) return true;
    return is_seen(graph, node);
}

static void mark_wanted(const struct sft_graph *graph, bool *keep, bool *wanted)
{
    for (size_t k = graph->n_nodes; k-- > 0;) {
        const struct sft_node *node = &graph->nodes[k];
        keep[k] = is_wanted(graph, node, wanted);
        for (int i = 0; keep[k] && i < node->n_in; i++)
            if (node->in[i] != SFT_NONE) wanted[node->in[i]] = true;
    }
}

void sft_graph_prune(struct sft_graph *graph)
{
    bool *wanted;
    if (graph->status != SFT_OK || graph->n_values == 0) return;
    wanted = sft_calloc(graph->n_values + graph->n_nodes, sizeof(*wanted)); /* by value, then by node */
    if (!wanted) {
        sft_graph_fail(graph, SFT_MEMORY);
        return;
    }
    mark_wanted(graph, wanted + graph->n_values, wanted);
    sft_graph_keep(graph, wanted + graph->n_values);
    free(wanted);
}

/* The number, among the nodes before `first`, of the last that node k waits for; 0 where there is none, as
 * the moved nodes stay behind the first one. `behind` is that of the moved nodes before it. */
static size_t waits_for(const struct sft_graph *graph, size_t k, size_t first, const size_t *behind)
{
    const struct sft_node *node = &graph->nodes[k];
    size_t last = 0;
    for (int i = 0; i < node->n_in; i++) {
        int32_t maker = node->in[i] == SFT_NONE ? -1 : graph->values[node->in[i]].node;
        size_t place = maker < 0 ? 0 : (size_t)maker < first ? (size_t)maker : behind[(size_t)maker - first];
        if (place > last) last = place;
    }
    return last;
}

static void set_makers(struct sft_graph *graph)
{
    for (size_t k = 0; k < graph->n_nodes; k++)
        for (int i = 0; i < graph->nodes[k].n_out; i++)
            graph->values[graph->nodes[k].out[i]].node = (int32_t)k;
}

void sft_graph_hoist(struct sft_graph *graph, size_t first)
{
    struct sft_node *nodes;
    size_t *behind, n = 0;
    if (graph->status != SFT_OK || first == 0 || first >= graph->n_nodes) return;
    nodes = sft_calloc(graph->n_nodes, sizeof(*nodes));
    behind = sft_calloc(graph->n_nodes - first, sizeof(*behind));
    if (!nodes || !behind) {
        sft_graph_fail(graph, SFT_MEMORY);
        goto out;
    }
    for (size_t k = first; k < graph->n_nodes; k++) behind[k - first] = waits_for(graph, k, first, behind);
    for (size_t k = 0; k < first; k++) {
        nodes[n++] = graph->nodes[k];
        for (size_t j = first; j < graph->n_nodes; j++) {
            if (behind[j - first] != k) continue;
            nodes[n] = graph->nodes[j];
            nodes[n].gradient |= nodes[n - 1].gradient;
            n++;
        }
    }
    memcpy(graph->nodes, nodes, n * sizeof(*nodes));
    set_makers(graph);
out:
    free(nodes);
    free(behind);
}

void sft_graph_keep(struct sft_graph *graph, const bool *keep)
{
    size_t kept = 0;
    for (size_t k = 0; k < graph->n_nodes; k++) {
        const struct sft_node *node = &graph->nodes[k];
        for (int i = 0; i < node->n_out; i++) graph->values[node->out[i]].node = keep[k] ? (int32_t)kept : -1;
        if (keep[k]) graph->nodes[kept++] = *node;
    }
    graph->n_nodes = kept;
}

enum sft_status sft_graph_copy(const struct sft_graph *graph, struct sft_graph **copy)
{
    struct sft_graph *made;
    *copy = NULL;
    SFT_TRY(graph->status);
    SFT_TRY(sft_graph_create(&made));
    *copy = made;
    made->nodes = sft_calloc(graph->n_nodes, sizeof(*made->nodes));
    made->values = sft_calloc(graph->n_values, sizeof(*made->values));
    if (!made->nodes || !made->values) {
        sft_graph_destroy(copy);
        return SFT_MEMORY;
    }
    if (graph->n_nodes) memcpy(made->nodes, graph->nodes, graph->n_nodes * sizeof(*made->nodes));
    if (graph->n_values) memcpy(made->values, graph->values, graph->n_values * sizeof(*made->values));
    made->n_nodes = made->node_room = graph->n_nodes;
    made->n_values = made->value_room = graph->n_values;
    return SFT_OK;
}
