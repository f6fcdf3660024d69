/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that share memory: views, values placed in a tensor (sft_graph_place), tensors updated in place.
 *
 * An outside value changes while a program runs: what is read before an update is old, what is read after it
 * is new. A value that a node writes does not: whoever reads it finds what the node wrote.
 */
#ifndef SFT_ALIASING_H
#define SFT_ALIASING_H

#include "runtime/graph.h"

/* Whether two values have an element in common. Values bound to one tensor lie in the same memory; two
 * temporaries that are no views of one value never do. */
bool sft_values_overlap(const struct sft_graph *graph, sft_value a, sft_value b);

/* SFT_USAGE, with a message that names op and tensor, where sharing would change a result:
 * - two values are placed over each other;
 * - a placed value is written over, by an update of its tensor, before its last reader;
 * - a node writes where another of its inputs lies, and the op is not made for that (sft_op.in_place). */
enum sft_status sft_graph_check_aliasing(const struct sft_graph *graph) SFT_MUST_CHECK;

#endif
