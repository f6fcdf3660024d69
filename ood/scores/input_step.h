/* SPDX-License-Identifier: Apache-2.0 */
/* Input pre-processing, as ODIN and Mahalanobis have it. Private to ood/scores. */
#ifndef SFT_INPUT_STEP_H
#define SFT_INPUT_STEP_H

#include "nn/inference.h"

/* The images moved against the gradient of `loss` (1): x - eps * sign(grad_x loss), with sign(0) = +1. */
sft_value sft_step_against(const struct sft_pass *pass, sft_value loss, float eps);

/* The largest of each row of x (N, C) as (N), and where it is as int32 (N); the first wins ties. */
sft_value sft_rows_max(struct sft_graph *graph, sft_value x, sft_value *index);

#endif
