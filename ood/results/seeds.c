/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/results/seeds.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ood/scores/score.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/text.h"

/* What is told of each score on each set. */
static const struct {
    const char *key;
    size_t offset;
} metrics[] = {
    {"fpr95", offsetof(struct sft_metrics, fpr)},
    {"auroc", offsetof(struct sft_metrics, auroc)},
    {"aupr_in", offsetof(struct sft_metrics, aupr_in)},
    {"aupr_out", offsetof(struct sft_metrics, aupr_out)},
};
enum { METRICS = 4, METRICS_OF_AVERAGE = 2, FPR = 0, AUROC = 1 };

/* A number of one run. */
struct place {
    int model, score, set; /* set == sets: the average */
    int metric;            /* of `metrics`; ACCURACY and ECE are of the model */
};
enum { ACCURACY = METRICS, ECE };

static double value_at(const struct sft_results *run, struct place at)
{
    struct sft_metrics m;
    if (at.metric == ACCURACY) return run->accuracy[at.model];
    if (at.metric == ECE) return run->ece[at.model];
    m = at.set < run->sets ? *sft_results_metrics(run, at.model, at.score, at.set)
                           : sft_results_average(run, at.model, at.score);
    return *(const double *)(const void *)((const char *)&m + metrics[at.metric].offset);
}

static struct sft_spread spread_at(const struct sft_seeds *seeds, struct place at)
{
    double sum = 0, squares = 0, mean;
    for (int i = 0; i < seeds->n; i++) sum += value_at(&seeds->runs[i], at);
    mean = sum / seeds->n;
    for (int i = 0; i < seeds->n; i++) {
        double off = value_at(&seeds->runs[i], at) - mean;
        squares += off * off;
    }
    return (struct sft_spread){mean, seeds->n > 1 ? sqrt(squares / (seeds->n - 1)) : 0.0};
}

struct sft_spread sft_seeds_accuracy(const struct sft_seeds *seeds)
{
    return spread_at(seeds, (struct place){SFT_AFTER, 0, 0, ACCURACY});
}

struct sft_spread sft_seeds_ece(const struct sft_seeds *seeds)
{
    return spread_at(seeds, (struct place){SFT_AFTER, 0, 0, ECE});
}

/* ---- as one run ---- */

static struct sft_interval around(struct sft_spread spread)
{
    return (struct sft_interval){spread.mean - spread.sd, spread.mean + spread.sd};
}

/* The metrics that both a set and the average have intervals of. */
static void take_intervals(const struct sft_seeds *seeds, int score, int set, struct sft_metrics *to)
{
    to->fpr_interval = around(spread_at(seeds, (struct place){SFT_AFTER, score, set, FPR}));
    to->auroc_interval = around(spread_at(seeds, (struct place){SFT_AFTER, score, set, AUROC}));
}

static void take_means(const struct sft_seeds *seeds, int score, int set, struct sft_metrics *to)
{
    *to = *sft_results_metrics(seeds->runs, SFT_AFTER, score, set);
    for (int m = 0; m < METRICS; m++)
        *(double *)(void *)((char *)to + metrics[m].offset) =
            spread_at(seeds, (struct place){SFT_AFTER, score, set, m}).mean;
    take_intervals(seeds, score, set, to);
}

static struct sft_metrics without_intervals(struct sft_metrics metrics_of_run)
{
    metrics_of_run.fpr_interval = metrics_of_run.auroc_interval = (struct sft_interval){NAN, NAN};
    return metrics_of_run;
}

