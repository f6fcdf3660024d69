/* SPDX-License-Identifier: Apache-2.0 */
/* The perturbation rho d/l of sam/optimizer.h. */
#ifndef SFT_SAM_PERTURB_H
#define SFT_SAM_PERTURB_H

#include "sam/stage.h"

/* Appends w + rho d/l from SFT_SLOT_ASCENT. Elements 0 .. extent-1. */
sft_value sft_stage_perturb(struct sft_stage *stage);

#endif
