/* SPDX-License-Identifier: Apache-2.0 */
/* The object: names, scores of images, metrics. files.c has its files, table.c its table. */
#include "ood/results/results.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ood/metrics/bootstrap.h"
#include "runtime/base/alloc.h"
#include "runtime/base/log.h"
#include "runtime/base/text.h"

static const struct sft_metrics no_intervals = {.fpr_interval = {NAN, NAN}, .auroc_interval = {NAN, NAN}};

/* The spelling of a set's name, with an extension, is a file's name. */
enum { LONGEST_NAME = 200 };

static enum sft_status check_length(const char *name, const char **why)
{
    char *spelling = sft_text_spell(name);
    if (!spelling) return SFT_MEMORY;
    if (strlen(spelling) > LONGEST_NAME) *why = "is longer than a file name may be";
    free(spelling);
    return SFT_OK;
}

static enum sft_status check_set_name(const char *name, int earlier, const char *const *names)
{
    const char *why = NULL;
    if (name[0] == '\0' || name[0] == '.') why = "is empty or starts with a dot";
    for (const char *c = name; *c; c++)
        if (*c == '/' || *c == '\\' || (unsigned char)*c < 0x20 || *c == 0x7f)
            why = "has a slash or a control character";
    if (strcmp(name, SFT_ID_NAME) == 0 || strcmp(name, SFT_AVERAGE_NAME) == 0)
        why = "is taken: results use it themselves";
    for (int i = 0; i < earlier; i++)
        if (strcmp(name, names[i]) == 0) why = "is given twice";
    SFT_TRY(check_length(name, &why));
    if (!why) return SFT_OK;
    return sft_fail(SFT_USAGE, "the name '%s' of an OOD set %s; give another: --ood NAME=SPEC", name, why);
}

static char **copy_names(int count, const char *const *names)
{
    char **copies = sft_calloc((size_t)count, sizeof(*copies));
    for (int i = 0; copies && i < count; i++) {
        copies[i] = sft_strdup(names[i]);
        if (copies[i]) continue;
        while (i-- > 0) free(copies[i]);
        free(copies);
        return NULL;
    }
    return copies;
}

enum sft_status sft_results_init(struct sft_results *results, const struct sft_convention *convention,
                                 int scores, const char *const *score_names, int sets,
                                 const char *const *set_names)
{
    memset(results, 0, sizeof(*results));
    if (scores < 1 || sets < 1) return sft_fail(SFT_USAGE, "results need at least one score and one OOD set");
    for (int i = 0; i < sets; i++) SFT_TRY(check_set_name(set_names[i], i, set_names));
    results->convention = convention;
    results->scores = scores;
    results->sets = sets;
    results->measure = (struct sft_measure){.recall = SFT_RESULTS_RECALL};
    for (int i = 0; i < SFT_MODELS; i++) results->accuracy[i] = results->ece[i] = NAN;
    results->score_names = copy_names(scores, score_names);
    results->set_names = copy_names(sets, set_names);
    results->metrics =
        sft_calloc((size_t)SFT_MODELS * (size_t)scores * (size_t)sets, sizeof(*results->metrics));
    results->averages = sft_calloc((size_t)SFT_MODELS * (size_t)scores, sizeof(*results->averages));
    results->values =
        sft_calloc((size_t)SFT_MODELS * (size_t)scores * (size_t)(sets + 1), sizeof(*results->values));
    if (!results->score_names || !results->set_names || !results->metrics || !results->averages ||
        !results->values) {
        sft_results_free(results);
        return SFT_MEMORY;
    }
    for (int i = 0; i < SFT_MODELS * scores; i++) results->averages[i] = no_intervals;
    for (int i = 0; i < SFT_MODELS * scores * sets; i++) results->metrics[i] = no_intervals;
    return SFT_OK;
}

static struct sft_score_values *values_at(const struct sft_results *results, int model, int score, int set)
{
    return &results->values[((int64_t)model * results->scores + score) * (results->sets + 1) + set + 1];
}

static struct sft_metrics *metrics_at(const struct sft_results *results, int model, int score, int set)
{
    return &results->metrics[((int64_t)model * results->scores + score) * results->sets + set];
}

static struct sft_metrics *average_at(const struct sft_results *results, int model, int score)
{
    return &results->averages[model * results->scores + score];
}

const struct sft_metrics *sft_results_metrics(const struct sft_results *results, int model, int score,
                                              int set)
{
    return metrics_at(results, model, score, set);
}

const struct sft_score_values *sft_results_values(const struct sft_results *results, int model, int score,
                                                  int set)
{
    return values_at(results, model, score, set);
}

