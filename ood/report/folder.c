/* SPDX-License-Identifier: Apache-2.0 */
/* A report from a run folder: reads what is there, leaves out what is damaged, and says so. */
#include <stdlib.h>
#include <string.h>

#include "ood/report/report.h"
#include "ood/results/run_files.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/json.h"
#include "runtime/base/json_parse.h"
#include "runtime/base/log.h"
#include "runtime/base/path.h"

/* What was read; owns everything that its report borrows. */
struct run {
    struct sft_results results;
    struct sft_seeds seeds;
    struct sft_report_step *steps;
    size_t n_steps, steps_capacity;
    struct sft_report_setting *settings; /* keys and values owned */
    size_t n_settings, settings_capacity;
    struct sft_examples examples;
    char *csv;
    int left_out; /* parts that are there and cannot be read */
};

static void free_run(struct run *run)
{
    for (size_t i = 0; i < run->n_settings; i++) {
        free((char *)run->settings[i].key);
        free((char *)run->settings[i].value);
    }
    free(run->settings);
    free(run->steps);
    free(run->csv);
    sft_examples_free(&run->examples);
    sft_results_free(&run->results);
    sft_seeds_free(&run->seeds);
}

/* ---- metrics.jsonl ---- */

static const struct {
    const char *key;
    size_t offset;
} columns[] = {
    {"loss", offsetof(struct sft_report_step, loss)},
    {"loss_id", offsetof(struct sft_report_step, loss_id)},
    {"loss_ood", offsetof(struct sft_report_step, loss_ood)},
    {"grad_norm", offsetof(struct sft_report_step, grad_norm)},
    {"perturb_norm", offsetof(struct sft_report_step, perturb_norm)},
    {"lr", offsetof(struct sft_report_step, lr)},
};

static enum sft_status add_step(struct run *run, const json_t *object)
{
    struct sft_report_step *row;
    SFT_TRY(sft_grow(&run->steps, &run->steps_capacity, run->n_steps + 1, sizeof(*run->steps)));
    row = &run->steps[run->n_steps++];
    row->step = json_integer_value(json_object_get(object, "step"));
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        *(double *)(void *)((char *)row + columns[i].offset) =
            sft_json_number(json_object_get(object, columns[i].key));
    return SFT_OK;
}

static enum sft_status read_steps(const char *path, const struct sft_bytes *file, struct run *run)
{
    const char *text = (const char *)file->data, *end = text + file->size;
    size_t damaged = 0;
    enum sft_status status = SFT_OK;
    while (text < end && status == SFT_OK) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((newline ? newline : end) - text);
        json_error_t error;
        json_t *object = sft_json_parse(text, length, 0, &error);
        if (!object && length > 0 && sft_json_lacks_memory(&error))
            status = sft_fail(SFT_MEMORY, "%s: out of memory for a step", path);
        else if (json_is_integer(json_object_get(object, "step")))
            status = add_step(run, object);
        else
            damaged += length > 0;
        json_decref(object);
        text += length + 1;
    }
    if (damaged > 0)
        sft_log(SFT_LOG_WARNING, "%s: %zu line%s left out that describe no step", path, damaged,
                damaged == 1 ? "" : "s");
    run->left_out += damaged > 0;
    return status;
}

static enum sft_status load_steps(const char *path, struct run *run)
{
    struct sft_bytes file;
    enum sft_status status;
    SFT_TRY(sft_file_open(path, &file));
    status = read_steps(path, &file, run);
    sft_file_close(&file);
    return status;
}

/* ---- run.json ---- */

static char *value_text(const json_t *value)
{
    struct sft_text text = {0};
    if (json_is_string(value)) return sft_json_bytes(value);
    sft_text_add_json(&text, value, JSON_REAL_PRECISION(9));
    if (text.status != SFT_OK) sft_text_free(&text);
    return text.data;
}

/* "PREFIX.KEY", or the key alone, as the bytes that it spells. */
static char *setting_key(const char *prefix, const char *key)
{
    struct sft_text path = {0};
    char *bytes = sft_strdup(key);
    if (!bytes) return NULL;
    sft_text_unspell(bytes);
    sft_text_printf(&path, "%s%s%s", prefix, *prefix ? "." : "", bytes);
    free(bytes);
    if (path.status != SFT_OK) sft_text_free(&path);
    return path.data;
}

/* Takes `key` over. */
static enum sft_status add_setting(struct run *run, char *key, const json_t *value)
{
    struct sft_report_setting setting = {key, value_text(value)};
    if (setting.value &&
        sft_grow(&run->settings, &run->settings_capacity, run->n_settings + 1, sizeof(setting)) == SFT_OK) {
        run->settings[run->n_settings++] = setting;
        return SFT_OK;
    }
    free(key);
    free((char *)setting.value);
    return SFT_MEMORY;
}

/* One level of objects becomes dotted keys, whose first part is shown as a heading; deeper ones keep their
 * dots. What is null was not chosen, and is left out. */
