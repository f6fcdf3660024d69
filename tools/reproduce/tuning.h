/* SPDX-License-Identifier: Apache-2.0 */
/* One fine-tuning of an experiment: a call of `finetune` with options from a table, kept in a folder. */
#ifndef SFT_REPRODUCE_TUNING_H
#define SFT_REPRODUCE_TUNING_H

#include "tools/jobs/fit_run.h"
#include "tools/reproduce/plan.h"

enum { SFT_TUNING_WORDS = 96, SFT_TUNING_TEXT = 4 * SFT_RUN_PATH };

/* Options as they were parsed, and the words they point into. */
struct sft_tuning {
    struct sft_args args;
    char *argv[SFT_TUNING_WORDS];
    int argc;
    char text[SFT_TUNING_TEXT];
    size_t used;
    bool overflow;
};

/* "FOLDER/runs/MODEL-TUNING-ID-sSEED". */
void sft_state_folder(const struct sft_lab *lab, struct sft_state state, char path[SFT_RUN_PATH]);

/* Parses the options for a run that keeps the model after each of `count` numbers of steps, the last of which
 * ends it. SFT_USAGE for a --tune that `finetune` does not take, or that makes the rate depend on the number
 * of steps. Release with sft_tuning_free in any case. */
enum sft_status sft_tuning_parse(const struct sft_lab *lab, struct sft_state state, int count,
                                 const int64_t *steps, struct sft_tuning *tuning) SFT_MUST_CHECK;
void sft_tuning_free(struct sft_tuning *tuning);

/* What `finetune` and `train` have in common. */
const struct sft_fit_values *sft_tuning_values(const struct sft_tuning *tuning);

/* Runs it, unless the folder has all those models. */
enum sft_status sft_tuning_run(const struct sft_lab *lab, struct sft_state state, int count,
                               const int64_t *steps) SFT_MUST_CHECK;

/* Runs `finetune --trace prop1` on the lab's sets into another folder, report and output included. */
enum sft_status sft_tuning_trace(const struct sft_lab *lab, struct sft_state state,
                                 const char *folder) SFT_MUST_CHECK;

/* Whether it is there. */
bool sft_tuning_is_done(const struct sft_lab *lab, struct sft_state state, int count, const int64_t *steps);

#endif
