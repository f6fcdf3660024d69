/* SPDX-License-Identifier: Apache-2.0 */
/* What the host decides for a step: ESAM's tensors and images, SSAM's mask. */
#ifndef SFT_SAM_SELECT_H
#define SFT_SAM_SELECT_H

#include "sam/step_state.h"

/* ESAM: draws which tensors are perturbed in this step. */
enum sft_status sft_select_tensors(struct sft_step *step, const struct sft_step_rates *rates) SFT_MUST_CHECK;

/* ESAM: weight_buffer for the second pass, from the losses before (row_buffer) and after (second_buffer). */
enum sft_status sft_select_rows(struct sft_step *step, const int32_t *labels) SFT_MUST_CHECK;

/* SSAM: the mask. Before a step: SSAM-F from the images it is given, SSAM-D the start; after it: SSAM-D. */
enum sft_status sft_select_before(struct sft_step *step, const struct sft_step_rates *rates,
                                  const float *images, const int32_t *labels) SFT_MUST_CHECK;
enum sft_status sft_select_after(struct sft_step *step, const struct sft_step_rates *rates) SFT_MUST_CHECK;

#endif
