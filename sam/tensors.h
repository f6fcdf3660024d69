/* SPDX-License-Identifier: Apache-2.0 */
/* The tensors and host buffers of a step. */
#ifndef SFT_SAM_TENSORS_H
#define SFT_SAM_TENSORS_H

#include "sam/step_state.h"

/* Creates those that the step needs, as its parameters and optimiser say, and fills in what never changes. */
enum sft_status sft_step_create_tensors(struct sft_step *step) SFT_MUST_CHECK;
void sft_step_free_tensors(struct sft_step *step);

#endif
