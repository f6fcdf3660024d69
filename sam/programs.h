/* SPDX-License-Identifier: Apache-2.0 */
/* The programs that a step is made of. */
#ifndef SFT_SAM_PROGRAMS_H
#define SFT_SAM_PROGRAMS_H

#include "sam/step_state.h"

/* Builds all that the step needs, from its tensors. */
enum sft_status sft_step_build_programs(struct sft_step *step) SFT_MUST_CHECK;

#endif
