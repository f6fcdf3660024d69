/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/results/seeds.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ood/results/run_files.h"
#include "ood/scores/score.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/json.h"
#include "runtime/base/path.h"

/* A number of one run. */
struct place {
    int model, score, set; /* set == sets: the average */
    int metric;            /* an enum sft_metric, or OF_ID + an enum sft_id_metric */
};
enum { OF_ID = SFT_METRICS };

static double value_at(const struct sft_results *run, struct place at)
{
    struct sft_metrics cell;
    if (at.metric >= OF_ID)
        return sft_results_id_metric(run, (enum sft_id_metric)(at.metric - OF_ID), at.model);
    cell = sft_results_cell(run, at.model, at.score, at.set);
    return *sft_metric_in(&cell, (enum sft_metric)at.metric);
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

/* The place of a number of the ID images after fine-tuning. */
static struct place of_id(enum sft_id_metric metric)
{
    return (struct place){SFT_AFTER, 0, 0, OF_ID + metric};
}

struct sft_spread sft_seeds_of_id(const struct sft_seeds *seeds, enum sft_id_metric metric)
{
    return spread_at(seeds, of_id(metric));
}

/* How many metrics there are of a set, or of the average. */
static int metrics_of(const struct sft_results *run, int set)
{
    return set < run->sets ? SFT_METRICS : SFT_MAIN_METRICS;
}

/* ---- as one run ---- */

static struct sft_interval around(struct sft_spread spread)
{
    return (struct sft_interval){spread.mean - spread.sd, spread.mean + spread.sd};
}

/* The metrics that both a set and the average have intervals of. */
static void take_intervals(const struct sft_seeds *seeds, int score, int set, struct sft_metrics *to)
{
    for (enum sft_metric m = 0; m < SFT_MAIN_METRICS; m++)
        *sft_metric_interval_in(to, m) = around(spread_at(seeds, (struct place){SFT_AFTER, score, set, m}));
}

static void take_means(const struct sft_seeds *seeds, int score, int set, struct sft_metrics *to)
{
    *to = *sft_results_metrics(seeds->runs, SFT_AFTER, score, set);
    for (enum sft_metric m = 0; m < SFT_METRICS; m++)
        *sft_metric_in(to, m) = spread_at(seeds, (struct place){SFT_AFTER, score, set, m}).mean;
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
    for (enum sft_id_metric m = 0; m < SFT_ID_METRICS; m++) {
        sft_results_of_id(mean, m)[SFT_BEFORE] = sft_results_id_metric(run, m, SFT_BEFORE);
        sft_results_of_id(mean, m)[SFT_AFTER] = sft_seeds_of_id(seeds, m).mean;
    }
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
    json_t *object;
    const json_t *seeds;
    SFT_TRY(sft_json_read(path, &object));
    seeds = json_object_get(object, "seeds");
    *n = (int)json_array_size(seeds);
    *first = json_integer_value(json_array_get(seeds, 0));
    for (int i = 0; i < *n; i++)
        if (!json_is_integer(json_array_get(seeds, (size_t)i)) ||
            json_integer_value(json_array_get(seeds, (size_t)i)) - i != *first)
            *n = 0;
    json_decref(object);
    return *n > 0 ? SFT_OK : sft_fail(SFT_DATA, "%s: \"seeds\" is no list of consecutive numbers", path);
}

enum sft_status sft_seeds_read_again(const char *folder, struct sft_seeds *seeds)
{
    char *path = sft_path_join(folder, SFT_FILE_SEEDS);
    int64_t first = 0;
    int n = 0;
    enum sft_status status = path ? read_numbers(path, &first, &n) : SFT_MEMORY;
    *seeds = (struct sft_seeds){0};
    free(path);
    return status == SFT_OK ? sft_seeds_read(folder, first, n, seeds) : status;
}

void sft_seeds_free(struct sft_seeds *seeds)
{
    for (int i = 0; seeds->runs && i < seeds->n; i++) sft_results_free(&seeds->runs[i]);
    free(seeds->runs);
    memset(seeds, 0, sizeof(*seeds));
}

/* ---- JSON ---- */

static void add_spread(struct sft_json *json, const char *key, const struct sft_seeds *seeds, struct place at)
{
    struct sft_spread spread = spread_at(seeds, at);
    sft_json_object(json, key);
    sft_json_real(json, "mean", spread.mean);
    sft_json_real(json, "sd", spread.sd);
    sft_json_array(json, "values");
    for (int i = 0; i < seeds->n; i++) sft_json_real(json, NULL, value_at(&seeds->runs[i], at));
    sft_json_end(json);
    sft_json_end(json);
}

static void add_score(struct sft_json *json, const struct sft_seeds *seeds, int score)
{
    const struct sft_results *run = seeds->runs;
    sft_json_object(json, run->score_names[score]);
    for (int set = 0; set <= run->sets; set++) {
        sft_json_object(json, sft_results_set_name(run, set));
        for (int m = 0; m < metrics_of(run, set); m++)
            add_spread(json, sft_metric_rows[m].key, seeds, (struct place){SFT_AFTER, score, set, m});
        sft_json_end(json);
    }
    sft_json_end(json);
}

/* The model before fine-tuning, as its results have it. */
static void add_before(struct sft_json *json, const struct sft_results *run)
{
    json_t *both = sft_results_to_json(run);
    const char *word = sft_model_words[SFT_BEFORE];
    sft_json_value(json, word, json_incref(json_object_get(both, word)));
    json_decref(both);
}

static void add_after(struct sft_json *json, const struct sft_seeds *seeds)
{
    sft_json_object(json, sft_model_words[SFT_AFTER]);
    for (enum sft_id_metric m = 0; m < SFT_ID_METRICS; m++)
        add_spread(json, sft_id_metric_rows[m].key, seeds, of_id(m));
    sft_json_object(json, "scores");
    for (int score = 0; score < seeds->runs->scores; score++) add_score(json, seeds, score);
    sft_json_end(json);
    sft_json_end(json);
}

static void make_json(struct sft_json *json, const struct sft_seeds *seeds)
{
    sft_json_object(json, NULL);
    sft_json_array(json, "seeds");
    for (int i = 0; i < seeds->n; i++) sft_json_integer(json, NULL, seeds->first + i);
    sft_json_end(json);
    add_before(json, seeds->runs);
    add_after(json, seeds);
    sft_json_end(json);
}

json_t *sft_seeds_to_json(const struct sft_seeds *seeds)
{
    struct sft_json json = {0};
    make_json(&json, seeds);
    return sft_json_take(&json);
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
            for (int m = 0; m < metrics_of(run, set); m++)
                add_row(text, seeds, run->score_names[score], sft_results_set_name(run, set),
                        sft_metric_rows[m].key, (struct place){SFT_AFTER, score, set, m});
    for (enum sft_id_metric m = 0; m < SFT_ID_METRICS; m++)
        add_row(text, seeds, "", SFT_ID_NAME, sft_id_metric_rows[m].key, of_id(m));
}

/* ---- files ---- */

static enum sft_status write_json(const struct sft_seeds *seeds, const char *path)
{
    struct sft_json json = {0};
    enum sft_status status;
    make_json(&json, seeds);
    status = sft_json_write(&json, path, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    sft_json_free(&json);
    return status;
}

static enum sft_status write_csv(const struct sft_seeds *seeds, const char *path)
{
    struct sft_text csv = {0};
    enum sft_status status;
    add_csv(&csv, seeds);
    status = csv.status == SFT_OK ? sft_file_write(path, csv.data, csv.length) : csv.status;
    sft_text_free(&csv);
    return status;
}

enum sft_status sft_seeds_write(const struct sft_seeds *seeds, const char *folder)
{
    char *json = sft_path_join(folder, SFT_FILE_SEEDS), *csv = sft_path_join(folder, SFT_FILE_SEEDS_CSV);
    enum sft_status status = json && csv ? write_json(seeds, json) : SFT_MEMORY;
    if (status == SFT_OK) status = write_csv(seeds, csv);
    free(json);
    free(csv);
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

static void add_id_line(struct sft_text *text, const struct sft_seeds *seeds, enum sft_id_metric metric)
{
    if (isnan(sft_results_id_metric(seeds->runs, metric, SFT_BEFORE))) return;
    sft_text_printf(text, "%-*s", NAME, sft_id_metric_rows[metric].title);
    add_cells(text, seeds, of_id(metric));
    sft_text_add(text, "\n");
}

static void add_table(struct sft_text *text, const struct sft_seeds *seeds)
{
    const struct sft_results *run = seeds->runs;
    char fpr[16], auroc[16];
    sft_text_printf(text, "%*s%16s%23s\n", NAME, "", sft_results_metric_title(run, SFT_FPR, fpr),
                    sft_results_metric_title(run, SFT_AUROC, auroc));
    sft_text_printf(text, "%*s%9s%15s%8s%15s\n", NAME, "", "before", "after", "before", "after");
    for (int s = 0; s < run->scores; s++) {
        sft_text_printf(text, "%-*s", NAME, sft_score_title(run->score_names[s]));
        for (enum sft_metric m = 0; m < SFT_MAIN_METRICS; m++)
            add_cells(text, seeds, (struct place){SFT_AFTER, s, run->sets, m});
        sft_text_add(text, "\n");
    }
    for (enum sft_id_metric m = 0; m < SFT_ID_METRICS; m++) add_id_line(text, seeds, m);
    sft_text_printf(
        text, "In percent, averaged over %d OOD set%s; mean +- sample standard deviation of %d seeds.\n",
        run->sets, run->sets == 1 ? "" : "s", seeds->n);
}

enum sft_status sft_seeds_print(const struct sft_seeds *seeds, FILE *out)
{
    struct sft_text text = {0};
    enum sft_status status;
    add_table(&text, seeds);
    status = sft_text_print(&text, out);
    sft_text_free(&text);
    return status;
}
