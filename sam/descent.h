/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient u of sam/optimizer.h, and the base optimisers. */
#ifndef SFT_SAM_DESCENT_H
#define SFT_SAM_DESCENT_H

#include "sam/stage.h"

/* Appends u, from SFT_SLOT_ASCENT and `q`, of a step with both passes. */
sft_value sft_stage_mix(struct sft_stage *stage, sft_value q);

/* Appends u of a LookSAM step that has only `g`. */
sft_value sft_stage_mix_between(struct sft_stage *stage, sft_value g);

/* Appends the base optimiser's step by `u`, and what WSAM adds to it. */
void sft_stage_update(struct sft_stage *stage, sft_value u);

#endif