static enum sft_status flatten(const char *prefix, json_t *object, int depth, struct run *run)
{
    enum sft_status status = SFT_OK;
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        char *key;
        if (json_is_null(value) || status != SFT_OK) continue;
        key = setting_key(prefix, name);
        if (!key) return SFT_MEMORY;
        if (json_object_size(value) > 0 && depth < 4) {
            status = flatten(key, value, depth + 1, run);
            free(key);
        } else {
            status = add_setting(run, key, value);
        }
    }
    return status;
}

static enum sft_status load_settings(const char *path, struct run *run)
{
    json_t *object;
    enum sft_status status;
    SFT_TRY(sft_json_read(path, &object));
    status = flatten("", object, 0, run);
    json_decref(object);
    return status;
}

/* ---- the folder ---- */

/* Reads the file where it is there; where it is damaged, says that the report goes without it. */
static enum sft_status load(const char *folder, const char *name,
                            enum sft_status (*reader)(const char *, struct run *), struct run *run)
{
    char *path = sft_path_join(folder, "%s", name);
    enum sft_status status = path ? SFT_OK : SFT_MEMORY;
    if (path && !sft_file_is_absent(path)) status = reader(path, run);
    if (status == SFT_DATA) {
        sft_log(SFT_LOG_WARNING, "%s: damaged; the report goes without it", path);
        run->left_out++;
        status = SFT_OK;
    }
    free(path);
    return status;
}

static char *folder_of(const char *path)
{
    char *folder = sft_strdup(path);
    if (folder) *strrchr(folder, '/') = '\0';
    return folder;
}

static enum sft_status load_results(const char *path, struct run *run)
{
    char *folder = folder_of(path);
    enum sft_status status = folder ? sft_results_read(folder, &run->results) : SFT_MEMORY;
    free(folder);
    return status;
}

/* The mean over the seeds takes the place of one run's results. */
static enum sft_status load_seeds(const char *path, struct run *run)
{
    char *folder = folder_of(path);
    enum sft_status status = folder ? sft_seeds_read_again(folder, &run->seeds) : SFT_MEMORY;
    free(folder);
    return status == SFT_OK ? sft_seeds_mean(&run->seeds, &run->results) : status;
}

static enum sft_status load_examples(const char *path, struct run *run)
{
    return sft_examples_read(path, &run->examples);
}

static enum sft_status load_csv(const char *path, struct run *run)
{
    struct sft_bytes file;
    SFT_TRY(sft_file_open(path, &file));
    run->csv = sft_calloc(file.size + 1, 1);
    if (run->csv && file.size > 0) memcpy(run->csv, file.data, file.size);
    sft_file_close(&file);
    return run->csv ? SFT_OK : SFT_MEMORY;
}

static enum sft_status load_all(const char *folder, struct run *run)
{
    SFT_TRY(load(folder, SFT_FILE_SEEDS, load_seeds, run));
    if (run->seeds.n == 0) SFT_TRY(load(folder, SFT_FILE_RESULTS, load_results, run));
    SFT_TRY(load(folder, SFT_FILE_METRICS, load_steps, run));
    SFT_TRY(load(folder, SFT_FILE_RECORD, load_settings, run));
    SFT_TRY(load(folder, SFT_FILE_EXAMPLES, load_examples, run));
    if (run->results.models > 0)
        SFT_TRY(load(folder, run->seeds.n > 0 ? SFT_FILE_SEEDS_CSV : SFT_FILE_RESULTS_CSV, load_csv, run));
    if (run->results.models > 0 || run->n_steps > 0) return SFT_OK;
    return sft_fail(SFT_DATA, "%s: no usable %s, %s or %s: not the folder of a run", folder, SFT_FILE_RESULTS,
                    SFT_FILE_SEEDS, SFT_FILE_METRICS);
}

/* Whether something is there that the report had to do without. */
static bool is_incomplete(const struct run *run)
{
    int files = run->left_out + run->results.damaged_files;
    for (int i = 0; i < run->seeds.n; i++) files += run->seeds.runs[i].damaged_files;
    return files > 0;
}

enum sft_status sft_report_from_folder(const char *folder)
{
    struct run run = {0};
    enum sft_status status = load_all(folder, &run);
    const struct sft_report report = {.results = &run.results,
                                      .seeds = run.seeds.n > 0 ? &run.seeds : NULL,
                                      .steps = run.n_steps,
                                      .step = run.steps,
                                      .settings = run.n_settings,
                                      .setting = run.settings,
                                      .examples = &run.examples,
                                      .csv = run.csv};
    if (status == SFT_OK) status = sft_report_write(&report, folder);
    if (status == SFT_OK && is_incomplete(&run))
        status = sft_fail(SFT_DATA, "%s: the report is made, without what cannot be read, see above", folder);
    free_run(&run);
    return status;
}
