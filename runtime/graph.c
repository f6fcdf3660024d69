/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/graph.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/device.h"
#include "runtime/op.h"
#include "runtime/ops.h"

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

sft_value sft_graph_tensor(struct sft_graph *graph, struct sft_tensor *tensor)
{
    sft_value value = sft_graph_input(graph, tensor->name, tensor->dtype, tensor->shape);
    sft_graph_bind(graph, value, tensor);
    return value;
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

static sft_value root_of(const struct sft_graph *graph, sft_value value)
{
    while (graph->values[value].base != SFT_NONE) value = graph->values[value].base;
    return value;
}

static enum sft_status check_mutations(const struct sft_graph *graph, const struct sft_node *node)
{
    for (int i = 0; i < node->n_in; i++)
        if ((node->op->mutates >> i & 1) && !graph->values[root_of(graph, node->in[i])].outside)
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

static bool has_place(const struct sft_graph *graph, sft_value value)
{
    const struct sft_value_info *info = &graph->values[value];
    if (info->base != SFT_NONE || info->outside) return true;
    for (size_t i = 0; i < graph->n_values; i++) /* something is a view of it */
        if (graph->values[i].base == value) return true;
    return false;
}

sft_value sft_graph_place(struct sft_graph *graph, sft_value value, sft_value base, int64_t offset)
{
    struct sft_value_info *info;
    if (graph->status != SFT_OK) return SFT_NONE;
    if (value == SFT_NONE || base == SFT_NONE || !graph->values[base].outside || offset < 0 ||
        offset + sft_shape_count(&graph->values[value].shape) > sft_shape_count(&graph->values[base].shape))
        return sft_graph_fail(graph, sft_fail(SFT_USAGE, "place: a value does not fit into its base"));
    if (has_place(graph, value)) value = sft_scale(graph, value, 1.0f);
    if (value == SFT_NONE) return SFT_NONE;
    info = &graph->values[value];
    info->base = base;
    info->offset = offset;
    return value;
}

/* Whether a node's work is seen from outside: it updates a tensor, or a result of its own lies in one. */
static bool is_seen(const struct sft_graph *graph, const struct sft_node *node)
{
    if (node->op->mutates) return true;
    for (int i = 0; i < node->n_out && !node->op->view; i++)
        if (graph->values[root_of(graph, node->out[i])].outside) return true;
    return false;
}

static bool is_wanted(const struct sft_graph *graph, const struct sft_node *node, const bool *wanted)
{
    for (int i = 0; i < node->n_out; i++)
        if (wanted[node->out[i]]) return true;
    return is_seen(graph, node);
}

void sft_graph_prune(struct sft_graph *graph)
{
    bool *wanted;
    size_t kept = 0;
    if (graph->status != SFT_OK || graph->n_values == 0) return;
    wanted = sft_calloc(graph->n_values + graph->n_nodes, sizeof(*wanted)); /* by value, then by node */
    if (!wanted) {
        sft_graph_fail(graph, SFT_MEMORY);
        return;
    }
    for (size_t k = graph->n_nodes; k-- > 0;) {
        const struct sft_node *node = &graph->nodes[k];
        wanted[graph->n_values + k] = is_wanted(graph, node, wanted);
        for (int i = 0; wanted[graph->n_values + k] && i < node->n_in; i++)
            if (node->in[i] != SFT_NONE) wanted[node->in[i]] = true;
    }
    for (size_t k = 0; k < graph->n_nodes; k++) {
        bool keep = wanted[graph->n_values + k];
        for (int i = 0; i < graph->nodes[k].n_out; i++)
            graph->values[graph->nodes[k].out[i]].node = keep ? (int32_t)kept : -1;
        if (keep) graph->nodes[kept++] = graph->nodes[k];
    }
    graph->n_nodes = kept;
    free(wanted);
}
