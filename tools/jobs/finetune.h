/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main job: SFT, of a model that is evaluated before and after. What the paper leaves open is a member
 * (docs/methods.md, "What the paper leaves open"); what it says are the defaults for large pictures. For
 * small ones there is a second set of defaults, as the paper's patch sizes do not fit into 32 pixels.
 *
 *     struct sft_finetune_job job;
 *     struct sft_finetune_result result;
 *     sft_finetune_job_init(&job);
 *     job.training.model = (struct sft_job_model){.device = device, .weights = "model.safetensors"};
 *     job.training.id = "cifar10:DIR";
 *     job.training.out = "runs/first";
 *     status = sft_finetune(&job, NULL, &result);
 *     sft_finetune_result_free(&result);
 */
#ifndef SFT_FINETUNE_H
#define SFT_FINETUNE_H

#include "ood/results/seeds.h"
#include "tools/jobs/eval_sets.h"
#include "tools/jobs/prop1.h"
#include "tools/jobs/training_job.h"
#include "tools/jobs/watch.h"

/* In place of a mode of loader.pseudo: the default for the size of the pictures. */
#define SFT_PSEUDO_BY_SIZE ((enum sft_pseudo_mode) - 1)

struct sft_finetune_job {
    struct sft_training_job training;   /* params.step.lambda NaN: the default for the size of the pictures */
    const char *pseudo_ood;             /* SPEC of outliers in place of pseudo-outliers; NULL: none */
    struct sft_eval_request evaluation; /* before and after; without OOD sets: none. Its seed is the run's */
    bool force;    /* go on with a model that classifies like guessing (tools/jobs/near_chance.h) */
    int seeds;     /* so many runs into seed-N of the folder, with seeds from that of the job on */
    bool trace;    /* note at every step what Proposition 1 speaks of (tools/jobs/prop1.h) */
    int64_t probe; /* on so many images of each set that is evaluated on */
};

/* The paper's: 50 steps of sam-norm with 64 images at a rate of 1e-3, an outlier for each; one seed. */
void sft_finetune_job_init(struct sft_finetune_job *job);

struct sft_finetune_result {
    bool evaluated, several, traced; /* whether there was an evaluation, more than one seed, a trace */
    struct sft_results results;      /* of one seed that was evaluated: the model before and after */
    struct sft_seeds seeds;          /* of several that were */
    struct sft_prop1_summary prop1;  /* of a run that was traced */
};

/* Fine-tunes into the job's folder. The weights of a model that the caller has open are the fine-tuned ones
 * afterwards, or those of before where several seeds started from them. `watch` may be NULL. SFT_USAGE for
 * members that make no sense, SFT_DATA for inputs that are missing or damaged, SFT_WRITE for a folder that
 * cannot be written, SFT_INTERRUPTED where `watch` stopped it after saving. Release the result with
 * sft_finetune_result_free() in any case. */
enum sft_status sft_finetune(const struct sft_finetune_job *job, const struct sft_watch *watch,
                             struct sft_finetune_result *result) SFT_MUST_CHECK;
void sft_finetune_result_free(struct sft_finetune_result *result);

#endif
