/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The graph: a program over tensors in static single assignment form.
 *
 * A value is written by one node (or comes from outside), nodes run in the order in which they were appended,
 * and that order is a schedule: an op can only use values that exist. Building reads like the formula
 * (runtime/ops.h):
 *
 *     sft_value x = sft_graph_input(graph, "images", SFT_F32, SFT_SHAPE(64, 32, 32, 3));
 *     sft_value y = sft_relu(graph, sft_conv2d(graph, x, weight, SFT_NONE, params));
 *     SFT_TRY(sft_graph_status(graph));
 *
 * The first failure (a shape that does not fit, no memory) is logged and kept; from then on every builder
 * returns SFT_NONE, so one check at the end is enough.
 *
 * Values that outlive a run (parameters, inputs, optimiser state) are bound to tensors (runtime/tensor.h).
 * Ops that update such a value in place must be appended after everything that reads its old contents.
 */
#ifndef SFT_GRAPH_H
#define SFT_GRAPH_H

#include <stdbool.h>

#include "runtime/base/shape.h"
#include "runtime/base/status.h"

struct sft_tensor;
struct sft_op;

typedef int32_t sft_value;
enum { SFT_NONE = -1, SFT_MAX_INPUTS = 8, SFT_MAX_OUTPUTS = 3, SFT_MAX_PARAMS = 96 };

struct sft_value_info {
    struct sft_shape shape;
    enum sft_dtype dtype;
    const char *name;          /* of an outside value; NULL otherwise */
    struct sft_tensor *tensor; /* of an outside value once bound: borrowed */
    int32_t node;              /* that writes it; -1 for an outside value */
    sft_value base;            /* the value whose memory this one lies in, or SFT_NONE */
    int64_t offset;            /* elements from the start of `base` */
    bool outside;              /* lives in a tensor, not in the plan's arena */
};

struct sft_node {
    const struct sft_op *op;
    int n_in, n_out;
    bool gradient; /* belongs to a gradient: sft_autodiff() appended it, or sft_graph_hoist() put it there */
    bool again;    /* computes what another node has computed before (runtime/passes/recompute.c) */
    sft_value in[SFT_MAX_INPUTS]; /* SFT_NONE for an optional input that is not there */
    sft_value out[SFT_MAX_OUTPUTS];
    _Alignas(8) unsigned char params[SFT_MAX_PARAMS]; /* the op's own parameter struct */
};

struct sft_graph {
    struct sft_node *nodes;
    struct sft_value_info *values;
    size_t n_nodes, n_values;
    size_t node_room, value_room; /* private */
    enum sft_status status;       /* private: see sft_graph_status */
};

enum sft_status sft_graph_create(struct sft_graph **graph) SFT_MUST_CHECK;
void sft_graph_destroy(struct sft_graph **graph);

/* The first failure of any builder call, or SFT_OK. */
enum sft_status sft_graph_status(const struct sft_graph *graph) SFT_MUST_CHECK;

/* A value that lives outside the plan: an input, a parameter, state. Bind a tensor before a program is made
 * of it. */
sft_value sft_graph_input(struct sft_graph *graph, const char *name, enum sft_dtype dtype,
                          struct sft_shape shape);
void sft_graph_bind(struct sft_graph *graph, sft_value value, struct sft_tensor *tensor);

/* Shape of a value; a shape of rank -1 for SFT_NONE. The pointer is good until the graph grows. */
const struct sft_shape *sft_graph_shape(const struct sft_graph *graph, sft_value value);

/* Bytes that the elements of a value take. */
size_t sft_graph_bytes(const struct sft_graph *graph, sft_value value);

/* The value in whose memory `value` lies at the end of the chain of bases, itself where it has none. `offset`
 * (may be NULL) gets the elements from that value's start. */
sft_value sft_graph_root(const struct sft_graph *graph, sft_value value, int64_t *offset);

/* Appends a node: checks arity, infers shapes, makes its outputs. For the builders in runtime/ops. `out` may
 * be NULL. Returns the first output. */
sft_value sft_graph_append(struct sft_graph *graph, const struct sft_op *op, const sft_value *in, int n_in,
                           const void *params, sft_value *out);

/* A graph of its own with the same nodes and values; bound tensors are shared. A graph that has failed gives
 * its status. */
enum sft_status sft_graph_copy(const struct sft_graph *graph, struct sft_graph **copy) SFT_MUST_CHECK;

/* Removes the nodes k for which keep[k] is false. Values stay; those of removed nodes must not be used any
 * more. */
void sft_graph_keep(struct sft_graph *graph, const bool *keep);

/* Moves the nodes from number `first` on, in their order, each to right behind the last of those whose
 * results it reads, among the nodes of a gradient: so that what they add up need not wait for them. What they
 * update or write in tensors must be read by nobody else in between. */
void sft_graph_hoist(struct sft_graph *graph, size_t first);

/* Removes the nodes whose results reach no outside value, so that a program does not compute what nobody
 * asked for. Values stay as in sft_graph_keep. */
void sft_graph_prune(struct sft_graph *graph);

/* Keeps `status` as the graph's failure when it is the first one; returns SFT_NONE. */
sft_value sft_graph_fail(struct sft_graph *graph, enum sft_status status);

/* ---- a node's operands ---- */

/* The op's parameter struct of a node. */
#define SFT_NODE_PARAMS(type, node) ((const type *)(const void *)(node)->params)

static inline const struct sft_shape *sft_in_shape(const struct sft_graph *graph, const struct sft_node *node,
                                                   int i)
{
    return sft_graph_shape(graph, node->in[i]);
}

static inline const struct sft_shape *sft_out_shape(const struct sft_graph *graph,
                                                    const struct sft_node *node, int i)
{
    return sft_graph_shape(graph, node->out[i]);
}

static inline int64_t sft_in_count(const struct sft_graph *graph, const struct sft_node *node, int i)
{
    return sft_shape_count(sft_graph_shape(graph, node->in[i]));
}

static inline int64_t sft_out_count(const struct sft_graph *graph, const struct sft_node *node, int i)
{
    return sft_shape_count(sft_graph_shape(graph, node->out[i]));
}

#endif
