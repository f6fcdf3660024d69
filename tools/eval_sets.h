/* SPDX-License-Identifier: Apache-2.0 */
/* Sets, scores and convention as `eval` and `finetune` take them from the command line, and what becomes of them. */
#ifndef SFT_EVAL_SETS_H
#define SFT_EVAL_SETS_H

#include "ood/evaluate.h"
#include "tools/option.h"
#include "tools/run_folder.h"

struct sft_eval_sets {
    struct sft_dataset *id; /* owned, as the others */
    struct sft_dataset *ood[SFT_OPTION_MAX_TEXTS];
    char names[SFT_OPTION_MAX_TEXTS][64];
    int sets;
    const struct sft_score **scores;
    int score_count;
    struct sft_score_params params;
    int batch;
    struct sft_results results;
};

/* Opens the sets "NAME=SPEC" of `ood` (at least one) and finds the scores and the convention by name; takes `id`, also
 * on failure. `limit` > 0 takes so many images of each OOD set. Release with sft_eval_sets_close() in any case. */
enum sft_status sft_eval_sets_open(struct sft_dataset *id, const struct sft_texts *ood, const char *scores,
                                   const char *convention, int64_t limit, struct sft_eval_sets *sets) SFT_MUST_CHECK;
void sft_eval_sets_close(struct sft_eval_sets *sets);

/* Runs the model over all sets, with progress; fills one model's part of the results. */
enum sft_status sft_eval_sets_run(struct sft_eval_sets *sets, struct sft_model *model,
                                  enum sft_results_model which) SFT_MUST_CHECK;

/* Writes results.json, results.csv, scores/ and examples.json into the run's folder. */
enum sft_status sft_eval_sets_write(const struct sft_eval_sets *sets, const struct sft_run *run) SFT_MUST_CHECK;

/* Notes spec, number of images and hash of every set in run.json; and of any one set. */
void sft_eval_sets_note(const struct sft_eval_sets *sets, struct sft_run *run);
json_t *sft_dataset_json(const struct sft_dataset *dataset);

/* The accuracy of a model on labelled images. */
enum sft_status sft_accuracy(struct sft_model *model, const struct sft_dataset *id, int batch,
                             double *accuracy) SFT_MUST_CHECK;

/* The contents of the run's results.json. */
enum sft_status sft_results_json(const struct sft_run *run, json_t **json) SFT_MUST_CHECK;

/* Help lines of --score and --fpr-positive; the text is overwritten by the next call. */
const char *sft_score_list(int i);
const char *sft_convention_list(int i);

#endif
