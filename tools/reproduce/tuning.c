/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/reproduce/tuning.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

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
static enum sft_status can_go_on(const char *folder, int count, const int64_t *steps, bool *same)
{
    char place[SFT_RUN_PATH], path[SFT_RUN_PATH];
    const char *status;
    json_t *record;
    *same = false;
    sft_run_place(folder, place);
    if (access(sft_run_file(place, SFT_FILE_CHECKPOINT, path), F_OK) != 0) return SFT_OK;
    SFT_TRY(sft_json_read_found(sft_run_file(place, SFT_FILE_RECORD, path), &record));
    status = json_string_value(json_object_get(record, "status"));
    *same = status && strcmp(status, sft_status_str(SFT_OK)) != 0 &&
            are_snapshots(json_object_get(json_object_get(record, "options"), "snapshots"), count, steps);
    json_decref(record);
    return SFT_OK;
}

/* ---- a run ---- */

/* What every run of the state has, into `folder`. */
static void fill(const struct sft_lab *lab, struct sft_state state, const char *folder,
                 struct sft_finetune_job *job)
{
    struct sft_training_job *training = &job->training;
    *job = lab->job->tuned;
    training->model = (struct sft_job_model){
        .device = lab->job->device,
        .weights = state.model->path,
        .variant = state.model->variant,
    };
    training->id = lab->train;
    training->id_open = lab->train_set;
    training->limit = lab->job->limit;
    training->out = folder;
    sft_variation_apply(state.tuning, job);
    training->params.schedule.steps = state.steps;
    training->params.seed = (uint64_t)state.seed;
    job->seeds = 1;
}

enum sft_status sft_tuning_job(const struct sft_lab *lab, struct sft_state state, int count,
                               const int64_t *steps, char folder[SFT_RUN_PATH], struct sft_finetune_job *job)
{
    struct sft_training_job *training = &job->training;
    state.steps = steps[count - 1];
    sft_state_folder(lab, state, folder);
    fill(lab, state, folder, job);
    training->snapshots.count = count;
    for (int i = 0; i < count; i++) training->snapshots.values[i] = (int)steps[i];
    SFT_TRY(can_go_on(folder, count, steps, &training->resume));
    training->overwrite = !training->resume;
    training->no_report = true;
    job->evaluation.ood.count = 0;
    job->trace = false;
    if (training->params.schedule.kind == SFT_SCHEDULE_CONSTANT) return SFT_OK;
    return sft_fail(
        SFT_USAGE,
        "--tune: runs of several lengths share their first steps here, which takes --schedule constant");
}

enum sft_status sft_tuning_run(const struct sft_lab *lab, struct sft_state state, int count,
                               const int64_t *steps)
{
    struct sft_finetune_job job;
    struct sft_finetune_result result;
    char folder[SFT_RUN_PATH];
    enum sft_status status;
    if (sft_tuning_is_done(lab, state, count, steps)) return SFT_OK;
    SFT_TRY(sft_tuning_job(lab, state, count, steps, folder, &job));
    status = sft_finetune(&job, lab->watch, &result);
    sft_finetune_result_free(&result);
    return status;
}

enum sft_status sft_tuning_trace(const struct sft_lab *lab, struct sft_state state, const char *folder,
                                 struct sft_finetune_result *result)
{
    struct sft_finetune_job job;
    fill(lab, state, folder, &job);
    job.training.overwrite = true;
    job.training.eval_id = lab->test;
    job.evaluation.ood = lab->ood;
    job.evaluation.scores = "energy";
    job.evaluation.limit = lab->job->limit;
    job.trace = true;
    return sft_finetune(&job, lab->watch, result);
}
