/* SPDX-License-Identifier: Apache-2.0 */
/* What a node costs on an ideal machine. */
#ifndef SFT_COST_H
#define SFT_COST_H

#include "runtime/graph.h"
#include "runtime/op.h"

/* Bytes and FLOPs of a node (by the op's own rule, or bytes of inputs and outputs); nothing for a view. */
struct sft_cost sft_node_cost(const struct sft_graph *graph, const struct sft_node *node);

/* Seconds that a node may take on an ordinary machine of 100 GFLOP/s and 10 GB/s: to compare ways to compute
 * the same, whatever the device. */
double sft_node_seconds(const struct sft_graph *graph, const struct sft_node *node);

#endif
