/* SPDX-License-Identifier: Apache-2.0 */
/* Input pre-processing, as ODIN and Mahalanobis have it. Private to ood/scores. */
#ifndef SFT_INPUT_STEP_H
#define SFT_INPUT_STEP_H

#include "nn/inference.h"

/* The images moved against the gradient of the cross entropy of `logits` (N, C) with the class they predict (the first
 * wins ties): x - eps * sign(grad_x CE), with sign(0) = +1. A negative eps moves them away from that class. */
sft_value sft_step_against_predicted(const struct sft_pass *pass, sft_value logits, float eps);

#endif
