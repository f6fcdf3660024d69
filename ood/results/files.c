/* SPDX-License-Identifier: Apache-2.0 */
/* The files of results: JSON and score files both ways, CSV one way. */
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ood/results/results.h"
#include "ood/results/run_files.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/json.h"
#include "runtime/base/log.h"
#include "runtime/base/npy.h"
#include "runtime/base/path.h"

static bool has_average(enum sft_metric metric) { return metric < SFT_MAIN_METRICS; }

/* ---- results.json ---- */

static void add_interval(struct sft_json *json, enum sft_metric metric, struct sft_interval interval)
{
    char key[24];
    if (isnan(interval.low)) return;
    snprintf(key, sizeof(key), "%s_ci", sft_metric_rows[metric].key);
    sft_json_array(json, key);
    sft_json_real(json, NULL, interval.low);
    sft_json_real(json, NULL, interval.high);
    sft_json_end(json);
}

static void add_cell(struct sft_json *json, const struct sft_results *results, int model, int score, int set)
{
    struct sft_metrics cell = sft_results_cell(results, model, score, set);
    const bool average = set == results->sets;
    sft_json_object(json, sft_results_set_name(results, set));
    for (enum sft_metric i = 0; i < SFT_METRICS; i++)
        if (!average || has_average(i)) sft_json_real(json, sft_metric_rows[i].key, *sft_metric_in(&cell, i));
    for (enum sft_metric i = 0; i < SFT_MAIN_METRICS; i++)
        add_interval(json, i, *sft_metric_interval_in(&cell, i));
    if (!average) {
        sft_json_integer(json, "n_id", cell.n_id);
        sft_json_integer(json, "n_ood", cell.n_ood);
    }
    sft_json_end(json);
}

/* "fpr_positive" means ref or openood, as --fpr-positive does; other conventions add their name. */
static void add_convention(struct sft_json *json, const struct sft_convention *convention, double recall)
{
    sft_json_object(json, "convention");
    sft_json_text(json, "fpr_positive", convention->positive);
    sft_json_real(json, "recall", recall);
    if (!convention->alias) sft_json_text(json, "name", convention->name);
    sft_json_end(json);
}

static void add_bootstrap(struct sft_json *json, const struct sft_measure *measure)
{
    sft_json_object(json, "bootstrap");
    sft_json_integer(json, "replicates", measure->replicates);
    sft_json_integer(json, "seed", (int64_t)measure->seed);
    sft_json_real(json, "confidence", SFT_RESULTS_CONFIDENCE);
    sft_json_end(json);
}

static void add_model(struct sft_json *json, const char *key, const struct sft_results *results, int model)
{
    sft_json_object(json, key);
    for (enum sft_id_metric i = 0; i < SFT_ID_METRICS; i++)
        sft_json_real(json, sft_id_metric_rows[i].key, sft_results_id_metric(results, i, model));
    add_convention(json, results->convention, results->measure.recall);
    if (results->measure.replicates) add_bootstrap(json, &results->measure);
    sft_json_object(json, "scores");
    for (int score = 0; score < results->scores; score++) {
        sft_json_object(json, results->score_names[score]);
        for (int set = 0; set <= results->sets; set++) add_cell(json, results, model, score, set);
        sft_json_end(json);
    }
    sft_json_end(json);
    sft_json_end(json);
}

static void make_json(struct sft_json *json, const struct sft_results *results)
{
    if (results->models < 2) {
        add_model(json, NULL, results, SFT_BEFORE);
        return;
    }
    sft_json_object(json, NULL);
    for (int model = 0; model < results->models; model++)
        add_model(json, sft_results_model_name(results, model), results, model);
    sft_json_end(json);
}

json_t *sft_results_to_json(const struct sft_results *results)
{
    struct sft_json json = {0};
    make_json(&json, results);
    return sft_json_take(&json);
}

