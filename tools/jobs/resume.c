/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/resume.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/json_parse.h"
#include "runtime/base/log.h"
#include "runtime/device.h"
#include "tools/jobs/identity.h"
#include "tools/jobs/step_plan.h"

/* ---- is it this run? ---- */

static enum sft_status check_identity(const struct sft_training *training, const json_t *then,
                                      const json_t *now, const char *where)
{
    const struct sft_fit_params *params = &training->job.params;
    struct sft_fit_params whole = *params;
    whole.rho_min = params->rho * training->job.rho_floor;
    return sft_identity_check(then, now, !sft_fit_depends_on_steps(&whole), where);
}

static enum sft_status check_state(const struct sft_training *training, const struct sft_resume *resume)
{
    const struct sft_fit_note *note = &resume->state.note;
    const char *path = resume->state.file->path;
    json_t *then = sft_json_parse(note->identity, strlen(note->identity), 0, NULL);
    enum sft_status status = check_identity(training, then, resume->identity, path);
    json_decref(then);
    return status;
}

/* What is asked of steps that are done already, and was not asked when they were. */
static enum sft_status check_wishes(const struct sft_training *training, const struct sft_run *run,
                                    int64_t done)
{
    const struct sft_training_job *job = &training->job;
    char path[SFT_RUN_PATH];
    if (job->gradients && done >= job->params.schedule.steps)
        return sft_fail(
            SFT_USAGE,
            "--dump-gradients: the run in %s has done all its steps, and the gradient of the last is "
            "not kept; run it again into another folder",
            run->target);
    for (int i = 0; i < job->snapshots.count; i++)
        if (job->snapshots.values[i] <= done &&
            access(sft_snapshot_file(run->folder, job->snapshots.values[i], path), F_OK) != 0)
            return sft_fail(SFT_USAGE,
                            "--snapshots %d: the run in %s is at step %" PRId64
                            " already; run it again into another folder",
                            job->snapshots.values[i], run->target, done);
    return SFT_OK;
}

/* ---- what computes it ---- */

static json_t *describe_device(const struct sft_device_info *info, int64_t step, int micro_batches)
{
    struct sft_json json = {0};
    sft_json_object(&json, NULL);
    sft_json_integer(&json, "step", step);
    sft_json_text(&json, "id", info->id);
    sft_json_text(&json, "name", info->name);
    sft_json_text(&json, "driver",
                  strcmp(info->backend, "cpu") == 0 ? "" : info->driver); /* which has threads */
    sft_json_text(&json, "version", SFT_VERSION);
    sft_json_integer(&json, "micro_batches", micro_batches);
    sft_json_end(&json);
    return sft_json_take(&json);
}

static bool is_same(const json_t *a, const json_t *b)
{
    static const char *const keys[] = {"id", "name", "driver", "version"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (!json_equal(json_object_get(a, keys[i]), json_object_get(b, keys[i]))) return false;
    return true;
}

static const char *word(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "?";
}

static int micro_batches(const json_t *entry)
{
    json_int_t n = json_integer_value(json_object_get(entry, "micro_batches"));
    return n > 1 ? (int)n : 1;
}

static void warn(const json_t *before, const json_t *now)
{
    sft_log(SFT_LOG_WARNING,
            "--resume: this run began on another device or version: on %s by sft-vk %s, and goes on on %s by "
            "sft-vk %s; it will not end with the same bytes as on one",
            word(before, "name"), word(before, "version"), word(now, "name"), word(now, "version"));
}

/* The division that the run has had so far, unless it does not fit any more. */
static enum sft_status keep_division(struct sft_training *training, const json_t *before)
{
    const int then = micro_batches(before), now = training->plan.slices;
    char why[8];
    enum sft_status status;
    if (then == now || now == 0) return SFT_OK;
    sft_log_catch(why, sizeof(why));
    status = sft_training_plan(training, then);
    sft_log_catch(NULL, 0);
    if (status != SFT_MEMORY && status != SFT_USAGE) return status;
    sft_log(SFT_LOG_WARNING,
            "--resume: this run began with %d micro-batches a step, for which there is not the memory any "
            "more, and goes on with %d; it will not end with the same bytes as with as many",
            then, now);
    return SFT_OK;
}

static enum sft_status make_history(struct sft_training *training, struct sft_resume *resume)
{
    const int64_t step = resume->found ? resume->state.note.step : 0;
    const json_t *last;
    json_t *now;
    resume->history = resume->found ? sft_json_parse(resume->state.note.history,
                                                     strlen(resume->state.note.history), 0, NULL)
                                    : NULL;
    if (!json_is_array(resume->history)) {
        json_decref(resume->history);
        resume->history = json_array();
    }
    last = json_array_get(resume->history, json_array_size(resume->history) - 1);
    if (last) SFT_TRY(keep_division(training, last));
    now = describe_device(sft_device_get_info(training->job.model.device), step, training->plan.slices);
    if (last && now && is_same(last, now) && micro_batches(last) == micro_batches(now)) {
        json_decref(now);
        return SFT_OK;
    }
    if (last && now && !is_same(last, now)) warn(last, now);
    return json_array_append_new(resume->history, now) == 0 ? SFT_OK : sft_fail(SFT_MEMORY, "out of memory");
}

/* ---- opening ---- */

static enum sft_status dump(const json_t *value, char **out)
{
    struct sft_text text = {0};
    sft_text_add_json(&text, value, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    *out = text.data;
    return text.status;
}

/* A run that was to be gone on with, and left no state; its folder says what it was. */
static enum sft_status begin_anew(const struct sft_training *training, const struct sft_run *run,
                                  const struct sft_resume *resume)
{
    const json_t *then = json_object_get(run->about, "identity");
    if (run->about) SFT_TRY(check_identity(training, then, resume->identity, run->folder));
    sft_log(SFT_LOG_WARNING,
            "--resume: there is no checkpoint in %s to go on from; starting from the beginning", run->target);
    return SFT_OK;
}

static enum sft_status open_state(const char *path, struct sft_fit_state *state)
{
    enum sft_status status = sft_fit_state_open(path, state);
    if (status == SFT_DATA)
        sft_log(SFT_LOG_ERROR,
                "--resume: nothing to go on from; put a whole copy of %s in its place, or start "
                "anew with --overwrite",
                path);
    return status;
}

static enum sft_status find_state(const struct sft_training *training, const struct sft_run *run,
                                  struct sft_resume *resume)
{
    char path[SFT_RUN_PATH];
    if (access(sft_run_path(run, SFT_FILE_CHECKPOINT, path), F_OK) != 0)
        return begin_anew(training, run, resume);
    SFT_TRY(open_state(path, &resume->state));
    resume->found = true;
    SFT_TRY(check_state(training, resume));
    return check_wishes(training, run, resume->state.note.step);
}

enum sft_status sft_resume_open(struct sft_training *training, const struct sft_run *run,
                                struct sft_resume *resume)
{
    *resume = (struct sft_resume){.found = false};
    SFT_TRY(sft_identity_make(training, &resume->identity));
    if (training->job.resume) SFT_TRY(find_state(training, run, resume));
    SFT_TRY(make_history(training, resume));
    SFT_TRY(dump(resume->identity, &resume->identity_text));
    return dump(resume->history, &resume->history_text);
}

void sft_resume_close(struct sft_resume *resume)
{
    sft_fit_state_close(&resume->state);
    json_decref(resume->identity);
    json_decref(resume->history);
    free(resume->identity_text);
    free(resume->history_text);
}
