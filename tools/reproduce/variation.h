/* SPDX-License-Identifier: Apache-2.0 */
/* How a row of a table is fine-tuned: in what it differs from the defaults of `finetune`. */
#ifndef SFT_REPRODUCE_VARIATION_H
#define SFT_REPRODUCE_VARIATION_H

#include "tools/jobs/finetune.h"

struct sft_variation {
    const char *name;         /* the same in options of `finetune`, "" for its defaults: names folders, tells
                                 trainings         apart, and is what people read */
    const char *optimizer;    /* NULL: the default */
    double rho;               /* 0: the default */
    enum sft_sam_empty empty; /* the zero is the default */
    bool only_id;             /* without outliers */
    bool as_paper;            /* the paper's settings at any size of pictures, where `finetune` has others */
};

/* Sets in the job what the variation says. */
void sft_variation_apply(const struct sft_variation *variation, struct sft_finetune_job *job);

/* The variations that tables name. */
extern const struct sft_variation sft_tuned, sft_tuned_only_id, sft_tuned_sam, sft_tuned_sgd, sft_tuned_adam;
extern const struct sft_variation sft_tuned_rho_005, sft_tuned_rho_01, sft_tuned_rho_05, sft_tuned_rho_1,
    sft_tuned_rho_2;
extern const struct sft_variation sft_tuned_empty_sgd, sft_tuned_empty_all;
extern const struct sft_variation sft_tuned_paper, sft_tuned_paper_empty_sgd, sft_tuned_paper_empty_all;

#endif
