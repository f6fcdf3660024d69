/* SPDX-License-Identifier: Apache-2.0 */
/* Input pre-processing, as ODIN and Mahalanobis have it. Private to ood/scores. */
#ifndef SFT_INPUT_STEP_H
#define SFT_INPUT_STEP_H

#include "nn/inference.h"

/* The largest of each row of x (N, C), (N), and where it is, the first of equals, int32 (N); `at` may be
 * NULL. */
sft_value sft_largest_of_rows(struct sft_graph *graph, sft_value x, sft_value *at);

/* The cross entropy of `logits` (N, C) with the class they predict (the first wins ties), summed over images,
 * (1). */
sft_value sft_prediction_loss(struct sft_graph *graph, sft_value logits);

/* sign(grad of `loss` (1) with respect to `images`), with sign(0) = +1. */
sft_value sft_gradient_sign(struct sft_graph *graph, sft_value loss, sft_value images);

#endif
