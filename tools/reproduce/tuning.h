/* SPDX-License-Identifier: Apache-2.0 */
/* One fine-tuning of an experiment, kept in a folder of its own. */
#ifndef SFT_REPRODUCE_TUNING_H
#define SFT_REPRODUCE_TUNING_H

#include "tools/reproduce/state.h"

/* Fills in the job of a run that keeps the model after each of `count` numbers of steps, the last of which
 * ends it, in the folder of the state, which the caller gives room for. SFT_USAGE for a --tune that makes the
 * rate depend on the number of steps. */
enum sft_status sft_tuning_job(const struct sft_lab *lab, struct sft_state state, int count,
                               const int64_t *steps, char folder[SFT_RUN_PATH],
                               struct sft_finetune_job *job) SFT_MUST_CHECK;

/* Runs it, unless the folder has all those models. */
enum sft_status sft_tuning_run(const struct sft_lab *lab, struct sft_state state, int count,
                               const int64_t *steps) SFT_MUST_CHECK;

/* Runs a fine-tuning with a trace of Proposition 1 on the lab's sets into another folder, report included.
 * Release the result with sft_finetune_result_free() in any case. */
enum sft_status sft_tuning_trace(const struct sft_lab *lab, struct sft_state state, const char *folder,
                                 struct sft_finetune_result *result) SFT_MUST_CHECK;

/* Whether it is there. */
bool sft_tuning_is_done(const struct sft_lab *lab, struct sft_state state, int count, const int64_t *steps);

#endif
