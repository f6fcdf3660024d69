/* SPDX-License-Identifier: Apache-2.0 */
/* The files of results: JSON and score files both ways, CSV one way. */
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ood/results/results.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/npy.h"
#include "runtime/base/text.h"

/* The metrics of a cell by their names in files. */
static const struct {
    const char *key;
    size_t offset;
} fractions[] = {
    {"fpr95", offsetof(struct sft_metrics, fpr)},
    {"auroc", offsetof(struct sft_metrics, auroc)},
    {"aupr_in", offsetof(struct sft_metrics, aupr_in)},
    {"aupr_out", offsetof(struct sft_metrics, aupr_out)},
};
enum { FRACTIONS = 4, FRACTIONS_OF_AVERAGE = 2 };

/* Those that a bootstrap adds: keys in JSON, columns in CSV. */
static const struct {
    const char *key, *columns;
    size_t offset;
} intervals[] = {
    {"fpr95_ci", ",fpr95_low,fpr95_high", offsetof(struct sft_metrics, fpr_interval)},
    {"auroc_ci", ",auroc_low,auroc_high", offsetof(struct sft_metrics, auroc_interval)},
};
enum { INTERVALS = 2 };

static double *fraction(struct sft_metrics *metrics, int i)
{
    return (double *)(void *)((char *)metrics + fractions[i].offset);
}

static struct sft_interval *interval(struct sft_metrics *metrics, int i)
{
    return (struct sft_interval *)(void *)((char *)metrics + intervals[i].offset);
}

