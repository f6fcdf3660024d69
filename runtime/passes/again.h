/* SPDX-License-Identifier: Apache-2.0 */
/* Computing values again for the gradient instead of keeping them. */
#ifndef SFT_AGAIN_H
#define SFT_AGAIN_H

#include "runtime/graph.h"

/* A graph in which the nodes of gradients (sft_node.gradient) read copies of the values v of `from` for which
 * drop[v] holds. A copy is made by copies of the nodes that made the original, right before the first node
 * that needs it, from what is kept or from other copies, by the same kernels: it has the same bits.
 *
 * A dropped value is made by a node that belongs to no gradient, writes nothing outside and reads nothing
 * that is written before the last node of the gradient; views follow the value that they are views of.
 *
 * Where `places` is not NULL, places[k] is for node k of the result the node of `from` that it is, or that
 * its copies were made for; the caller frees it. */
enum sft_status sft_compute_again(const struct sft_graph *from, const bool *drop, struct sft_graph **made,
                                  size_t **places) SFT_MUST_CHECK;

#endif
