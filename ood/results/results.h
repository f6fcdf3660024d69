/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results: what one evaluation found, or the two before and after fine-tuning. Scores of images go in,
 * metrics come out, and both are written to, and read back from, a run folder:
 *
 * - results.json: accuracy, ece (expected calibration error), convention with the recall, scores: metrics of
 * each score on each OOD set, and the average; fractions, not percents;
 *
 * - results.csv, the same in long form: model,score,set,fpr95,auroc,aupr_in,aupr_out,n_id,n_ood;
 *
 * - scores/SCORE/SET.npy: one float32 an image in file order, higher means more in-distribution; the ID set
 * is called "id". With two models: scores/before/SCORE/SET.npy and scores/after/...
 *
 * The name of a set is any bytes; all of these have its spelling (runtime/base/text.h).
 *
 * The key of FPR is "fpr95" at any recall. With a bootstrap each cell also has "fpr95_ci" and "auroc_ci",
 * [low, high] with 95 % confidence, results.json says "bootstrap": {replicates, seed, confidence}, and
 * results.csv has the columns fpr95_low,fpr95_high,auroc_low,auroc_high.
 *
 * With two models results.json is {"before": {...}, "after": {...}}, each with the form of a single
 * evaluation.
 */
#ifndef SFT_RESULTS_H
#define SFT_RESULTS_H

#include <stdio.h>

#include "ood/metrics/metrics.h"

/* Indices of models. A single evaluation is SFT_BEFORE alone. */
enum sft_results_model { SFT_BEFORE, SFT_AFTER, SFT_MODELS };

/* The set index of the in-distribution images; OOD sets count from 0, and what is on average over them stands
 * behind the last one. */
enum { SFT_ID_SET = -1 };

/* What files call them; no OOD set may be called so. */
#define SFT_ID_NAME "id"
#define SFT_AVERAGE_NAME "average"

/* FPR is taken where this share of the positives is accepted, unless another is asked for. */
#define SFT_RESULTS_RECALL 0.95

/* The share of replicates in an interval of a bootstrap. */
#define SFT_RESULTS_CONFIDENCE 0.95

/* How metrics are computed. */
struct sft_measure {
    double recall;
    int replicates; /* of the bootstrap; 0: no intervals */
    uint64_t seed;
};

/* What is told of the ID images alone, by name. */
enum sft_id_metric { SFT_ACCURACY, SFT_ECE, SFT_ID_METRICS };
struct sft_id_metric_row {
    const char *key;   /* in files */
    const char *title; /* in tables */
    int sign;          /* +1 where more is better, -1 where less is */
};
extern const struct sft_id_metric_row sft_id_metric_rows[SFT_ID_METRICS];

/* The scores of one set under one score by one model. */
struct sft_score_values {
    int64_t n;
    float *values; /* owned; NULL: not known */
};

/* Made by sft_results_init(), filled by the functions below; reading its members is fine. */
struct sft_results {
    const struct sft_convention *convention;
    struct sft_measure measure; /* may be set before sft_results_compute() */
    int models, scores, sets;
    char **score_names;              /* (scores) as the command line spells them */
    char **set_names;                /* (sets) the OOD sets */
    double accuracy[SFT_MODELS];     /* NaN: not known, for ID images without labels */
    double ece[SFT_MODELS];          /* the same; may be set before sft_results_compute() */
    struct sft_metrics *metrics;     /* (SFT_MODELS, scores, sets) */
    struct sft_metrics *averages;    /* (SFT_MODELS, scores): their intervals only */
    struct sft_score_values *values; /* (SFT_MODELS, scores, 1 + sets), the ID set first */
    int damaged_files;               /* score files that were there when it was read, and no use */
};

/* Starts empty results; names are copied. SFT_USAGE for a set name that cannot name a file and a column:
 * empty, starting with a dot, with a slash or a control character, "id", "average", or given twice. */
enum sft_status sft_results_init(struct sft_results *results, const struct sft_convention *convention,
                                 int scores, const char *const *score_names, int sets,
                                 const char *const *set_names) SFT_MUST_CHECK;

/* Takes a copy of the n scores of set `set` (SFT_ID_SET or 0 .. sets-1). SFT_USAGE for an index out of range.
 */
enum sft_status sft_results_put(struct sft_results *results, enum sft_results_model model, int score, int set,
                                int64_t n, const float *values) SFT_MUST_CHECK;

/* Takes a score out, with all that is known of it. */
void sft_results_drop(struct sft_results *results, int score);

/* Computes the metrics of one model from the scores put in, which must be complete, and notes its accuracy
 * (NaN where it is not known). From then on the model counts. Statuses as sft_metrics_compute() and
 * sft_bootstrap_run(); a score that is no number is SFT_FAILED with the names of score and set and the
 * image's number; that all images have the same score is a warning. */
enum sft_status sft_results_compute(struct sft_results *results, enum sft_results_model model,
                                    double accuracy) SFT_MUST_CHECK;

/* Borrowed views. */
const struct sft_metrics *sft_results_metrics(const struct sft_results *results, int model, int score,
                                              int set);
const struct sft_score_values *sft_results_values(const struct sft_results *results, int model, int score,
                                                  int set);

/* The mean over the OOD sets of the unrounded metrics, and its intervals; n_id and n_ood are sums over the
 * sets. */
struct sft_metrics sft_results_average(const struct sft_results *results, int model, int score);

/* The metrics of a set, or of the average where set == results->sets. */
struct sft_metrics sft_results_cell(const struct sft_results *results, int model, int score, int set);

/* What files and tables call a set: "id", its name, "average". */
const char *sft_results_set_name(const struct sft_results *results, int set);

/* "FPR95" at the results' recall, or "AUROC"; into text[16], which is returned. */
const char *sft_results_metric_title(const struct sft_results *results, enum sft_metric metric, char *text);

/* "before" and "after". */
extern const char *const sft_model_words[SFT_MODELS];

/* The folder of a model's scores and its key in results.json: its word, or "" for a single evaluation. */
const char *sft_results_model_name(const struct sft_results *results, int model);

/* The (SFT_MODELS) numbers of the metric. */
double *sft_results_of_id(struct sft_results *results, enum sft_id_metric metric);
double sft_results_id_metric(const struct sft_results *results, enum sft_id_metric metric, int model);

void sft_results_free(struct sft_results *results);

/* Writes results.json, results.csv and scores/ into `folder`, which is made where it is missing. */
enum sft_status sft_results_write(const struct sft_results *results, const char *folder) SFT_MUST_CHECK;

/* What results.json holds, a jansson object that the caller releases with json_decref(). NULL where memory
 * runs out. */
struct json_t *sft_results_to_json(const struct sft_results *results);

/* Reads results.json, and as many of the score files as are there and fit it; a missing or damaged score file
 * is a warning and leaves its values unknown; the damaged ones are counted. SFT_DATA where results.json is
 * missing or damaged. */
enum sft_status sft_results_read(const char *folder, struct sft_results *results) SFT_MUST_CHECK;

/* Prints the table: a row a score (three with two models: before, after, change), FPR and AUROC of each set
 * and of their average in percent; with a bootstrap the ends of the intervals beneath each; accuracy and
 * calibration error. SFT_WRITE where `out` does not take it. */
enum sft_status sft_results_print(const struct sft_results *results, FILE *out) SFT_MUST_CHECK;

#endif
