/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/passes/again.h"

#include <stdlib.h>

#include "runtime/base/alloc.h"
#include "runtime/op.h"

struct rewrite {
    const struct sft_graph *from;
    struct sft_graph *to;
    const bool *drop; /* by value */
    sft_value *again; /* by value: its copy, or SFT_NONE */
    size_t *places;
    size_t places_room;
    size_t now; /* the node of `from` that is on its way */
};

static enum sft_status append(struct rewrite *rewrite, const struct sft_node *node)
{
    struct sft_graph *to = rewrite->to;
    SFT_TRY(sft_grow(&to->nodes, &to->node_room, to->n_nodes + 1, sizeof(*to->nodes)));
    SFT_TRY(sft_grow(&rewrite->places, &rewrite->places_room, to->n_nodes + 1, sizeof(*rewrite->places)));
    rewrite->places[to->n_nodes] = rewrite->now;
    for (int i = 0; i < node->n_out; i++) to->values[node->out[i]].node = (int32_t)to->n_nodes;
    to->nodes[to->n_nodes++] = *node;
    return SFT_OK;
}

static bool is_dropped(const struct rewrite *rewrite, sft_value value)
{
    return value != SFT_NONE && rewrite->drop[sft_graph_root(rewrite->from, value, NULL)];
}

/* The copy of a node's output, whose inputs the copied node has already. */
static enum sft_status copy_output(struct rewrite *rewrite, struct sft_node *node, int i)
{
    struct sft_graph *to = rewrite->to;
    sft_value original = node->out[i];
    SFT_TRY(sft_grow(&to->values, &to->value_room, to->n_values + 1, sizeof(*to->values)));
    to->values[to->n_values] = rewrite->from->values[original];
    if (node->op->view) to->values[to->n_values].base = node->in[0];
    rewrite->again[original] = node->out[i] = (sft_value)to->n_values++;
    return SFT_OK;
}

static enum sft_status resolve(struct rewrite *rewrite, sft_value *value);

static enum sft_status copy_node(struct rewrite *rewrite, size_t k)
{
    const struct sft_node *original = &rewrite->from->nodes[k];
    sft_value in[SFT_MAX_INPUTS];
    struct sft_node *copy;
    enum sft_status status = SFT_OK;
    for (int i = 0; i < SFT_MAX_INPUTS; i++) in[i] = original->in[i];
    for (int i = 0; i < original->n_in; i++) SFT_TRY(resolve(rewrite, &in[i]));
    copy = sft_calloc(1, sizeof(*copy)); /* not on the stack: chains are long */
    if (!copy) return SFT_MEMORY;
    *copy = *original;
    copy->gradient = copy->again = true;
    for (int i = 0; i < SFT_MAX_INPUTS; i++) copy->in[i] = in[i];
    for (int i = 0; status == SFT_OK && i < copy->n_out; i++) status = copy_output(rewrite, copy, i);
    if (status == SFT_OK) status = append(rewrite, copy);
    free(copy);
    return status;
}

/* Puts the copy of a dropped value in its place. */
static enum sft_status resolve(struct rewrite *rewrite, sft_value *value)
{
    if (!is_dropped(rewrite, *value)) return SFT_OK;
    if (rewrite->again[*value] == SFT_NONE)
        SFT_TRY(copy_node(rewrite, (size_t)rewrite->from->values[*value].node));
    *value = rewrite->again[*value];
    return SFT_OK;
}

static enum sft_status rewrite_nodes(struct rewrite *rewrite)
{
    const struct sft_graph *from = rewrite->from;
    for (size_t k = 0; k < from->n_nodes; k++) {
        struct sft_node node = from->nodes[k];
        rewrite->now = k;
        for (int i = 0; node.gradient && i < node.n_in; i++) {
            sft_value in = node.in[i];
            SFT_TRY(resolve(rewrite, &node.in[i]));
            if (node.op->view && i == 0 && node.in[0] != in)
                rewrite->to->values[node.out[0]].base = node.in[0];
        }
        SFT_TRY(append(rewrite, &node));
    }
    return SFT_OK;
}

enum sft_status sft_compute_again(const struct sft_graph *from, const bool *drop, struct sft_graph **made,
                                  size_t **places)
{
    struct rewrite rewrite = {.from = from, .drop = drop};
    enum sft_status status;
    *made = NULL;
    SFT_TRY(sft_graph_copy(from, &rewrite.to));
    rewrite.to->n_nodes = 0;
    rewrite.again = sft_calloc(from->n_values, sizeof(*rewrite.again));
    status = rewrite.again ? SFT_OK : SFT_MEMORY;
    for (size_t i = 0; status == SFT_OK && i < from->n_values; i++) rewrite.again[i] = SFT_NONE;
    if (status == SFT_OK) status = rewrite_nodes(&rewrite);
    free(rewrite.again);
    if (status != SFT_OK || !places) {
        free(rewrite.places);
        rewrite.places = NULL;
    }
    if (places) *places = rewrite.places;
    if (status != SFT_OK)
        sft_graph_destroy(&rewrite.to);
    else
        *made = rewrite.to;
    return status;
}
