/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes run in graph order. A temporary lives from the node that writes it to the last node that reads it or
 * a view of it. Arena offsets are chosen largest value first, each at the lowest offset that is free during
 * its whole life.
 */
#include "runtime/plan.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/divide.h"
#include "runtime/cost.h"
#include "runtime/op.h"

struct lifetime {
    sft_value value; /* or SFT_NONE: the scratch memory of node `first` */
    int32_t first, last;
    size_t bytes, offset;
};

struct planner {
    const struct sft_graph *graph;
    struct sft_plan *plan;
    sft_value *owner; /* by value: whose memory it uses (itself, a base, or an input written over) */
    int32_t *last;    /* by value: last node that reads memory owned by it */
    struct lifetime *lives;
    size_t n_lives;
};

static void find_last_uses(struct planner *planner)
{
    const struct sft_graph *graph = planner->graph;
    for (size_t i = 0; i < graph->n_values; i++) planner->last[i] = graph->values[i].node;
    for (size_t k = 0; k < graph->n_nodes; k++) {
        const struct sft_node *node = &graph->nodes[k];
        for (int i = 0; i < node->n_in; i++)
            if (node->in[i] != SFT_NONE) planner->last[sft_graph_root(graph, node->in[i], NULL)] = (int32_t)k;
        for (int i = 0; i < node->n_out; i++) { /* a view keeps its base alive at least until it is made */
            sft_value base = sft_graph_root(graph, node->out[i], NULL);
            if (planner->last[base] < (int32_t)k) planner->last[base] = (int32_t)k;
        }
    }
}

/* Whether another input is the value of input i too, as itself or as a view of it. */
static bool reads_twice(const struct sft_graph *graph, const struct sft_node *node, int i)
{
    for (int j = 0; j < node->n_in; j++)
        if (j != i && node->in[j] != SFT_NONE && sft_graph_root(graph, node->in[j], NULL) == node->in[i])
            return true;
    return false;
}

/* Lets output 0 write over an input that dies here, where the op allows it. */
static void reuse_in_place(struct planner *planner, int32_t k)
{
    const struct sft_graph *graph = planner->graph;
    const struct sft_node *node = &graph->nodes[k];
    sft_value out = node->n_out ? node->out[0] : SFT_NONE;
    if (out == SFT_NONE || graph->values[out].base != SFT_NONE) return;
    for (int i = 0; i < node->n_in; i++) {
        sft_value in = node->in[i], owner;
        if (in == SFT_NONE || !(node->op->in_place >> i & 1)) continue;
        if (graph->values[in].base != SFT_NONE || graph->values[in].outside) continue;
        owner = planner->owner[in];
        if (reads_twice(graph, node, i) || planner->last[owner] != k || planner->last[in] != k) continue;
        planner->owner[out] = owner;
        planner->last[owner] = planner->last[out];
        return;
    }
}

static void add_life(struct planner *planner, sft_value value, int32_t first, int32_t last, size_t bytes)
{
    planner->lives[planner->n_lives++] = (struct lifetime){
        .value = value,
        .first = first,
        .last = last,
        .bytes = sft_round_up(bytes, SFT_PLAN_ALIGNMENT),
    };
}

static void collect_values(struct planner *planner)
{
    const struct sft_graph *graph = planner->graph;
    for (size_t i = 0; i < graph->n_values; i++) {
        const struct sft_value_info *info = &graph->values[i];
        if (info->node < 0 || info->base != SFT_NONE || planner->owner[i] != (sft_value)i) continue;
        add_life(planner, (sft_value)i, info->node, planner->last[i], sft_graph_bytes(graph, (sft_value)i));
    }
}

static void collect_scratch(struct planner *planner, sft_scratch_rule scratch)
{
    const struct sft_graph *graph = planner->graph;
    for (size_t k = 0; k < graph->n_nodes; k++) {
        size_t bytes = scratch(graph, &graph->nodes[k]);
        if (bytes) add_life(planner, SFT_NONE, (int32_t)k, (int32_t)k, bytes);
    }
}

