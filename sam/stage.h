/* SPDX-License-Identifier: Apache-2.0 */
/* A graph of a step while it is built: what perturb, descent and programs append to. */
#ifndef SFT_SAM_STAGE_H
#define SFT_SAM_STAGE_H

#include "sam/step_state.h"

struct sft_stage {
    struct sft_step *step;
    struct sft_graph *graph;
    struct sft_forward forward; /* of the next pass */
    sft_value weights;          /* w */
    sft_value slots[SFT_SLOTS]; /* SFT_NONE until asked for */
};

/* The tensor's value in this graph: one for all uses, so that reads and updates are seen in their order. */
sft_value sft_stage_slot(struct sft_stage *stage, enum sft_slot slot);

/* Elements first .. last-1 of a flat value. */
sft_value sft_stage_part(struct sft_stage *stage, sft_value flat, int64_t first, int64_t last);

/* A parameter's elements of a flat value. */
sft_value sft_stage_parameter(struct sft_stage *stage, sft_value flat, int i);

/* One of enum sft_hyper, as a tensor of shape (1). */
sft_value sft_stage_hyper(struct sft_stage *stage, enum sft_hyper which);

#endif