enum sft_status sft_results_put(struct sft_results *results, enum sft_results_model model, int score, int set,
                                int64_t n, const float *values)
{
    struct sft_score_values *to;
    float *copy;
    if (score < 0 || score >= results->scores || set < SFT_ID_SET || set >= results->sets || n < 0)
        return sft_fail(SFT_USAGE, "results have no place for %lld scores: score %d, set %d", (long long)n,
                        score, set);
    copy = sft_calloc((size_t)n, sizeof(*copy));
    if (!copy) return SFT_MEMORY;
    to = values_at(results, (int)model, score, set);
    if (n > 0) memcpy(copy, values, (size_t)n * sizeof(*copy));
    free(to->values);
    *to = (struct sft_score_values){n, copy};
    return SFT_OK;
}

/* ---- metrics ---- */

static enum sft_status check_numbers(const struct sft_results *results, int model, int score)
{
    for (int set = SFT_ID_SET; set < results->sets; set++) {
        const struct sft_score_values *values = values_at(results, model, score, set);
        for (int64_t i = 0; i < values->n; i++)
            if (isnan(values->values[i]))
                return sft_fail(
                    SFT_FAILED,
                    "score %s of image %lld of set %s is not a number (NaN): the weights or the logits are "
                    "damaged, or the training diverged",
                    results->score_names[score], (long long)i, sft_results_set_name(results, set));
    }
    return SFT_OK;
}

static bool all_equal(const struct sft_score_values *values, float to)
{
    for (int64_t i = 0; i < values->n; i++)
        if (values->values[i] != to) return false;
    return true;
}

static enum sft_status compute_cell(struct sft_results *results, int model, int score, int set)
{
    const struct sft_score_values *id = values_at(results, model, score, SFT_ID_SET);
    const struct sft_score_values *ood = values_at(results, model, score, set);
    enum sft_status status =
        sft_metrics_compute(results->convention, results->measure.recall, id->n, id->values, ood->n,
                            ood->values, metrics_at(results, model, score, set));
    if (status != SFT_OK)
        return sft_fail(status, "no metrics for score %s on OOD set %s, see above",
                        results->score_names[score], results->set_names[set]);
    if (all_equal(id, id->values[0]) && all_equal(ood, id->values[0]) && id->n + ood->n > 2)
        sft_log(SFT_LOG_WARNING,
                "score %s is %g for every image of the ID set and of %s: it tells nothing apart",
                results->score_names[score], (double)id->values[0], results->set_names[set]);
    return SFT_OK;
}

/* ---- intervals ---- */

/* Replicates of one score: FPR and AUROC on the set in hand, and their sums over the sets. */
struct replicates {
    double *fpr, *auroc, *fpr_sum, *auroc_sum;
};

static void set_intervals(struct sft_metrics *metrics, int n, double *fpr, double *auroc)
{
    metrics->fpr_interval = sft_interval_of(fpr, n, SFT_RESULTS_CONFIDENCE);
    metrics->auroc_interval = sft_interval_of(auroc, n, SFT_RESULTS_CONFIDENCE);
}

static enum sft_status bootstrap_set(struct sft_results *results, int model, int score, int set,
                                     const struct replicates *r)
{
    const struct sft_bootstrap bootstrap = {results->measure.replicates, results->measure.seed, set};
    const struct sft_score_values *id = values_at(results, model, score, SFT_ID_SET);
    const struct sft_score_values *ood = values_at(results, model, score, set);
    SFT_TRY(sft_bootstrap_run(&bootstrap, results->convention, results->measure.recall, id->n, id->values,
                              ood->n, ood->values, r->fpr, r->auroc));
    for (int i = 0; i < bootstrap.replicates; i++) {
        r->fpr_sum[i] += r->fpr[i] / results->sets;
        r->auroc_sum[i] += r->auroc[i] / results->sets;
    }
    set_intervals(metrics_at(results, model, score, set), bootstrap.replicates, r->fpr, r->auroc);
    return SFT_OK;
}

static enum sft_status bootstrap_score(struct sft_results *results, int model, int score)
{
    int n = results->measure.replicates;
    double *memory = sft_calloc(4 * (size_t)n, sizeof(*memory));
    const struct replicates r = {memory, memory + n, memory + 2 * (size_t)n, memory + 3 * (size_t)n};
    enum sft_status status = memory ? SFT_OK : SFT_MEMORY;
    for (int set = 0; status == SFT_OK && set < results->sets; set++)
        status = bootstrap_set(results, model, score, set, &r);
    if (status == SFT_OK) set_intervals(average_at(results, model, score), n, r.fpr_sum, r.auroc_sum);
    free(memory);
    return status;
}

