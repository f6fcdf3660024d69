/* SPDX-License-Identifier: Apache-2.0 */
/* Feature maps without their largest rank-1 part, in the graph. Private to ood/scores. */
#ifndef SFT_RANK_ONE_H
#define SFT_RANK_ONE_H

#include "nn/inference.h"

/* map (N,H,W,C) or tokens (N,T,C) as N matrices X of pixels (tokens) by channels: X - s u v^T. G = X^T X (or
 * X X^T, whichever is smaller) is scaled to length 1 and raised to the power 2^squarings, which raises the
 * share of the first singular vector in G 1 as so many rounds of a power iteration would: of a large G a part
 * of the squarings is replaced by products of the squared matrix with the vector. From there
 * sft_remove_rank_one() takes `iterations` more. `quality` as there. */
sft_value sft_rank_one_removed(struct sft_graph *graph, sft_value map, int squarings, int iterations,
                               sft_value *quality);

#endif
