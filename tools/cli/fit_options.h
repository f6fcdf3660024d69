/* SPDX-License-Identifier: Apache-2.0 */
/* The options that `train` and `finetune` have in common: rows that fill a struct sft_training_job. */
#ifndef SFT_FIT_OPTIONS_H
#define SFT_FIT_OPTIONS_H

#include "tools/cli/common.h"
#include "tools/jobs/training_job.h"

/* How both commands' structs of values begin; a job of either begins with a struct sft_training_job. */
struct sft_fit_values {
    struct sft_common common;
    bool no_augment;
    struct sft_training_job training;
};

/* Compiles only where `job` lies in the struct `type` as `training` does in the one above. */
#define SFT_ASSERT_FIT_VALUES(type, job)                                                                     \
    _Static_assert(offsetof(type, job.training) == offsetof(struct sft_fit_values, training) &&              \
                       offsetof(type, no_augment) == offsetof(struct sft_fit_values, no_augment),            \
                   #type " begins as struct sft_fit_values")

extern const struct sft_option sft_fit_data_options[];     /* --id, --limit, --skip-bad, --eval-id */
extern const struct sft_option sft_fit_run_options[];      /* --out, --overwrite, --resume, --seed, ... */
extern const struct sft_option sft_fit_step_options[];     /* --steps, --batch, --lr, --optimizer, ... */
extern const struct sft_option sft_fit_perturb_options[];  /* --perturb, --adaptive, --sam-m, ... */
extern const struct sft_option sft_fit_relative_options[]; /* constants of one optimiser each */

/* Words of options that are a bool. */
extern const char *const sft_no_yes[], *const sft_yes_no[], *const sft_on_off[];

/* What a run's description is made from. */
struct sft_fit_words {
    const struct sft_args *args;  /* whose values are a struct sft_fit_values */
    const struct sft_args *typed; /* the command line that led to the run: `args`, or those of `reproduce` */
};

/* Completes a copy of the job that was parsed: where it computes, --no-augment, and how its runs are
 * described, for which `words` stays borrowed. A description leaves the run in the values of words->args. */
void sft_fit_take(const struct sft_fit_words *words, struct sft_device *device, struct sft_training_job *job);

#endif
