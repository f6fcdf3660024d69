/* SPDX-License-Identifier: Apache-2.0 */
/* The tensors and host buffers of a step. */
#ifndef SFT_SAM_TENSORS_H
#define SFT_SAM_TENSORS_H

#include "sam/step_state.h"

/* Describes those that the step needs, as its parameters, optimiser and slices say: without memory. */
enum sft_status sft_step_describe_tensors(struct sft_step *step) SFT_MUST_CHECK;

/* Gives them memory, with the host's buffers, and fills in what never changes. */
enum sft_status sft_step_allocate_tensors(struct sft_step *step) SFT_MUST_CHECK;
void sft_step_free_tensors(struct sft_step *step);

#endif
