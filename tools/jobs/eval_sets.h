/* SPDX-License-Identifier: Apache-2.0 */
/* Sets, scores and convention that a model is evaluated with, and what becomes of them. */
#ifndef SFT_EVAL_SETS_H
#define SFT_EVAL_SETS_H

#include "ood/evaluate.h"
#include "ood/metrics/bootstrap.h"
#include "tools/jobs/lists.h"
#include "tools/jobs/run_folder.h"
#include "tools/jobs/watch.h"

/* What is asked for. Texts are borrowed. */
struct sft_eval_request {
    struct sft_sets ood;               /* at least one */
    const char *scores;                /* names with commas between, or "all" */
    const char *convention;            /* of ood/metrics/metrics.h */
    const char *fit;                   /* SPEC of images of the training kind, or NULL */
    const char *calibration;           /* a file with statistics and settings of scores, or NULL */
    const union sft_knob_value *knobs; /* of tools/jobs/scorers.h; NULL: defaults */
    int64_t fit_limit;                 /* takes so many of the images to fit on; 0: all */
    int64_t limit;                     /* takes so many images of each OOD set; 0: all */
    struct sft_measure measure;
    int batch;
};

/* Energy and MSP at a recall of 0.95, no bootstrap, 100 images at a time; no sets. */
void sft_eval_request_init(struct sft_eval_request *request);

struct sft_eval_sets {
    struct sft_dataset *id; /* owned, as the others */
    struct sft_dataset *ood[SFT_MAX_SETS];
    char names[SFT_MAX_SETS][SFT_SET_NAME];
    int sets;
    struct sft_dataset *fit; /* NULL: none */
    struct sft_scorer *scorers;
    int score_count;
    int batch;
    double fit_seconds; /* what the last fit took */
    struct sft_results results;
};

/* Opens the sets and finds scores and convention by name; takes `id`, also on failure. Of "all" those scores
 * are left out, with a word, that cannot be had for this model or without images to fit on; an OOD set of the
 * ID images is a warning. Release with sft_eval_sets_close() in any case. */
enum sft_status sft_eval_sets_open(struct sft_dataset *id, const struct sft_model *model,
                                   const struct sft_eval_request *request,
                                   struct sft_eval_sets *sets) SFT_MUST_CHECK;
void sft_eval_sets_close(struct sft_eval_sets *sets);

/* Reads the pictures of all sets, so that a damaged one is known before the first is computed, as
 * sft_pictures_check() does. */
enum sft_status sft_eval_sets_check_pictures(struct sft_eval_sets *sets, bool skip_bad,
                                             const struct sft_watch *watch) SFT_MUST_CHECK;

/* Takes the scores of the request for another model, on the sets that are open; results start anew. */
enum sft_status sft_eval_sets_rescore(const struct sft_model *model, const struct sft_eval_request *request,
                                      struct sft_eval_sets *sets) SFT_MUST_CHECK;

/* Fits the scores to the model where they need it and runs it over all sets; fills one model's part of the
 * results. Of "all" those scores are left out, with a word, that cannot be fitted or computed. `watch` may be
 * NULL. */
enum sft_status sft_eval_sets_run(struct sft_eval_sets *sets, struct sft_model *model,
                                  enum sft_results_model which, const struct sft_watch *watch) SFT_MUST_CHECK;

/* Writes results.json, results.csv, scores/ and examples.json into the run's folder. */
enum sft_status sft_eval_sets_write(const struct sft_eval_sets *sets,
                                    const struct sft_run *run) SFT_MUST_CHECK;

/* Notes spec, number of images and hash of every set in run.json. */
enum sft_status sft_eval_sets_note(const struct sft_eval_sets *sets, struct sft_run *run) SFT_MUST_CHECK;

/* The accuracy of a model on labelled images. */
enum sft_status sft_accuracy(struct sft_model *model, const struct sft_dataset *id, int batch,
                             const struct sft_watch *watch, double *accuracy) SFT_MUST_CHECK;

#endif
