/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a run between two steps, as a safetensors file of flat tensors: the weights, what the
 * optimiser carries from step to step, the running statistics of batch norm. From it a run goes on as if it
 * had never stopped.
 *
 * The file holds a SHA-256 over its tensors and texts, so that a state that was damaged on its way is not
 * taken for one.
 */
#ifndef SFT_SAM_FIT_STATE_H
#define SFT_SAM_FIT_STATE_H

#include "nn/checkpoint/checkpoint.h"
#include "sam/step.h"

/* What a state says of its run; all but the step are texts that the run's owner makes and reads. */
struct sft_fit_note {
    int64_t step;         /* steps that are done */
    const char *identity; /* what the run is a function of */
    const char *history;  /* what computed it so far */
};

struct sft_fit_state {
    struct sft_fit_note note; /* borrowed from the file */
    struct sft_checkpoint *file;
};

/* Writes the state of `model` and of the step that trains it, atomically. */
enum sft_status sft_fit_state_save(const char *path, struct sft_model *model, const struct sft_step *step,
                                   const struct sft_fit_note *note) SFT_MUST_CHECK;

/* Opens a state and checks it against its hash. SFT_DATA where it is missing, damaged or no state. Release
 * with sft_fit_state_close() in any case. */
enum sft_status sft_fit_state_open(const char *path, struct sft_fit_state *state) SFT_MUST_CHECK;
void sft_fit_state_close(struct sft_fit_state *state);

/* Puts the state into the model and the step. SFT_DATA where it belongs to another architecture or
 * optimiser. */
enum sft_status sft_fit_state_load(const struct sft_fit_state *state, struct sft_model *model,
                                   struct sft_step *step) SFT_MUST_CHECK;

#endif