static enum sft_status write_json(const struct sft_results *results, const char *path)
{
    struct sft_json json = {0};
    enum sft_status status;
    make_json(&json, results);
    status = sft_json_write(&json, path, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    sft_json_free(&json);
    return status;
}

/* ---- results.csv ---- */

static void add_csv_row(struct sft_text *text, const struct sft_results *results, int model, int score,
                        int set)
{
    struct sft_metrics metrics = *sft_results_metrics(results, model, score, set);
    const char *name = sft_results_model_name(results, model);
    sft_text_printf(text, "%s,", *name ? name : "model");
    sft_text_add_csv(text, results->score_names[score]);
    sft_text_add(text, ",");
    sft_text_add_csv(text, results->set_names[set]);
    for (enum sft_metric i = 0; i < SFT_METRICS; i++)
        sft_text_printf(text, ",%.17g", *sft_metric_in(&metrics, i));
    sft_text_printf(text, ",%lld,%lld", (long long)metrics.n_id, (long long)metrics.n_ood);
    for (enum sft_metric i = 0; results->measure.replicates && i < SFT_MAIN_METRICS; i++)
        sft_text_printf(text, ",%.17g,%.17g", sft_metric_interval_in(&metrics, i)->low,
                        sft_metric_interval_in(&metrics, i)->high);
    sft_text_add(text, "\n");
}

static void add_csv_head(struct sft_text *text, const struct sft_results *results)
{
    sft_text_add(text, "model,score,set");
    for (enum sft_metric i = 0; i < SFT_METRICS; i++) sft_text_printf(text, ",%s", sft_metric_rows[i].key);
    sft_text_add(text, ",n_id,n_ood");
    for (enum sft_metric i = 0; results->measure.replicates && i < SFT_MAIN_METRICS; i++)
        sft_text_printf(text, ",%s_low,%s_high", sft_metric_rows[i].key, sft_metric_rows[i].key);
    sft_text_add(text, "\n");
}

static enum sft_status write_csv(const struct sft_results *results, const char *path)
{
    struct sft_text text = {0};
    enum sft_status status;
    add_csv_head(&text, results);
    for (int model = 0; model < results->models; model++)
        for (int score = 0; score < results->scores; score++)
            for (int set = 0; set < results->sets; set++) add_csv_row(&text, results, model, score, set);
    status = text.status == SFT_OK ? sft_file_write(path, text.data, text.length) : text.status;
    sft_text_free(&text);
    return status;
}

/* ---- scores ---- */

/* The folder of a score's files, within the run folder. */
static char *score_folder(const struct sft_results *results, int model, int score)
{
    const char *name = sft_results_model_name(results, model);
    return sft_path_join(SFT_FOLDER_SCORES, "%s%s%s", name, *name ? "/" : "", results->score_names[score]);
}

static char *score_path(const struct sft_results *results, const char *folder, int model, int score, int set)
{
    char *in = score_folder(results, model, score);
    char *name = sft_text_spell(sft_results_set_name(results, set));
    char *path = in && name ? sft_path_join(folder, "%s/%s.npy", in, name) : NULL;
    free(in);
    free(name);
    return path;
}

static enum sft_status write_scores_of(const struct sft_results *results, const char *folder, int model,
                                       int score)
{
    char *below = score_folder(results, model, score), *path;
    enum sft_status status = below ? sft_make_folder_in(folder, below) : SFT_MEMORY;
    free(below);
    for (int set = SFT_ID_SET; status == SFT_OK && set < results->sets; set++) {
        const struct sft_score_values *values = sft_results_values(results, model, score, set);
        if (!values->values) continue;
        path = score_path(results, folder, model, score, set);
        status = path ? sft_npy_write(path, &SFT_SHAPE(values->n), values->values) : SFT_MEMORY;
        free(path);
    }
    return status;
}

/* ---- all of them ---- */

static enum sft_status write_as(const struct sft_results *results, const char *folder, const char *name,
                                enum sft_status (*write)(const struct sft_results *, const char *))
{
    char *path = sft_path_join(folder, "%s", name);
    enum sft_status status = path ? write(results, path) : SFT_MEMORY;
    free(path);
    return status;
}

enum sft_status sft_results_write(const struct sft_results *results, const char *folder)
{
    if (results->models < 1) return sft_fail(SFT_USAGE, "%s: there are no results to write yet", folder);
    SFT_TRY(sft_make_folder(folder));
    for (int model = 0; model < results->models; model++)
        for (int score = 0; score < results->scores; score++)
            SFT_TRY(write_scores_of(results, folder, model, score));
    SFT_TRY(write_as(results, folder, SFT_FILE_RESULTS_CSV, write_csv));
    return write_as(results, folder, SFT_FILE_RESULTS, write_json);
}

/* ---- reading back: a reader carries the file's name and says what is wrong where ---- */

static bool is_fraction(const json_t *value)
{
    return json_is_number(value) && json_number_value(value) >= 0.0 && json_number_value(value) <= 1.0;
}

/* The member whose key spells `name`; NULL where there is none. */
static enum sft_status find(const json_t *object, const char *name, const json_t **value)
{
    char *key = sft_text_spell(name);
    *value = key ? json_object_get(object, key) : NULL;
    free(key);
    return key ? SFT_OK : SFT_MEMORY;
}

/* An interval may be missing. */
static enum sft_status read_intervals(const char *path, const json_t *cell, struct sft_metrics *metrics)
{
    for (enum sft_metric i = 0; i < SFT_MAIN_METRICS; i++) {
        const json_t *ends, *low, *high;
        char key[24];
        snprintf(key, sizeof(key), "%s_ci", sft_metric_rows[i].key);
        ends = json_object_get(cell, key);
        low = json_array_get(ends, 0);
        high = json_array_get(ends, 1);
        *sft_metric_interval_in(metrics, i) = (struct sft_interval){NAN, NAN};
        if (!ends) continue;
        if (!is_fraction(low) || !is_fraction(high))
            return sft_fail(SFT_DATA, "%s: %s holds no two fractions", path, key);
        *sft_metric_interval_in(metrics, i) =
            (struct sft_interval){json_number_value(low), json_number_value(high)};
    }
    return SFT_OK;
}

static enum sft_status read_cell(const char *path, const char *score, const char *set, const json_t *cell,
                                 struct sft_metrics *metrics)
{
    for (enum sft_metric i = 0; i < SFT_METRICS; i++) {
        const json_t *value = json_object_get(cell, sft_metric_rows[i].key);
        if (!is_fraction(value))
            return sft_fail(SFT_DATA, "%s: %s of score %s on set %s is missing or no fraction", path,
                            sft_metric_rows[i].key, score, set);
        *sft_metric_in(metrics, i) = json_number_value(value);
    }
    metrics->n_id = json_integer_value(json_object_get(cell, "n_id"));
    metrics->n_ood = json_integer_value(json_object_get(cell, "n_ood"));
    return read_intervals(path, cell, metrics);
}

static enum sft_status read_score(const char *path, const json_t *sets, int model, int score,
                                  struct sft_results *results)
{
    const json_t *cell;
    for (int set = 0; set < results->sets; set++) {
        SFT_TRY(find(sets, results->set_names[set], &cell));
        SFT_TRY(read_cell(path, results->score_names[score], results->set_names[set], cell,
                          &results->metrics[(model * results->scores + score) * results->sets + set]));
    }
    cell = json_object_get(sets, SFT_AVERAGE_NAME);
    return read_intervals(path, cell, &results->averages[model * results->scores + score]);
}

static enum sft_status read_model(const char *path, const json_t *object, int model,
                                  struct sft_results *results)
{
    const json_t *scores = json_object_get(object, "scores"), *sets;
    for (int score = 0; score < results->scores; score++) {
        SFT_TRY(find(scores, results->score_names[score], &sets));
        SFT_TRY(read_score(path, sets, model, score, results));
    }
    for (enum sft_id_metric i = 0; i < SFT_ID_METRICS; i++)
        sft_results_of_id(results, i)[model] =
            sft_json_number(json_object_get(object, sft_id_metric_rows[i].key));
    results->models = model + 1;
    return SFT_OK;
}

/* What the keys of an object spell, without "average". */
struct names {
    char **name; /* (count), owned */
    int count;
};

static void free_names(struct names *names)
{
    for (int i = 0; i < names->count; i++) free(names->name[i]);
    free(names->name);
}

static enum sft_status read_names(json_t *object, struct names *names)
{
    const char *key;
    json_t *value;
    *names = (struct names){sft_calloc(json_object_size(object), sizeof(*names->name)), 0};
    if (!names->name) return SFT_MEMORY;
    json_object_foreach(object, key, value)
    {
        char *name;
        if (strcmp(key, SFT_AVERAGE_NAME) == 0) continue;
        name = sft_strdup(key);
        if (!name) return SFT_MEMORY;
        sft_text_unspell(name);
        names->name[names->count++] = name;
    }
    return SFT_OK;
}

static enum sft_status read_measure(const char *path, const json_t *object, struct sft_measure *measure)
{
    const json_t *recall = json_object_get(json_object_get(object, "convention"), "recall");
    const json_t *bootstrap = json_object_get(object, "bootstrap");
    if (recall && (!is_fraction(recall) || json_number_value(recall) == 0.0))
        return sft_fail(SFT_DATA, "%s: the recall is no fraction above 0", path);
    if (recall) measure->recall = json_number_value(recall);
    measure->replicates = (int)json_integer_value(json_object_get(bootstrap, "replicates"));
    measure->seed = (uint64_t)json_integer_value(json_object_get(bootstrap, "seed"));
    return SFT_OK;
}

/* Room for the names that the first model has. */
static enum sft_status make_room(json_t *scores, const struct sft_convention *convention,
                                 struct sft_results *results)
{
    struct names score_names, set_names = {NULL, 0};
    enum sft_status status = read_names(scores, &score_names);
    if (status == SFT_OK) status = read_names(json_object_iter_value(json_object_iter(scores)), &set_names);
    if (status == SFT_OK)
        status =
            sft_results_init(results, convention, score_names.count, (const char *const *)score_names.name,
                             set_names.count, (const char *const *)set_names.name);
    free_names(&score_names);
    free_names(&set_names);
    return status;
}

/* Names, convention and room, from the first model in the file. */
static enum sft_status start(const char *path, const json_t *object, struct sft_results *results)
{
    const json_t *about = json_object_get(object, "convention");
    json_t *scores = json_object_get(object, "scores");
    const char *name = json_string_value(json_object_get(about, "name"));
    const struct sft_convention *convention;
    enum sft_status status;
    if (!name) name = json_string_value(json_object_get(about, "fpr_positive"));
    if (json_object_size(scores) == 0 || !name)
        return sft_fail(
            SFT_DATA, "%s: \"scores\" or \"convention\" is missing: not the results of an evaluation", path);
    if (sft_convention_find(name, &convention) != SFT_OK)
        return sft_fail(SFT_DATA, "%s: damaged, see above", path);
    status = make_room(scores, convention, results);
    return status == SFT_USAGE ? sft_fail(SFT_DATA, "%s: damaged, see above", path) : status;
}

static enum sft_status read_json(const char *path, struct sft_results *results)
{
    json_t *object;
    const json_t *models[SFT_MODELS] = {NULL, NULL};
    enum sft_status status;
    SFT_TRY(sft_json_read(path, &object));
    models[SFT_BEFORE] = object;
    if (json_object_get(object, sft_model_words[SFT_BEFORE]))
        for (int model = 0; model < SFT_MODELS; model++)
            models[model] = json_object_get(object, sft_model_words[model]);
    SFT_TRY_OUT(start(path, models[SFT_BEFORE], results));
    SFT_TRY_OUT(read_measure(path, models[SFT_BEFORE], &results->measure));
    for (int model = 0; model < SFT_MODELS && models[model]; model++)
        SFT_TRY_OUT(read_model(path, models[model], model, results));
out:
    json_decref(object);
    return status;
}

/* How many images results.json says that a set has. */
static int64_t expected(const struct sft_results *results, int model, int score, int set)
{
    const struct sft_metrics *m = sft_results_metrics(results, model, score, set == SFT_ID_SET ? 0 : set);
    return set == SFT_ID_SET ? m->n_id : m->n_ood;
}

/* Why the scores of a file cannot be used; NULL where they can. */
static const char *fault(int64_t n, const float *values, int64_t n_expected)
{
    if (n != n_expected) return "it has another number of images than results.json says";
    for (int64_t i = 0; i < n; i++)
        if (isnan(values[i])) return "it holds a score that is not a number";
    return NULL;
}

/* *values stays NULL, with a word, where the file cannot be used. */
static enum sft_status read_score_file(const char *path, int64_t n_expected, struct sft_results *results,
                                       int64_t *n, float **values)
{
    const char *why = "it is not there";
    enum sft_status status = SFT_OK;
    *values = NULL;
    if (!sft_file_is_absent(path)) {
        status = sft_npy_read(path, n, values);
        if (status != SFT_OK && status != SFT_DATA) return status;
        why = status == SFT_OK ? fault(*n, *values, n_expected) : "it is damaged";
        results->damaged_files += why != NULL;
    }
    if (!why) return SFT_OK;
    sft_log(SFT_LOG_WARNING, "%s: left out: %s", path, why);
    free(*values);
    *values = NULL;
    return SFT_OK;
}

static enum sft_status read_scores(const char *folder, int model, int score, int set,
                                   struct sft_results *results)
{
    char *path = score_path(results, folder, model, score, set);
    float *values = NULL;
    int64_t n = 0;
    enum sft_status status = SFT_MEMORY;
    if (path) status = read_score_file(path, expected(results, model, score, set), results, &n, &values);
    if (status == SFT_OK && values)
        status = sft_results_put(results, (enum sft_results_model)model, score, set, n, values);
    free(values);
    free(path);
    return status;
}

/* A score's name goes into a path: one from a file must not leave the folder. */
static int is_plain(const char *name) { return name[0] != '\0' && name[0] != '.' && !strpbrk(name, "/\\"); }

enum sft_status sft_results_read(const char *folder, struct sft_results *results)
{
    char *path = sft_path_join(folder, SFT_FILE_RESULTS);
    enum sft_status status;
    memset(results, 0, sizeof(*results));
    status = path ? read_json(path, results) : SFT_MEMORY;
    free(path);
    for (int model = 0; model < results->models; model++)
        for (int score = 0; status == SFT_OK && score < results->scores; score++)
            for (int set = SFT_ID_SET; status == SFT_OK && set < results->sets; set++)
                if (is_plain(results->score_names[score]))
                    status = read_scores(folder, model, score, set, results);
    if (status != SFT_OK) sft_results_free(results);
    return status;
}
