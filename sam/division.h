/* SPDX-License-Identifier: Apache-2.0 */
/* How a step is divided so that it fits: into how many slices, and what is computed again. */
#ifndef SFT_SAM_DIVISION_H
#define SFT_SAM_DIVISION_H

#include "sam/step_state.h"

/* Chooses, describes the tensors, builds and plans the programs, and fills step->plan. SFT_USAGE for slices
 * with batch norm, SFT_MEMORY where nothing fits: the message says the least that is needed. */
enum sft_status sft_step_divide(struct sft_step *step) SFT_MUST_CHECK;

#endif
