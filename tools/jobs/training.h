/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run of the training loop into a run folder, from the first run.json to the report: what the jobs that
 * train have in common.
 *
 * The folder gets metrics.jsonl, checkpoint.safetensors, model.safetensors, a model-N.safetensors for each
 * snapshot, run.json and report.html; with sets to evaluate on the files of ood/results/results.h; with a
 * trace prop1.jsonl.
 */
#ifndef SFT_TRAINING_H
#define SFT_TRAINING_H

#include "tools/jobs/eval_sets.h"
#include "tools/jobs/near_chance.h"
#include "tools/jobs/prop1.h"
#include "tools/jobs/training_job.h"

/* A job under way. */
struct sft_training {
    struct sft_training_job job; /* a copy, with defaults filled in */
    const struct sft_watch *watch;
    struct sft_model *model, *own_model; /* the latter is NULL where the caller's is used */
    struct sft_dataset *id, *own_id;     /* the latter is NULL where the caller's are used */
    struct sft_dataset *outliers;        /* in place of pseudo-outliers; NULL: none; owned */
    const char *groups_file;             /* that a new model's groups of classes were read from, or NULL */
    struct sft_eval_sets *sets;          /* to evaluate on before and after; NULL: none; borrowed */
    bool has_before;                     /* the results hold the model before already */
    struct sft_dataset *test;            /* whose accuracy is noted at the end; NULL: none; owned */
    double accuracy;                     /* on it */
    bool has_chance;                     /* whether the model before was tested for guessing */
    struct sft_near_chance chance;       /* then what was found */
    struct sft_step_plan plan;           /* of a step (tools/jobs/step_plan.h) */
    struct sft_prop1 *trace;             /* NULL: none; owned */
    struct sft_prop1_summary prop1;      /* of a traced run */
};

/* The optimiser of that name; SFT_USAGE, with a guess, where there is none. */
enum sft_status sft_training_optimizer(const char *name,
                                       const struct sft_optimizer **optimizer) SFT_MUST_CHECK;

/* Starts from the job: finds the optimiser, checks the folder. The caller opens the model and fills in the
 * defaults that depend on it; release with sft_training_close() in any case. */
enum sft_status sft_training_open(const struct sft_training_job *job, const struct sft_watch *watch,
                                  struct sft_training *training) SFT_MUST_CHECK;
void sft_training_close(struct sft_training *training);

/* Opens the images to learn from, which must have labels, of two classes or more; with skip_bad without
 * the damaged ones. */
enum sft_status sft_training_open_id(struct sft_training *training) SFT_MUST_CHECK;

/* How the images of the run are loaded, once sets and model are open and the defaults filled in. */
struct sft_loader_params sft_training_loader(const struct sft_training *training);

/* Reads the pictures that the steps of `seeds` runs will take, so that a damaged one is known before the
 * first step. SFT_DATA where there is one; with skip_bad damaged ID images are out already. */
enum sft_status sft_training_check_pictures(struct sft_training *training, int seeds) SFT_MUST_CHECK;

/* Opens the ID images to evaluate on. *set is NULL, with SFT_OK, where there are none. */
enum sft_status sft_training_open_eval_id(const struct sft_training *training,
                                          struct sft_dataset **set) SFT_MUST_CHECK;

/* Fills in what depends on the optimiser and the model: rho, where it is not given, is the optimiser's own,
 * or else `rho`. */
enum sft_status sft_training_complete(struct sft_training *training, double rho) SFT_MUST_CHECK;

/* What the job says of the run; release with sft_run_words_free() in any case. */
enum sft_status sft_training_describe(const struct sft_training *training,
                                      struct sft_run_words *words) SFT_MUST_CHECK;

/* Enters the folder of the job: the beginning of any run. Release with sft_run_end(). */
enum sft_status sft_training_enter(const struct sft_training *training, enum sft_run_kind kind,
                                   struct sft_run *run) SFT_MUST_CHECK;

/* Begins the run in it and notes the inputs; `identity` may be NULL. */
enum sft_status sft_training_begin(const struct sft_training *training, json_t *identity,
                                   struct sft_run *run) SFT_MUST_CHECK;

#endif
