/* SPDX-License-Identifier: Apache-2.0 */
/* What fine-tuning and training are both told: on what to train, how, and where to. */
#ifndef SFT_TRAINING_JOB_H
#define SFT_TRAINING_JOB_H

#include "sam/fit.h"
#include "tools/jobs/inputs.h"
#include "tools/jobs/lists.h"
#include "tools/jobs/run_folder.h"

struct sft_training_job {
    struct sft_job_model model;
    const char *id;              /* SPEC of labelled images to learn from; NULL with `id_open` */
    struct sft_dataset *id_open; /* takes the place of what `id` names where not NULL; borrowed */
    int64_t limit;               /* keeps the first so many of what `id` names; 0: all */
    bool skip_bad;               /* leave damaged pictures of any set out; else they end the job */
    const char *eval_id;         /* SPEC of ID images to evaluate on; NULL: the test split of `id`, if any */

    /* How, in the libraries' own parameters. The job itself fills these members, and takes no notice of what
     * is in them: of `step` the optimizer, n_id, n_ood, traced, slices, memory and thrift; of `loader` the
     * data sets, mean, std, seed (which is that of `params`) and steps; rho_min, checkpoint, identity,
     * history, from, stop and the callbacks. What is not given is filled in once the model is known: a rho of
     * NaN, a loader.size of 0 (the model's), loader.pseudo with a size_count of 0. */
    struct sft_fit_params params;
    const char *optimizer; /* name, of sam/optimizer.h */
    double rho_floor;      /* rho_min as a share of rho */

    const char *out;           /* folder of the run */
    bool overwrite;            /* take the place of an earlier run */
    bool resume;               /* go on from the folder's checkpoint, or from the beginning without one */
    bool no_report;            /* leave the report out */
    struct sft_ints snapshots; /* keep the model after so many steps, too */
    const char *gradients;     /* file for the gradient of the last step; NULL: none */

    /* Describes a run for its run.json and its checkpoint, just before it begins: `run` is the job with all
     * defaults filled in, and with the seed and folder of this run. NULL: nothing is described, so that a
     * resumed run is only checked for its data and weights. */
    enum sft_status (*describe)(void *context, const struct sft_training_job *run,
                                struct sft_run_words *words);
    void *describe_context;
};

/* Momentum 0.9, in random order, a checkpoint each 10 steps; the constants of the optimisers' papers. */
void sft_training_job_init(struct sft_training_job *job);

#endif
