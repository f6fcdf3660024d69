/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model at a point of its life, and where it is kept.
 *
 * Below --out, runs/MODEL-ID holds the evaluations of a model as it is, and runs/MODEL-TUNING-ID-sSEED a
 * fine-tuning (a run folder as `finetune` leaves it, with model-STEPS.safetensors) and its evaluations,
 * metrics-STEPS-ID.json. ID is a hash of what decides the result, so that nothing is ever taken for something
 * else.
 */
#ifndef SFT_REPRODUCE_STATE_H
#define SFT_REPRODUCE_STATE_H

#include "tools/reproduce/lab.h"

struct sft_state {
    const struct sft_lab_model *model;
    const struct sft_variation *tuning; /* NULL: as it is */
    int64_t steps, seed;
};

/* "FOLDER/runs/MODEL-TUNING-ID-sSEED". */
void sft_state_folder(const struct sft_lab *lab, struct sft_state state, char path[SFT_RUN_PATH]);

/* The file of a state's weights, once it is trained. */
void sft_state_weights(const struct sft_lab *lab, struct sft_state state, char path[SFT_RUN_PATH]);

/* The file of a state's evaluations; "" where its name is too long. */
void sft_state_metrics(const struct sft_lab *lab, struct sft_state state, char path[SFT_RUN_PATH]);

#endif
