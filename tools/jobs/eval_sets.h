/* SPDX-License-Identifier: Apache-2.0 */
/* Sets, scores and convention as `eval` and `finetune` take them from the command line, and what becomes of
 * them. */
#ifndef SFT_EVAL_SETS_H
#define SFT_EVAL_SETS_H

#include "ood/evaluate.h"
#include "ood/metrics/bootstrap.h"
#include "tools/cli/option.h"
#include "tools/cli/score_options.h"
#include "tools/jobs/run_folder.h"

struct sft_eval_sets {
    struct sft_dataset *id; /* owned, as the others */
    struct sft_dataset *ood[SFT_OPTION_MAX_TEXTS];
    char names[SFT_OPTION_MAX_TEXTS][64];
    int sets;
    struct sft_dataset *fit; /* NULL: none */
    struct sft_scorer *scorers;
    int score_count;
    int batch;
    double fit_seconds; /* what the last fit took */
    struct sft_results results;
};

/* What the commands ask for. */
struct sft_eval_request {
    const struct sft_common *common;
    const struct sft_texts *ood; /* "NAME=SPEC", at least one */
    const char *scores, *convention;
    const char *fit;         /* SPEC of images of the training kind, or NULL */
    const char *calibration; /* a file with statistics and settings of scores, or NULL */
    int64_t fit_limit;       /* takes so many of them; 0: all */
    int64_t limit;           /* takes so many images of each OOD set; 0: all */
    struct sft_measure measure;
    int batch;
};

/* Rows of both commands' tables, for members of type double and int64_t at an offset. */
#define SFT_EVAL_RECALL(at)                                                                                  \
    {                                                                                                        \
        "recall", SFT_OPTION_REAL, at,                                                                       \
            .value = "X", .fallback = "0.95", .min = 0.001, .max = 1,                                        \
            .help = "FPR is taken where this share of the positives is recognised"                           \
    }
#define SFT_EVAL_BOOTSTRAP(at)                                                                               \
    {                                                                                                        \
        "bootstrap", SFT_OPTION_INT, at, .value = "N", .fallback = "0", .min = 0, .max = SFT_MAX_REPLICATES, \
                                         .help = "replicates for 95 % intervals of FPR and AUROC; 0: none"   \
    }

/* Opens the sets and finds scores and convention by name; takes `id`, also on failure. Under "all" those
 * scores are left out, with a word, that cannot be had for this model or without --fit; an OOD set of the ID
 * images is a warning. Release with sft_eval_sets_close() in any case. */
enum sft_status sft_eval_sets_open(struct sft_dataset *id, const struct sft_model *model,
                                   const struct sft_eval_request *request,
                                   struct sft_eval_sets *sets) SFT_MUST_CHECK;
void sft_eval_sets_close(struct sft_eval_sets *sets);

/* Takes the scores of the request for another model, on the sets that are open; results start anew. */
enum sft_status sft_eval_sets_rescore(const struct sft_model *model, const struct sft_eval_request *request,
                                      struct sft_eval_sets *sets) SFT_MUST_CHECK;

/* Fits the scores to the model where they need it and runs it over all sets, with progress; fills one model's
 * part of the results. */
enum sft_status sft_eval_sets_run(struct sft_eval_sets *sets, struct sft_model *model,
                                  enum sft_results_model which) SFT_MUST_CHECK;

/* Writes results.json, results.csv, scores/ and examples.json into the run's folder. */
enum sft_status sft_eval_sets_write(const struct sft_eval_sets *sets,
                                    const struct sft_run *run) SFT_MUST_CHECK;

/* Notes spec, number of images and hash of every set in run.json; and of any one set. */
void sft_eval_sets_note(const struct sft_eval_sets *sets, struct sft_run *run);
json_t *sft_dataset_json(const struct sft_dataset *dataset);

/* The accuracy of a model on labelled images. */
enum sft_status sft_accuracy(struct sft_model *model, const struct sft_dataset *id, int batch,
                             double *accuracy) SFT_MUST_CHECK;

/* Help lines of --fpr-positive; the text is overwritten by the next call. */
const char *sft_convention_list(int i);

#endif