enum sft_status sft_seeds_mean(const struct sft_seeds *seeds, struct sft_results *mean)
{
    const struct sft_results *run = seeds->runs;
    SFT_TRY(sft_results_init(mean, run->convention, run->scores, (const char *const *)run->score_names,
                             run->sets, (const char *const *)run->set_names));
    mean->models = SFT_MODELS;
    mean->measure.recall = run->measure.recall;
    for (int score = 0; score < run->scores; score++) {
        const int64_t before = (int64_t)score * run->sets, after = before + (int64_t)run->scores * run->sets;
        for (int set = 0; set < run->sets; set++) {
            mean->metrics[before + set] =
                without_intervals(*sft_results_metrics(run, SFT_BEFORE, score, set));
            take_means(seeds, score, set, &mean->metrics[after + set]);
        }
        take_intervals(seeds, score, run->sets, &mean->averages[run->scores + score]);
    }
    mean->accuracy[SFT_BEFORE] = run->accuracy[SFT_BEFORE];
    mean->accuracy[SFT_AFTER] = sft_seeds_accuracy(seeds).mean;
    mean->ece[SFT_BEFORE] = run->ece[SFT_BEFORE];
    mean->ece[SFT_AFTER] = sft_seeds_ece(seeds).mean;
    return SFT_OK;
}

/* ---- reading ---- */

const char *sft_seed_folder(const char *folder, int64_t seed, char *text, size_t size)
{
    snprintf(text, size, "%s/seed-%" PRId64, folder, seed);
    return text;
}

static bool alike(const struct sft_results *a, const struct sft_results *b)
{
    bool same = a->scores == b->scores && a->sets == b->sets && a->measure.recall == b->measure.recall &&
                a->convention == b->convention;
    for (int i = 0; same && i < a->scores; i++) same = strcmp(a->score_names[i], b->score_names[i]) == 0;
    for (int i = 0; same && i < a->sets; i++) same = strcmp(a->set_names[i], b->set_names[i]) == 0;
    return same;
}

static enum sft_status read_run(const char *folder, const struct sft_results *first, struct sft_results *run)
{
    SFT_TRY(sft_results_read(folder, run));
    if (run->models == 2 && alike(first, run)) return SFT_OK;
    return sft_fail(SFT_DATA, "%s: results of other scores, sets or conventions than the first seed's",
                    folder);
}

enum sft_status sft_seeds_read(const char *folder, int64_t first, int n, struct sft_seeds *seeds)
{
    enum sft_status status = SFT_OK;
    *seeds = (struct sft_seeds){n, first, sft_calloc((size_t)n, sizeof(*seeds->runs))};
    if (!seeds->runs) return SFT_MEMORY;
    for (int i = 0; status == SFT_OK && i < n; i++) {
        char path[4096];
        status = read_run(sft_seed_folder(folder, first + i, path, sizeof(path)), &seeds->runs[0],
                          &seeds->runs[i]);
    }
    if (status != SFT_OK) sft_seeds_free(seeds);
    return status;
}

/* The seeds that the file names, which follow each other. */
static enum sft_status read_numbers(const char *path, int64_t *first, int *n)
{
    json_error_t error;
    json_t *object = json_load_file(path, 0, &error);
    const json_t *seeds = json_object_get(object, "seeds");
    enum sft_status status = SFT_OK;
    *n = (int)json_array_size(seeds);
    *first = json_integer_value(json_array_get(seeds, 0));
    for (int i = 0; i < *n; i++)
        if (!json_is_integer(json_array_get(seeds, (size_t)i)) ||
            json_integer_value(json_array_get(seeds, (size_t)i)) - i != *first)
            *n = 0;
    if (!object)
        status = sft_fail(SFT_DATA, "%s: line %d: %s", path, error.line, error.text);
    else if (*n == 0)
        status = sft_fail(SFT_DATA, "%s: \"seeds\" is no list of consecutive numbers", path);
    json_decref(object);
    return status;
}

enum sft_status sft_seeds_read_again(const char *folder, struct sft_seeds *seeds)
{
    char path[4200];
    int64_t first;
    int n;
    *seeds = (struct sft_seeds){0};
    snprintf(path, sizeof(path), "%s/seeds.json", folder);
    SFT_TRY(read_numbers(path, &first, &n));
    return sft_seeds_read(folder, first, n, seeds);
}

