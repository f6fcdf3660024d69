/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `finetune`, as its own command line and --tune of `reproduce` have them. */
#ifndef SFT_FINETUNE_OPTIONS_H
#define SFT_FINETUNE_OPTIONS_H

#include "tools/cli/fit_options.h"
#include "tools/jobs/finetune.h"

struct sft_finetune_values {
    struct sft_common common;
    bool no_augment;
    struct sft_finetune_job job;
};
SFT_ASSERT_FIT_VALUES(struct sft_finetune_values, job);

extern const struct sft_option_group sft_finetune_groups[];

/* Puts the defaults of sft_finetune_job_init() into the zeroed values. */
void sft_finetune_values_init(void *values);

/* Gives the job that was parsed, complete as sft_fit_take() makes it. */
void sft_finetune_take(const struct sft_fit_words *words, struct sft_device *device,
                       struct sft_finetune_job *job);

#endif