static void collect_lives(struct planner *planner, sft_scratch_rule scratch)
{
    const struct sft_graph *graph = planner->graph;
    for (size_t i = 0; i < graph->n_values; i++) planner->owner[i] = (sft_value)i;
    for (size_t k = 0; k < graph->n_nodes; k++) reuse_in_place(planner, (int32_t)k);
    collect_values(planner);
    collect_scratch(planner, scratch);
}

static int larger_first(const void *a, const void *b)
{
    const struct lifetime *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

static int lower_first(const void *a, const void *b)
{
    const struct lifetime *x = *(const struct lifetime *const *)a, *y = *(const struct lifetime *const *)b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* The lowest offset at which `life` fits beside those of lives[0..n-1] that it meets. */
static size_t lowest_offset(const struct lifetime *lives, size_t n, const struct lifetime *life,
                            const struct lifetime **blocked)
{
    size_t n_blocked = 0, offset = 0;
    for (size_t i = 0; i < n; i++)
        if (lives[i].first <= life->last && life->first <= lives[i].last) blocked[n_blocked++] = &lives[i];
    qsort(blocked, n_blocked, sizeof(*blocked), lower_first);
    for (size_t i = 0; i < n_blocked && blocked[i]->offset < offset + life->bytes; i++)
        if (blocked[i]->offset + blocked[i]->bytes > offset) offset = blocked[i]->offset + blocked[i]->bytes;
    return offset;
}

static enum sft_status assign_offsets(struct planner *planner)
{
    const struct lifetime **blocked = sft_calloc(planner->n_lives, sizeof(*blocked));
    if (!blocked) return SFT_MEMORY;
    qsort(planner->lives, planner->n_lives, sizeof(*planner->lives), larger_first);
    for (size_t i = 0; i < planner->n_lives; i++) {
        struct lifetime *life = &planner->lives[i];
        life->offset = lowest_offset(planner->lives, i, life, blocked);
        if (life->offset + life->bytes > planner->plan->arena)
            planner->plan->arena = life->offset + life->bytes;
    }
    free(blocked);
    return SFT_OK;
}

static void publish(struct planner *planner)
{
    const struct sft_graph *graph = planner->graph;
    struct sft_place *places = planner->plan->values;
    for (size_t i = 0; i < planner->n_lives; i++) {
        const struct lifetime *life = &planner->lives[i];
        if (life->value == SFT_NONE)
            planner->plan->scratch[life->first] = life->offset;
        else
            places[life->value] = (struct sft_place){SFT_NONE, life->offset};
    }
    for (size_t i = 0; i < graph->n_values; i++) {
        int64_t offset;
        sft_value base = sft_graph_root(graph, (sft_value)i, &offset);
        if (graph->values[base].outside)
            places[i] = (struct sft_place){base, 0};
        else
            places[i] = places[planner->owner[base]];
        places[i].offset += (size_t)offset * sft_dtype_size(graph->values[i].dtype);
    }
}

/* The empty plan and the planner's own arrays; whoever calls releases them. */
static enum sft_status begin(struct planner *planner)
{
    const struct sft_graph *graph = planner->graph;
    struct sft_plan *plan = planner->plan = sft_calloc(1, sizeof(*plan));
    if (!plan) return SFT_MEMORY;
    plan->n_values = graph->n_values;
    plan->n_nodes = graph->n_nodes;
    plan->values = sft_calloc(graph->n_values, sizeof(*plan->values));
    plan->scratch = sft_calloc(graph->n_nodes, sizeof(*plan->scratch));
    planner->owner = sft_calloc(graph->n_values, sizeof(*planner->owner));
    planner->last = sft_calloc(graph->n_values, sizeof(*planner->last));
    planner->lives = sft_calloc(graph->n_values + graph->n_nodes, sizeof(*planner->lives));
    return plan->values && plan->scratch && planner->owner && planner->last && planner->lives ? SFT_OK
                                                                                              : SFT_MEMORY;
}

static void end(struct planner *planner)
{
    free(planner->owner);
    free(planner->last);
    free(planner->lives);
    sft_plan_destroy(&planner->plan);
}

static void add_up(const struct planner *planner, size_t *live)
{
    size_t sum = 0;
    for (size_t k = 0; k < planner->graph->n_nodes; k++) live[k] = 0;
    for (size_t i = 0; i < planner->n_lives; i++) live[planner->lives[i].first] += planner->lives[i].bytes;
    for (size_t i = 0; i < planner->n_lives; i++) /* wraps around, and back in the sum */
        if ((size_t)planner->lives[i].last + 1 < planner->graph->n_nodes)
            live[planner->lives[i].last + 1] -= planner->lives[i].bytes;
    for (size_t k = 0; k < planner->graph->n_nodes; k++) live[k] = sum += live[k];
}

static enum sft_status survey(struct planner *planner, sft_scratch_rule scratch)
{
    SFT_TRY(planner->graph->status);
    SFT_TRY(begin(planner));
    find_last_uses(planner);
    collect_lives(planner, scratch);
    return SFT_OK;
}

enum sft_status sft_plan_live(const struct sft_graph *graph, sft_scratch_rule scratch, size_t *live)
{
    struct planner planner = {.graph = graph};
    enum sft_status status = survey(&planner, scratch);
    if (status == SFT_OK) add_up(&planner, live);
    end(&planner);
    return status;
}

static enum sft_status find_least(struct planner *planner)
{
    size_t *live = sft_calloc(planner->graph->n_nodes, sizeof(*live));
    if (!live) return SFT_MEMORY;
    add_up(planner, live);
    for (size_t k = 0; k < planner->graph->n_nodes; k++)
        if (live[k] > planner->plan->least) planner->plan->least = live[k];
    free(live);
    return SFT_OK;
}

enum sft_status sft_plan_create(const struct sft_graph *graph, sft_scratch_rule scratch,
                                struct sft_plan **plan)
{
    struct planner planner = {.graph = graph};
    enum sft_status status;
    *plan = NULL;
    SFT_TRY_OUT(survey(&planner, scratch));
    SFT_TRY_OUT(find_least(&planner));
    SFT_TRY_OUT(assign_offsets(&planner));
    publish(&planner);
    *plan = planner.plan;
    planner.plan = NULL;
out:
    end(&planner);
    return status;
}

void sft_plan_destroy(struct sft_plan **plan)
{
    if (!*plan) return;
    free((*plan)->values);
    free((*plan)->scratch);
    free(*plan);
    *plan = NULL;
}

static void print_node(const struct sft_graph *graph, size_t k, FILE *file)
{
    const struct sft_node *node = &graph->nodes[k];
    struct sft_cost cost = sft_node_cost(graph, node);
    char text[SFT_SHAPE_TEXT];
    fprintf(file, "%5zu  %-24s", k, node->op->name);
    fprintf(file, " %-20s",
            node->n_in && node->in[0] != SFT_NONE ? sft_shape_str(sft_in_shape(graph, node, 0), text) : "-");
    fprintf(file, " %-20s", node->n_out ? sft_shape_str(sft_out_shape(graph, node, 0), text) : "-");
    fprintf(file, " %10.3f MFLOP %10.3f MB\n", cost.flops * 1e-6, cost.bytes * 1e-6);
}

void sft_plan_print(const struct sft_graph *graph, const struct sft_plan *plan, FILE *file)
{
    double flops = 0, bytes = 0, outside = 0;
    size_t kernels = 0;
    for (size_t k = 0; k < graph->n_nodes; k++) {
        struct sft_cost cost = sft_node_cost(graph, &graph->nodes[k]);
        if (graph->nodes[k].op->view) continue;
        print_node(graph, k, file);
        flops += cost.flops;
        bytes += cost.bytes;
        kernels++;
    }
    for (size_t i = 0; i < graph->n_values; i++)
        if (graph->values[i].outside) outside += (double)sft_graph_bytes(graph, (sft_value)i);
    fprintf(file,
            "%zu operations, %.3f GFLOP, %.3f GB of traffic; arena %.1f MiB (%.1f alive at most), tensors "
            "%.1f MiB\n",
            kernels, flops * 1e-9, bytes * 1e-9, (double)plan->arena / 1048576.0,
            (double)plan->least / 1048576.0, outside / 1048576.0);
}
