/* SPDX-License-Identifier: Apache-2.0 */
/* The programs that a step is made of. */
#ifndef SFT_SAM_PROGRAMS_H
#define SFT_SAM_PROGRAMS_H

#include "sam/step_state.h"

/* Builds the graphs of all that the step needs, on its tensors. */
enum sft_status sft_step_build_graphs(struct sft_step *step) SFT_MUST_CHECK;

/* Makes programs of step->planned, with one arena of step->plan.arena bytes. */
enum sft_status sft_step_make_programs(struct sft_step *step) SFT_MUST_CHECK;

/* Graphs, plans and programs. */
void sft_step_free_programs(struct sft_step *step);

#endif
