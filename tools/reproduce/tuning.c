/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/reproduce/tuning.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/jobs/finetune.h"

/* ---- words ---- */

static void add_word(struct sft_tuning *tuning, const char *format, ...) SFT_PRINTF(2, 3);

static void add_word(struct sft_tuning *tuning, const char *format, ...)
{
    size_t room = sizeof(tuning->text) - tuning->used;
    char *word = tuning->text + tuning->used;
    va_list arguments;
    int length;
    va_start(arguments, format);
    length = vsnprintf(word, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room || tuning->argc == SFT_TUNING_WORDS) {
        tuning->overflow = true;
        return;
    }
    tuning->argv[tuning->argc++] = word;
    tuning->used += (size_t)length + 1;
}

static void add_option(struct sft_tuning *tuning, const char *name, const char *value)
{
    add_word(tuning, "--%s", name);
    add_word(tuning, "%s", value);
}

/* The words of a text without quotes. */
static void add_words(struct sft_tuning *tuning, const char *text)
{
    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        int length = (int)strcspn(text, " ");
        add_word(tuning, "%.*s", length, text);
        text += length;
    }
}

static void add_snapshots(struct sft_tuning *tuning, int count, const int64_t *steps)
{
    char list[256] = "";
    size_t used = 0;
    for (int i = 0; i < count && used < sizeof(list); i++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%" PRId64, i ? "," : "", steps[i]);
    add_option(tuning, "snapshots", list);
}

/* ---- folders ---- */

/* "--optimizer sam" as "optimizer-sam". */
static void slug_of(const char *tuning, char *slug, size_t size)
{
    size_t used = 0;
    for (; *tuning && used + 1 < size; tuning++) {
        bool keep = isalnum((unsigned char)*tuning) || *tuning == '.';
        if (keep || (used > 0 && slug[used - 1] != '-')) slug[used++] = keep ? *tuning : '-';
    }
    slug[used] = '\0';
}

void sft_state_folder(const struct sft_lab *lab, struct sft_state state, char path[SFT_RUN_PATH])
{
    const char *out = lab->values->out;
    char text[SFT_RUN_PATH], hex[65], slug[48];
    if (!state.tuning) {
        snprintf(path, SFT_RUN_PATH, "%s/runs/%s-%.12s", out, state.model->role->name, state.model->sha256);
        return;
    }
    snprintf(text, sizeof(text), "%s\n%s\n%s", state.model->sha256, lab->training, state.tuning);
    sft_sha256(text, strlen(text), hex);
    slug_of(*state.tuning ? state.tuning : "sft", slug, sizeof(slug));
    snprintf(path, SFT_RUN_PATH, "%s/runs/%s-%s-%.12s-s%" PRId64, out, state.model->role->name, slug, hex,
             state.seed);
}

void sft_state_weights(const struct sft_lab *lab, struct sft_state state, char path[SFT_RUN_PATH])
{
    char folder[SFT_RUN_PATH];
    if (!state.tuning) {
        snprintf(path, SFT_RUN_PATH, "%s", state.model->path);
        return;
    }
    sft_state_folder(lab, state, folder);
    if ((size_t)snprintf(path, SFT_RUN_PATH, "%s/model-%" PRId64 ".safetensors", folder, state.steps) >=
        SFT_RUN_PATH)
        path[0] = '\0';
}

bool sft_tuning_is_done(const struct sft_lab *lab, struct sft_state state, int count, const int64_t *steps)
{
    char path[SFT_RUN_PATH];
    for (int i = 0; i < count; i++) {
        state.steps = steps[i];
        sft_state_weights(lab, state, path);
        if (access(path, F_OK) != 0) return false;
    }
    return true;
}

static bool are_snapshots(const json_t *list, int count, const int64_t *steps)
{
    if (json_array_size(list) != (size_t)count) return false;
    for (int i = 0; i < count; i++)
        if (json_integer_value(json_array_get(list, (size_t)i)) != steps[i]) return false;
    return true;
}

/* Whether an earlier run that was to leave the same models stopped there, so that it can go on. */
static bool can_go_on(const char *folder, int count, const int64_t *steps)
{
    char path[2 * SFT_RUN_PATH];
    const char *status;
    json_t *record;
    bool same;
    snprintf(path, sizeof(path), "%s/checkpoint.safetensors", folder);
    if (access(path, F_OK) != 0) return false;
    snprintf(path, sizeof(path), "%s/run.json", folder);
    record = json_load_file(path, 0, NULL);
    status = json_string_value(json_object_get(record, "status"));
    same = status && strcmp(status, sft_status_str(SFT_OK)) != 0 &&
           are_snapshots(json_object_get(json_object_get(record, "options"), "snapshots"), count, steps);
    json_decref(record);
    return same;
}

/* ---- a run ---- */

const struct sft_fit_values *sft_tuning_values(const struct sft_tuning *tuning)
{
    return tuning->args.values;
}

static void add_common(const struct sft_lab *lab, struct sft_state state, const char *folder,
                       struct sft_tuning *tuning)
{
    add_option(tuning, "weights", state.model->path);
    add_option(tuning, "model", state.model->variant);
    add_option(tuning, "id", lab->train);
    if (lab->values->limit) add_word(tuning, "--limit=%" PRId64, lab->values->limit);
    add_option(tuning, "out", folder);
    add_option(tuning, "device", lab->values->common.device);
    if (lab->values->tune) add_words(tuning, lab->values->tune); /* what a row says wins */
    add_words(tuning, state.tuning);
    add_word(tuning, "--steps=%" PRId64, state.steps);
    add_word(tuning, "--seed=%" PRId64, state.seed);
}

static enum sft_status parse(struct sft_tuning *tuning)
{
    if (tuning->overflow)
        return sft_fail(SFT_USAGE, "--tune, or the names of files and folders, are too long");
    return sft_args_parse(&sft_command_finetune, tuning->argc, tuning->argv, &tuning->args);
}

enum sft_status sft_tuning_parse(const struct sft_lab *lab, struct sft_state state, int count,
                                 const int64_t *steps, struct sft_tuning *tuning)
{
    char folder[SFT_RUN_PATH];
    *tuning = (struct sft_tuning){0};
    sft_state_folder(lab, state, folder);
    state.steps = steps[count - 1];
    add_common(lab, state, folder, tuning);
    add_snapshots(tuning, count, steps);
    add_word(tuning, can_go_on(folder, count, steps) ? "--resume" : "--overwrite");
    SFT_TRY(parse(tuning));
    if (sft_tuning_values(tuning)->schedule == SFT_SCHEDULE_CONSTANT) return SFT_OK;
    return sft_fail(SFT_USAGE,
                    "--tune: runs of several lengths share their first steps here, which takes --schedule "
                    "constant");
}

void sft_tuning_free(struct sft_tuning *tuning) { sft_args_free(&tuning->args); }

enum sft_status sft_tuning_run(const struct sft_lab *lab, struct sft_state state, int count,
                               const int64_t *steps)
{
    struct sft_tuning tuning;
    struct sft_model *model = NULL;
    enum sft_status status;
    if (sft_tuning_is_done(lab, state, count, steps)) return SFT_OK;
    SFT_TRY_OUT(sft_tuning_parse(lab, state, count, steps, &tuning));
    SFT_TRY_OUT(sft_lab_read(lab, state.model, state.model->path, &model));
    status = sft_finetune_model(&tuning.args, lab->device, model, lab->train_set);
out:
    sft_model_destroy(&model);
    sft_tuning_free(&tuning);
    return status;
}

enum sft_status sft_tuning_trace(const struct sft_lab *lab, struct sft_state state, const char *folder)
{
    struct sft_tuning tuning = {0};
    enum sft_status status;
    add_common(lab, state, folder, &tuning);
    add_word(&tuning, "--overwrite");
    add_option(&tuning, "trace", "prop1");
    add_option(&tuning, "score", "energy");
    add_option(&tuning, "eval-id", lab->test);
    for (int i = 0; i < lab->ood.count; i++) add_option(&tuning, "eval-ood", lab->ood.values[i]);
    if (lab->values->limit) add_word(&tuning, "--eval-limit=%" PRId64, lab->values->limit);
    if (lab->values->common.json) add_word(&tuning, "--json");
    status = parse(&tuning);
    if (status == SFT_OK) status = sft_command_finetune.run(&tuning.args);
    sft_tuning_free(&tuning);
    return status;
}
