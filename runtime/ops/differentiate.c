/* SPDX-License-Identifier: Apache-2.0 */
/* The walk that differentiates a graph: from the last node back to the first, each by its op's rule. */
#include <stdlib.h>

#include "runtime/autodiff.h"
#include "runtime/base/alloc.h"
#include "runtime/op.h"
#include "runtime/ops.h"
#include "runtime/tape.h"

static sft_value sum(struct sft_graph *graph, sft_value a, sft_value b) { return sft_add(graph, a, b, 1.0f); }

static void need(struct sft_tape *tape, sft_value value)
{
    if (value != SFT_NONE) tape->needed[value] = tape->graph->values[value].dtype == SFT_F32;
}

/* A value is needed when it is wanted or computed from a needed one. Labels and indices are constants. */
static void mark_needed(struct sft_tape *tape, size_t n_nodes, const sft_value *wanted, int n)
{
    for (int i = 0; i < n; i++) need(tape, wanted[i]);
    for (size_t k = 0; k < n_nodes; k++) {
        const struct sft_node *node = &tape->graph->nodes[k];
        bool needed = false;
        for (int i = 0; i < node->n_in; i++) needed |= sft_needs_grad(tape, node->in[i]);
        for (int i = 0; needed && i < node->n_out; i++) need(tape, node->out[i]);
    }
}

static bool is_reached(const struct sft_tape *tape, const struct sft_node *node)
{
    for (int i = 0; i < node->n_out; i++)
        if (sft_grad(tape, node->out[i]) != SFT_NONE) return true;
    return false;
}

static bool leads_on(const struct sft_tape *tape, const struct sft_node *node)
{
    for (int i = 0; i < node->n_in; i++)
        if (sft_needs_grad(tape, node->in[i])) return true;
    return false;
}

/* A gradient that a rule would not look at must not be lost without a word. */
static enum sft_status check_rule(const struct sft_tape *tape, const struct sft_node *node)
{
    if (!node->op->grad)
        return sft_fail(SFT_USAGE, "%s has no gradient: %s", node->op->name, node->op->no_grad);
    for (int i = 1; i < node->n_out; i++)
        if (sft_grad(tape, node->out[i]) != SFT_NONE)
            return sft_fail(SFT_USAGE,
                            "%s: the loss depends on its output %d, through which no gradient goes back",
                            node->op->name, i);
    return SFT_OK;
}

/* Runs the rule and checks that it gave something to every input that needs it. */
static enum sft_status run_rule(struct sft_tape *tape, const struct sft_node *node)
{
    sft_value before[SFT_MAX_INPUTS];
    for (int i = 0; i < node->n_in; i++) before[i] = sft_grad(tape, node->in[i]);
    node->op->grad(tape, node);
    SFT_TRY(sft_graph_status(tape->graph));
    for (int i = 0; i < node->n_in; i++)
        if (sft_needs_grad(tape, node->in[i]) && sft_grad(tape, node->in[i]) == before[i])
            return sft_fail(SFT_USAGE, "%s: gives no gradient with respect to its input %d", node->op->name,
                            i);
    return SFT_OK;
}

static enum sft_status differentiate_node(struct sft_tape *tape, size_t k)
{
    const struct sft_node node = tape->graph->nodes[k];
    if (!is_reached(tape, &node) || !leads_on(tape, &node)) return SFT_OK;
    SFT_TRY(check_rule(tape, &node));
    return run_rule(tape, &node);
}

static enum sft_status check_loss(const struct sft_graph *graph, sft_value loss)
{
    if (loss != SFT_NONE && sft_shape_count(sft_graph_shape(graph, loss)) == 1) return SFT_OK;
    return sft_fail(SFT_USAGE, "autodiff: the loss must be a single number");
}

static enum sft_status begin(struct sft_tape *tape)
{
    tape->needed = sft_calloc(tape->n_values, sizeof(*tape->needed));
    tape->grads = sft_calloc(tape->n_values, sizeof(*tape->grads));
    if (!tape->needed || !tape->grads) return SFT_MEMORY;
    for (size_t i = 0; i < tape->n_values; i++) tape->grads[i] = SFT_NONE;
    return SFT_OK;
}

static enum sft_status walk(struct sft_tape *tape, sft_value loss, const sft_value *wanted, int n)
{
    size_t n_nodes = tape->graph->n_nodes;
    mark_needed(tape, n_nodes, wanted, n);
    tape->grads[loss] = sft_fill(tape->graph, *sft_graph_shape(tape->graph, loss), 1.0f);
    for (size_t k = n_nodes; k-- > 0;) SFT_TRY(differentiate_node(tape, k));
    for (size_t k = n_nodes; k < tape->graph->n_nodes; k++) tape->graph->nodes[k].gradient = true;
    return sft_graph_status(tape->graph);
}

enum sft_status sft_autodiff(struct sft_graph *graph, sft_value loss, const sft_value *wanted, int n,
                             sft_value *grads)
{
    struct sft_tape tape = {.graph = graph, .n_values = graph->n_values, .sum = sum};
    enum sft_status status;
    SFT_TRY(graph->status);
    SFT_TRY_OUT(check_loss(graph, loss));
    SFT_TRY_OUT(begin(&tape));
    SFT_TRY_OUT(walk(&tape, loss, wanted, n));
    for (int i = 0; i < n; i++) grads[i] = sft_grad(&tape, wanted[i]);
out:
    if (status != SFT_OK) sft_graph_fail(graph, status);
    free(tape.needed);
    free(tape.grads);
    return status;
}