/* JSON has no NaN. */
static json_t *real_or_null(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *cell_to_json(struct sft_metrics metrics, int is_average)
{
    json_t *cell = json_object();
    for (int i = 0; i < (is_average ? FRACTIONS_OF_AVERAGE : FRACTIONS); i++)
        json_object_set_new(cell, fractions[i].key, real_or_null(*fraction(&metrics, i)));
    for (int i = 0; i < INTERVALS; i++)
        if (!isnan(interval(&metrics, i)->low))
            json_object_set_new(cell, intervals[i].key,
                                json_pack("[f, f]", interval(&metrics, i)->low, interval(&metrics, i)->high));
    if (is_average) return cell;
    json_object_set_new(cell, "n_id", json_integer(metrics.n_id));
    json_object_set_new(cell, "n_ood", json_integer(metrics.n_ood));
    return cell;
}

static json_t *score_to_json(const struct sft_results *results, int model, int score)
{
    json_t *object = json_object();
    for (int set = 0; set < results->sets; set++)
        json_object_set_new(object, results->set_names[set],
                            cell_to_json(*sft_results_metrics(results, model, score, set), 0));
    json_object_set_new(object, "average", cell_to_json(sft_results_average(results, model, score), 1));
    return object;
}

/* "fpr_positive" names ref or openood, as --fpr-positive does; other conventions add their name. */
static json_t *convention_to_json(const struct sft_convention *convention, double recall)
{
    json_t *object = json_object();
    json_object_set_new(object, "fpr_positive", json_string(convention->positive));
    json_object_set_new(object, "recall", json_real(recall));
    if (!convention->alias) json_object_set_new(object, "name", json_string(convention->name));
    return object;
}

static json_t *bootstrap_to_json(const struct sft_measure *measure)
{
    return json_pack("{s:i, s:I, s:f}", "replicates", measure->replicates, "seed", (json_int_t)measure->seed,
                     "confidence", SFT_RESULTS_CONFIDENCE);
}

static json_t *model_to_json(const struct sft_results *results, int model)
{
    json_t *object = json_object(), *scores = json_object();
    json_object_set_new(object, "accuracy", real_or_null(results->accuracy[model]));
    json_object_set_new(object, "ece", real_or_null(results->ece[model]));
    json_object_set_new(object, "convention",
                        convention_to_json(results->convention, results->measure.recall));
    if (results->measure.replicates)
        json_object_set_new(object, "bootstrap", bootstrap_to_json(&results->measure));
    for (int score = 0; score < results->scores; score++)
        json_object_set_new(scores, results->score_names[score], score_to_json(results, model, score));
    json_object_set_new(object, "scores", scores);
    return object;
}

json_t *sft_results_to_json(const struct sft_results *results)
{
    json_t *object;
    if (results->models < 2) return model_to_json(results, SFT_BEFORE);
    object = json_object();
    for (int model = 0; model < results->models; model++)
        json_object_set_new(object, sft_results_model_name(results, model), model_to_json(results, model));
    return object;
}

/* "FOLDER/A/B", any of A and B possibly empty. */
static char *join(const char *folder, const char *a, const char *b)
{
    size_t size = strlen(folder) + strlen(a) + strlen(b) + 3;
    char *path = sft_calloc(size, 1);
    if (path) snprintf(path, size, "%s%s%s%s%s", folder, *a ? "/" : "", a, *b ? "/" : "", b);
    return path;
}

static enum sft_status write_named(const char *folder, const char *name, const char *text)
{
    char *path = join(folder, name, "");
    enum sft_status status = path ? sft_file_write(path, text, strlen(text)) : SFT_MEMORY;
    free(path);
    return status;
}

static enum sft_status write_json(const struct sft_results *results, const char *folder)
{
    json_t *object = sft_results_to_json(results);
    struct sft_text text = {0};
    char *dump = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    enum sft_status status = SFT_OK;
    json_decref(object);
    if (!dump)
        return sft_fail(SFT_MEMORY, "results.json could not be made: a name is no UTF-8, or out of memory");
    sft_text_printf(&text, "%s\n", dump);
    free(dump);
    SFT_TRY_OUT(text.status);
    status = write_named(folder, "results.json", text.data);
out:
    sft_text_free(&text);
    return status;
}

static void add_row(struct sft_text *text, const struct sft_results *results, int model, int score, int set)
{
    struct sft_metrics metrics = *sft_results_metrics(results, model, score, set);
    const char *name = sft_results_model_name(results, model);
    sft_text_printf(text, "%s,", *name ? name : "model");
    sft_text_add_csv(text, results->score_names[score]);
    sft_text_add(text, ",");
    sft_text_add_csv(text, results->set_names[set]);
    for (int i = 0; i < FRACTIONS; i++) sft_text_printf(text, ",%.17g", *fraction(&metrics, i));
    sft_text_printf(text, ",%lld,%lld", (long long)metrics.n_id, (long long)metrics.n_ood);
    for (int i = 0; results->measure.replicates && i < INTERVALS; i++)
        sft_text_printf(text, ",%.17g,%.17g", interval(&metrics, i)->low, interval(&metrics, i)->high);
    sft_text_add(text, "\n");
}

static enum sft_status write_csv(const struct sft_results *results, const char *folder)
{
    struct sft_text text = {0};
    enum sft_status status;
    sft_text_add(&text, "model,score,set,fpr95,auroc,aupr_in,aupr_out,n_id,n_ood");
    for (int i = 0; results->measure.replicates && i < INTERVALS; i++)
        sft_text_add(&text, intervals[i].columns);
    sft_text_add(&text, "\n");
    for (int model = 0; model < results->models; model++)
        for (int score = 0; score < results->scores; score++)
            for (int set = 0; set < results->sets; set++) add_row(&text, results, model, score, set);
    status = text.status == SFT_OK ? write_named(folder, "results.csv", text.data) : text.status;
    sft_text_free(&text);
    return status;
}

/* The score file of a set. */
static char *score_path(const struct sft_results *results, const char *folder, int model, int score, int set,
                        int only_folder)
{
    struct sft_text path = {0};
    const char *name = sft_results_model_name(results, model);
    sft_text_printf(&path, "%s/scores/%s%s%s", folder, name, *name ? "/" : "", results->score_names[score]);
    if (!only_folder) sft_text_printf(&path, "/%s.npy", set == SFT_ID_SET ? "id" : results->set_names[set]);
    if (path.status != SFT_OK) sft_text_free(&path);
    return path.data;
}

static enum sft_status write_scores_of(const struct sft_results *results, const char *folder, int model,
                                       int score)
{
    char *path = score_path(results, folder, model, score, 0, 1);
    enum sft_status status = path ? sft_make_folder(path) : SFT_MEMORY;
    free(path);
    for (int set = SFT_ID_SET; status == SFT_OK && set < results->sets; set++) {
        const struct sft_score_values *values = sft_results_values(results, model, score, set);
        if (!values->values) continue;
        path = score_path(results, folder, model, score, set, 0);
        status = path ? sft_npy_write(path, values->n, values->values) : SFT_MEMORY;
        free(path);
    }
    return status;
}

enum sft_status sft_results_write(const struct sft_results *results, const char *folder)
{
    if (results->models < 1) return sft_fail(SFT_USAGE, "%s: there are no results to write yet", folder);
    SFT_TRY(sft_make_folder(folder));
    for (int model = 0; model < results->models; model++)
        for (int score = 0; score < results->scores; score++)
            SFT_TRY(write_scores_of(results, folder, model, score));
    SFT_TRY(write_csv(results, folder));
    return write_json(results, folder);
}

/* Reading back. A reader carries the file's name and says what is wrong where. */

static bool is_fraction(const json_t *value)
{
    return json_is_number(value) && json_number_value(value) >= 0.0 && json_number_value(value) <= 1.0;
}

/* An interval may be missing. */
static enum sft_status read_intervals(const char *path, const json_t *cell, struct sft_metrics *metrics)
{
    for (int i = 0; i < INTERVALS; i++) {
        const json_t *ends = json_object_get(cell, intervals[i].key);
        const json_t *low = json_array_get(ends, 0), *high = json_array_get(ends, 1);
        *interval(metrics, i) = (struct sft_interval){NAN, NAN};
        if (!ends) continue;
        if (!is_fraction(low) || !is_fraction(high))
            return sft_fail(SFT_DATA, "%s: %s holds no two fractions", path, intervals[i].key);
        *interval(metrics, i) = (struct sft_interval){json_number_value(low), json_number_value(high)};
    }
    return SFT_OK;
}

static enum sft_status read_cell(const char *path, const char *score, const char *set, const json_t *cell,
                                 struct sft_metrics *metrics)
{
    for (int i = 0; i < FRACTIONS; i++) {
        const json_t *value = json_object_get(cell, fractions[i].key);
        if (!is_fraction(value))
            return sft_fail(SFT_DATA, "%s: %s of score %s on set %s is missing or no fraction", path,
                            fractions[i].key, score, set);
        *fraction(metrics, i) = json_number_value(value);
    }
    metrics->n_id = json_integer_value(json_object_get(cell, "n_id"));
    metrics->n_ood = json_integer_value(json_object_get(cell, "n_ood"));
    return read_intervals(path, cell, metrics);
}

static double number_or_nan(const json_t *value)
{
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static enum sft_status read_model(const char *path, const json_t *object, int model,
                                  struct sft_results *results)
{
    const json_t *scores = json_object_get(object, "scores");
    for (int score = 0; score < results->scores; score++) {
        const char *name = results->score_names[score];
        const json_t *sets = json_object_get(scores, name);
        for (int set = 0; set < results->sets; set++)
            SFT_TRY(read_cell(path, name, results->set_names[set],
                              json_object_get(sets, results->set_names[set]),
                              &results->metrics[(model * results->scores + score) * results->sets + set]));
        SFT_TRY(read_intervals(path, json_object_get(sets, "average"),
                               &results->averages[model * results->scores + score]));
    }
    results->accuracy[model] = number_or_nan(json_object_get(object, "accuracy"));
    results->ece[model] = number_or_nan(json_object_get(object, "ece"));
    results->models = model + 1;
    return SFT_OK;
}

/* The keys of an object but "average"; an array of borrowed strings. */
static const char **keys_of(json_t *object, int *count)
{
    const char **keys = sft_calloc(json_object_size(object), sizeof(*keys)), *key;
    json_t *value;
    *count = 0;
    if (!keys) return NULL;
    json_object_foreach(object, key, value) if (strcmp(key, "average") != 0) keys[(*count)++] = key;
    return keys;
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

/* Names, convention and room, from the first model in the file. */
static enum sft_status start(const char *path, const json_t *object, struct sft_results *results)
{
    const json_t *about = json_object_get(object, "convention");
    json_t *scores = json_object_get(object, "scores");
    const char *name = json_string_value(json_object_get(about, "name"));
    const struct sft_convention *convention;
    const char **score_names = NULL, **set_names = NULL;
    int n_scores = 0, n_sets = 0;
    enum sft_status status;
    if (!name) name = json_string_value(json_object_get(about, "fpr_positive"));
    if (json_object_size(scores) == 0 || !name)
        return sft_fail(
            SFT_DATA, "%s: \"scores\" or \"convention\" is missing: not the results of an evaluation", path);
    if (sft_convention_find(name, &convention) != SFT_OK)
        return sft_fail(SFT_DATA, "%s: damaged, see above", path);
    score_names = keys_of(scores, &n_scores);
    set_names = keys_of(json_object_iter_value(json_object_iter(scores)), &n_sets);
    status = score_names && set_names
                 ? sft_results_init(results, convention, n_scores, score_names, n_sets, set_names)
                 : SFT_MEMORY;
    free(score_names);
    free(set_names);
    return status == SFT_USAGE ? sft_fail(SFT_DATA, "%s: damaged, see above", path) : status;
}

static enum sft_status read_json(const char *path, struct sft_results *results)
{
    json_error_t error;
    json_t *object = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    const json_t *models[SFT_MODELS] = {object, NULL};
    enum sft_status status;
    if (!object) return sft_fail(SFT_DATA, "%s: line %d: %s", path, error.line, error.text);
    if (json_object_get(object, "before")) {
        models[SFT_BEFORE] = json_object_get(object, "before");
        models[SFT_AFTER] = json_object_get(object, "after");
    }
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

static enum sft_status left_out(const char *path, const char *why)
{
    sft_log(SFT_LOG_WARNING, "%s: left out: %s", path, why);
    return SFT_OK;
}

static enum sft_status read_scores(const char *folder, int model, int score, int set,
                                   struct sft_results *results)
{
    char *path = score_path(results, folder, model, score, set, 0);
    const char *why = "it is not there";
    float *values = NULL;
    int64_t n = 0;
    enum sft_status status = path ? SFT_OK : SFT_MEMORY;
    if (path && access(path, F_OK) == 0) {
        status = sft_npy_read(path, &n, &values);
        why = status == SFT_OK ? fault(n, values, expected(results, model, score, set)) : "it is damaged";
    }
    if (status == SFT_OK && !why)
        status = sft_results_put(results, (enum sft_results_model)model, score, set, n, values);
    else if (status != SFT_MEMORY)
        status = left_out(path, why);
    free(values);
    free(path);
    return status;
}

/* A score's name goes into a path: one from a file must not leave the folder. */
static int is_plain(const char *name) { return name[0] != '\0' && name[0] != '.' && !strpbrk(name, "/\\"); }

enum sft_status sft_results_read(const char *folder, struct sft_results *results)
{
    char *path = join(folder, "results.json", "");
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