enum sft_status sft_results_compute(struct sft_results *results, enum sft_results_model model,
                                    double accuracy)
{
    for (int score = 0; score < results->scores; score++) {
        SFT_TRY(check_numbers(results, (int)model, score));
        for (int set = 0; set < results->sets; set++) SFT_TRY(compute_cell(results, (int)model, score, set));
        if (results->measure.replicates) SFT_TRY(bootstrap_score(results, (int)model, score));
    }
    results->accuracy[model] = accuracy;
    if (results->models <= (int)model) results->models = (int)model + 1;
    return SFT_OK;
}

struct sft_metrics sft_results_average(const struct sft_results *results, int model, int score)
{
    struct sft_metrics mean = *average_at(results, model, score);
    for (int set = 0; set < results->sets; set++) {
        struct sft_metrics *m = metrics_at(results, model, score, set);
        for (enum sft_metric i = 0; i < SFT_METRICS; i++) *sft_metric_in(&mean, i) += *sft_metric_in(m, i);
        mean.n_id += m->n_id;
        mean.n_ood += m->n_ood;
    }
    for (enum sft_metric i = 0; i < SFT_METRICS; i++) *sft_metric_in(&mean, i) /= results->sets;
    return mean;
}

struct sft_metrics sft_results_cell(const struct sft_results *results, int model, int score, int set)
{
    return set < results->sets ? *metrics_at(results, model, score, set)
                               : sft_results_average(results, model, score);
}

const char *sft_results_set_name(const struct sft_results *results, int set)
{
    if (set == SFT_ID_SET) return SFT_ID_NAME;
    return set < results->sets ? results->set_names[set] : SFT_AVERAGE_NAME;
}

const char *sft_results_metric_title(const struct sft_results *results, enum sft_metric metric, char *text)
{
    return sft_metric_title(metric, results->measure.recall, text);
}

const char *const sft_model_words[SFT_MODELS] = {[SFT_BEFORE] = "before", [SFT_AFTER] = "after"};

const char *sft_results_model_name(const struct sft_results *results, int model)
{
    return results->models < 2 ? "" : sft_model_words[model];
}

const struct sft_id_metric_row sft_id_metric_rows[SFT_ID_METRICS] = {
    [SFT_ACCURACY] = {"accuracy", "accuracy on ID", 1},
    [SFT_ECE] = {"ece", "calibration error", -1},
};

double *sft_results_of_id(struct sft_results *results, enum sft_id_metric metric)
{
    return metric == SFT_ACCURACY ? results->accuracy : results->ece;
}

double sft_results_id_metric(const struct sft_results *results, enum sft_id_metric metric, int model)
{
    return sft_results_of_id((struct sft_results *)results, metric)[model];
}

static void free_names(int count, char **names)
{
    for (int i = 0; names && i < count; i++) free(names[i]);
    free(names);
}

/* Closes the gap of one score in an array (SFT_MODELS, scores, width) of elements of `size` bytes. */
static void close_gap(void *array, int scores, int score, size_t width, size_t size)
{
    char *bytes = array, *to = array;
    for (int row = 0; row < SFT_MODELS * scores; row++) {
        if (row % scores == score) continue;
        memmove(to, bytes + (size_t)row * width * size, width * size);
        to += width * size;
    }
}

void sft_results_drop(struct sft_results *results, int score)
{
    const int scores = results->scores, sets = results->sets;
    for (int model = 0; model < SFT_MODELS; model++)
        for (int set = SFT_ID_SET; set < sets; set++) free(values_at(results, model, score, set)->values);
    close_gap(results->values, scores, score, (size_t)(sets + 1), sizeof(*results->values));
    close_gap(results->metrics, scores, score, (size_t)sets, sizeof(*results->metrics));
    close_gap(results->averages, scores, score, 1, sizeof(*results->averages));
    free(results->score_names[score]);
    memmove(&results->score_names[score], &results->score_names[score + 1],
            (size_t)(scores - score - 1) * sizeof(*results->score_names));
    results->scores--;
}

void sft_results_free(struct sft_results *results)
{
    int arrays = results->values ? SFT_MODELS * results->scores * (results->sets + 1) : 0;
    for (int i = 0; i < arrays; i++) free(results->values[i].values);
    free_names(results->scores, results->score_names);
    free_names(results->sets, results->set_names);
    free(results->metrics);
    free(results->averages);
    free(results->values);
    memset(results, 0, sizeof(*results));
}