void sft_seeds_free(struct sft_seeds *seeds)
{
    for (int i = 0; seeds->runs && i < seeds->n; i++) sft_results_free(&seeds->runs[i]);
    free(seeds->runs);
    memset(seeds, 0, sizeof(*seeds));
}

/* ---- JSON ---- */

static json_t *real_or_null(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *spread_to_json(const struct sft_seeds *seeds, struct place at)
{
    struct sft_spread spread = spread_at(seeds, at);
    json_t *values = json_array();
    for (int i = 0; i < seeds->n; i++)
        json_array_append_new(values, real_or_null(value_at(&seeds->runs[i], at)));
    return json_pack("{s:o, s:o, s:o}", "mean", real_or_null(spread.mean), "sd", real_or_null(spread.sd),
                     "values", values);
}

static json_t *score_to_json(const struct sft_seeds *seeds, int score)
{
    const struct sft_results *run = seeds->runs;
    json_t *object = json_object();
    for (int set = 0; set <= run->sets; set++) {
        json_t *cell = json_object();
        for (int m = 0; m < (set < run->sets ? METRICS : METRICS_OF_AVERAGE); m++)
            json_object_set_new(cell, metrics[m].key,
                                spread_to_json(seeds, (struct place){SFT_AFTER, score, set, m}));
        json_object_set_new(object, set < run->sets ? run->set_names[set] : "average", cell);
    }
    return object;
}

json_t *sft_seeds_to_json(const struct sft_seeds *seeds)
{
    json_t *numbers = json_array(), *scores = json_object(), *first = sft_results_to_json(seeds->runs);
    json_t *before = json_incref(json_object_get(first, "before"));
    json_decref(first);
    for (int i = 0; i < seeds->n; i++) json_array_append_new(numbers, json_integer(seeds->first + i));
    for (int s = 0; s < seeds->runs->scores; s++)
        json_object_set_new(scores, seeds->runs->score_names[s], score_to_json(seeds, s));
    return json_pack("{s:o, s:o, s:{s:o, s:o, s:o}}", "seeds", numbers, "before", before, "after", "accuracy",
                     spread_to_json(seeds, (struct place){SFT_AFTER, 0, 0, ACCURACY}), "ece",
                     spread_to_json(seeds, (struct place){SFT_AFTER, 0, 0, ECE}), "scores", scores);
}

/* ---- CSV ---- */

static void add_number(struct sft_text *text, double value)
{
    sft_text_add(text, ",");
    if (isfinite(value)) sft_text_printf(text, "%.17g", value);
}

static void add_row(struct sft_text *text, const struct sft_seeds *seeds, const char *score, const char *set,
                    const char *metric, struct place at)
{
    struct sft_spread spread = spread_at(seeds, at);
    struct place before = at;
    before.model = SFT_BEFORE;
    sft_text_add_csv(text, score);
    sft_text_add(text, ",");
    sft_text_add_csv(text, set);
    sft_text_printf(text, ",%s", metric);
    add_number(text, value_at(seeds->runs, before));
    add_number(text, spread.mean);
    add_number(text, spread.sd);
    for (int i = 0; i < seeds->n; i++) add_number(text, value_at(&seeds->runs[i], at));
    sft_text_add(text, "\n");
}

static void add_csv(struct sft_text *text, const struct sft_seeds *seeds)
{
    const struct sft_results *run = seeds->runs;
    sft_text_add(text, "score,set,metric,before,mean,sd");
    for (int i = 0; i < seeds->n; i++) sft_text_printf(text, ",seed-%" PRId64, seeds->first + i);
    sft_text_add(text, "\n");
    for (int score = 0; score < run->scores; score++)
        for (int set = 0; set <= run->sets; set++)
            for (int m = 0; m < (set < run->sets ? METRICS : METRICS_OF_AVERAGE); m++)
                add_row(text, seeds, run->score_names[score],
                        set < run->sets ? run->set_names[set] : "average", metrics[m].key,
                        (struct place){SFT_AFTER, score, set, m});
    add_row(text, seeds, "", "id", "accuracy", (struct place){SFT_AFTER, 0, 0, ACCURACY});
    add_row(text, seeds, "", "id", "ece", (struct place){SFT_AFTER, 0, 0, ECE});
}

static enum sft_status write_text(const char *folder, const char *name, const struct sft_text *text)
{
    char path[4200];
    SFT_TRY(text->status);
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return sft_file_write(path, text->data, strlen(text->data));
}

enum sft_status sft_seeds_write(const struct sft_seeds *seeds, const char *folder)
{
    json_t *object = sft_seeds_to_json(seeds);
    char *dump = object ? json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : NULL;
    struct sft_text json = {0}, csv = {0};
    enum sft_status status = dump ? SFT_OK : sft_fail(SFT_MEMORY, "no memory for seeds.json");
    json_decref(object);
    if (dump) sft_text_printf(&json, "%s\n", dump);
    free(dump);
    add_csv(&csv, seeds);
    if (status == SFT_OK) status = write_text(folder, "seeds.json", &json);
    if (status == SFT_OK) status = write_text(folder, "seeds.csv", &csv);
    sft_text_free(&json);
    sft_text_free(&csv);
    return status;
}

/* ---- the table ---- */

enum { NAME = 18 };

static void add_cells(struct sft_text *text, const struct sft_seeds *seeds, struct place at)
{
    struct sft_spread after = spread_at(seeds, at);
    at.model = SFT_BEFORE;
    sft_text_printf(text, "%9.2f  %6.2f +- %.2f", 100 * value_at(seeds->runs, at), 100 * after.mean,
                    100 * after.sd);
}

static void add_table(struct sft_text *text, const struct sft_seeds *seeds)
{
    const struct sft_results *run = seeds->runs;
    static const struct {
        const char *words;
        int metric;
    } of_id[] = {{"accuracy on ID", ACCURACY}, {"calibration error", ECE}};
    char fpr[16];
    sft_text_printf(text, "%*s%16s%23s\n", NAME, "", sft_results_fpr_name(run, fpr), "AUROC");
    sft_text_printf(text, "%*s%9s%15s%8s%15s\n", NAME, "", "before", "after", "before", "after");
    for (int s = 0; s < run->scores; s++) {
        const struct sft_score *score = sft_score_find(run->score_names[s]);
        sft_text_printf(text, "%-*s", NAME, score ? score->title : run->score_names[s]);
        add_cells(text, seeds, (struct place){SFT_AFTER, s, run->sets, FPR});
        add_cells(text, seeds, (struct place){SFT_AFTER, s, run->sets, AUROC});
        sft_text_add(text, "\n");
    }
    for (size_t i = 0; i < sizeof(of_id) / sizeof(of_id[0]); i++) {
        struct place at = {SFT_BEFORE, 0, 0, of_id[i].metric};
        if (isnan(value_at(run, at))) continue;
        at.model = SFT_AFTER;
        sft_text_printf(text, "%-*s", NAME, of_id[i].words);
        add_cells(text, seeds, at);
        sft_text_add(text, "\n");
    }
    sft_text_printf(
        text, "In percent, averaged over %d OOD set%s; mean +- sample standard deviation of %d seeds.\n",
        run->sets, run->sets == 1 ? "" : "s", seeds->n);
}

enum sft_status sft_seeds_print(const struct sft_seeds *seeds, FILE *out)
{
    struct sft_text text = {0};
    enum sft_status status;
    add_table(&text, seeds);
    status = text.status;
    if (status == SFT_OK && (fputs(text.data, out) < 0 || fflush(out) != 0))
        status = sft_fail(SFT_WRITE, "the table could not be printed");
    sft_text_free(&text);
    return status;
}
