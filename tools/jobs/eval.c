/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/eval.h"

#include "runtime/device.h"
#include "tools/jobs/notes.h"
#include "tools/jobs/run_enter.h"

void sft_eval_job_init(struct sft_eval_job *job)
{
    *job = (struct sft_eval_job){.out = NULL};
    sft_eval_request_init(&job->request);
    job->request.scores = "msp,energy";
}

struct work {
    const struct sft_eval_job *job;
    struct sft_model *model, *own_model;
    struct sft_eval_sets sets;
    struct sft_run run;
};

static enum sft_status open_work(struct work *work, const struct sft_watch *watch)
{
    const struct sft_eval_job *job = work->job;
    struct sft_dataset *id;
    if (!job->request.ood.count)
        return sft_fail(SFT_USAGE, "eval: needs at least one --ood NAME=SPEC to tell the ID images from");
    if (job->out)
        SFT_TRY(sft_run_check(&(struct sft_run_start){.folder = job->out, .overwrite = job->overwrite}));
    SFT_TRY(sft_job_model_open(&job->model, &work->model, &work->own_model));
    SFT_TRY(sft_open_set(job->id, job->request.limit, &id));
    SFT_TRY(sft_eval_sets_open(id, work->model, &job->request, &work->sets));
    return sft_eval_sets_check_pictures(&work->sets, job->skip_bad, watch);
}

/* The files that the run reads, up to one without an option. */
static void list_inputs(const struct sft_eval_job *job, struct sft_run_input *inputs)
{
    int n = 0;
    inputs[n++] = (struct sft_run_input){"weights", job->model.weights};
    inputs[n++] = (struct sft_run_input){"id", job->id};
    inputs[n++] = (struct sft_run_input){"class-order", sft_job_order_file(&job->model)};
    inputs[n++] = (struct sft_run_input){"fit", job->request.fit};
    inputs[n++] = (struct sft_run_input){"calibration", job->request.calibration};
    for (int i = 0; i < job->request.ood.count; i++)
        inputs[n++] = (struct sft_run_input){"ood", job->request.ood.values[i].spec};
    inputs[n] = (struct sft_run_input){NULL, NULL};
}

static enum sft_status begin(struct work *work)
{
    const struct sft_eval_job *job = work->job;
    struct sft_run_input inputs[6 + SFT_MAX_SETS];
    const struct sft_run_start start = {
        .folder = job->out,
        .kind = SFT_RUN_EVALUATION,
        .overwrite = job->overwrite,
        .inputs = inputs,
    };
    list_inputs(job, inputs);
    SFT_TRY(sft_run_enter(&start, &work->run));
    SFT_TRY(sft_run_begin(&work->run, job->record, NULL));
    sft_json_device(&work->run.record, "device", sft_device_get_info(job->model.device));
    sft_json_model(&work->run.record, work->model);
    sft_job_note_input(work->model, &work->run.record);
    SFT_TRY(sft_eval_sets_note(&work->sets, &work->run));
    if (job->model.weights) sft_run_note_weights(&work->run, job->model.weights, work->model);
    return work->run.record.status; /* before work that it would let down at the end */
}

static enum sft_status do_work(struct work *work, const struct sft_watch *watch)
{
    SFT_TRY(open_work(work, watch));
    if (work->job->out) SFT_TRY(begin(work));
    SFT_TRY(sft_eval_sets_run(&work->sets, work->model, SFT_BEFORE, watch));
    return work->job->out ? sft_eval_sets_write(&work->sets, &work->run) : SFT_OK;
}

enum sft_status sft_eval(const struct sft_eval_job *job, const struct sft_watch *watch,
                         struct sft_results *results)
{
    struct work work = {.job = job};
    enum sft_status status = sft_run_end(&work.run, do_work(&work, watch), true);
    *results = work.sets.results; /* from now on the caller's */
    work.sets.results = (struct sft_results){0};
    sft_eval_sets_close(&work.sets);
    sft_model_destroy(&work.own_model);
    return status;
}
