/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results of the same fine-tuning under several seeds: what the choice of the seed is worth. Each seed's run
 * folder holds its own results (ood/results/results.h); here are their mean and sample standard deviation
 * (divisor n - 1), of every metric:
 *
 * - seeds.json: {"seeds": [0, 1, ...], "before": as in results.json, the same for all seeds,
 *   "after": {"accuracy": M, "ece": M, "scores": {SCORE: {SET: {"fpr95": M, "auroc": M, ...},
 *   "average": {"fpr95": M, "auroc": M}}}}} with M = {"mean": x, "sd": y, "values": [one a seed, ...]};
 *
 * - seeds.csv: score,set,metric,before,mean,sd,seed-0,seed-1,...; accuracy and ece are rows of the set "id".
 *
 * Fractions, not percents. A number that is not known is null, and an empty field.
 */
#ifndef SFT_SEEDS_H
#define SFT_SEEDS_H

#include "ood/results/results.h"

struct sft_seeds {
    int n;
    int64_t first;            /* seeds are first .. first + n - 1 */
    struct sft_results *runs; /* (n), each of two models, alike in scores and sets */
};

/* "FOLDER/seed-N" into text (size bytes); returns text. */
const char *sft_seed_folder(const char *folder, int64_t seed, char *text, size_t size);

/* Reads the results of every seed's folder. SFT_DATA where one is missing, damaged or has other scores or
 * sets. Release with sft_seeds_free(). */
enum sft_status sft_seeds_read(const char *folder, int64_t first, int n,
                               struct sft_seeds *seeds) SFT_MUST_CHECK;
void sft_seeds_free(struct sft_seeds *seeds);

/* The same for the seeds that the folder's seeds.json names; SFT_DATA also where that is missing or damaged.
 */
enum sft_status sft_seeds_read_again(const char *folder, struct sft_seeds *seeds) SFT_MUST_CHECK;

/* Of a number after fine-tuning over the seeds; NaN where a seed does not know it. */
struct sft_spread {
    double mean, sd;
};
struct sft_spread sft_seeds_of_id(const struct sft_seeds *seeds, enum sft_id_metric metric);

/* Results as if of one run: the model before as the first seed has it, the mean of every metric as the model
 * after, whose intervals are from mean - sd to mean + sd. Without scores of images and without a bootstrap.
 * Release with sft_results_free(). */
enum sft_status sft_seeds_mean(const struct sft_seeds *seeds, struct sft_results *mean) SFT_MUST_CHECK;

/* What seeds.json holds; the caller releases it with json_decref(). */
struct json_t *sft_seeds_to_json(const struct sft_seeds *seeds);

/* Writes seeds.json and seeds.csv into `folder`. */
enum sft_status sft_seeds_write(const struct sft_seeds *seeds, const char *folder) SFT_MUST_CHECK;

/* Prints the table: a row a score with FPR and AUROC, averages over the sets, before and after as mean +-
 * deviation. */
enum sft_status sft_seeds_print(const struct sft_seeds *seeds, FILE *out) SFT_MUST_CHECK;

#endif
