/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: where each temporary value of a graph lives. Values whose lifetimes do not overlap share memory
 * in one arena, so the memory of a step is known before anything is allocated.
 */
#ifndef SFT_PLAN_H
#define SFT_PLAN_H

#include <stdio.h>

#include "runtime/graph.h"

enum { SFT_PLAN_ALIGNMENT = 256 };

struct sft_place {
    sft_value root; /* the outside value it lies in, or SFT_NONE: the arena */
    size_t offset;  /* bytes */
};

struct sft_plan {
    struct sft_place *values; /* by value */
    size_t *scratch;          /* by node: arena offset of its scratch memory */
    size_t n_values, n_nodes;
    size_t arena; /* bytes */
    size_t least; /* bytes that are alive at once at most: no arena can be smaller */
};

/* Bytes of scratch memory that a node's kernel needs; they may depend on shapes and parameters only. */
typedef size_t (*sft_scratch_rule)(const struct sft_graph *graph, const struct sft_node *node);

enum sft_status sft_plan_create(const struct sft_graph *graph, sft_scratch_rule scratch,
                                struct sft_plan **plan) SFT_MUST_CHECK;
void sft_plan_destroy(struct sft_plan **plan);

/* Bytes that are alive while node k runs, into live[k]: those of its own, of values that wait for a reader,
 * of its scratch memory. The largest of them is the least that an arena can be. */
enum sft_status sft_plan_live(const struct sft_graph *graph, sft_scratch_rule scratch,
                              size_t *live) SFT_MUST_CHECK;

/* Prints every node: op, shapes, FLOPs, bytes; then totals, arena and outside bytes. */
void sft_plan_print(const struct sft_graph *graph, const struct sft_plan *plan, FILE *file);

#endif
