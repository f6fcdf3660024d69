/* SPDX-License-Identifier: Apache-2.0 */
/* Training from random weights, or on from given ones: the loop of fine-tuning with other numbers, without
 * outliers. */
#ifndef SFT_TRAIN_H
#define SFT_TRAIN_H

#include "tools/jobs/training_job.h"
#include "tools/jobs/watch.h"

struct sft_train_job {
    /* With weights, training goes on from them; otherwise model.variant is what to train. With
     * params.schedule.steps 0 `epochs` says how long; 0 epochs write the initial weights. */
    struct sft_training_job training;
    double epochs;          /* passes over the images */
    const char *mos_groups; /* file with groups of classes (tools/jobs/mos_groups.h) that give a new model a
                               grouped classifier; NULL: a plain one */
};

/* 30 epochs of SGD with 128 images at a rate of 0.1 in one cycle, cropped and flipped. */
void sft_train_job_init(struct sft_train_job *job);

struct sft_train_result {
    char test[4096]; /* SPEC of the images that the accuracy is of; "": there were none */
    double accuracy; /* a fraction */
};

/* Trains into the job's folder. `watch` may be NULL. Statuses as sft_finetune(). */
enum sft_status sft_train(const struct sft_train_job *job, const struct sft_watch *watch,
                          struct sft_train_result *result) SFT_MUST_CHECK;

#endif
