/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/training_run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "nn/checkpoint/safetensors.h"
#include "runtime/base/alloc.h"
#include "runtime/base/log.h"
#include "runtime/base/memory.h"
#include "tools/jobs/divergence.h"
#include "tools/jobs/lines.h"
#include "tools/jobs/resume.h"
#include "tools/jobs/step_plan.h"

/* ---- the loop ---- */

/* What the loop's callbacks need. */
struct looping {
    struct sft_training *training;
    const struct sft_run *run;
    const struct sft_fit_params *params;
    char metrics_path[SFT_RUN_PATH], trace_path[SFT_RUN_PATH];
    struct sft_lines metrics;
    struct sft_divergence divergence;
    enum sft_status status; /* of begin(), which cannot return one */
};

static void begin_loop(void *context, int64_t first_step)
{
    struct looping *looping = context;
    struct sft_prop1 *trace = looping->training->trace;
    looping->status = sft_lines_open(looping->metrics_path, first_step, &looping->metrics);
    if (looping->status == SFT_OK && trace)
        looping->status = sft_prop1_begin(trace, looping->trace_path, first_step);
}

/* The length of a step that is made many times is lr/(1 - momentum) under SGD; Adam has another one. */
static double momentum_of(const struct sft_fit_params *params)
{
    return params->step.optimizer->descent == SFT_DESCENT_SGD ? params->momentum : 0.0;
}

static enum sft_status save_model(const struct sft_model *model, const char *path)
{
    const struct sft_metadata metadata[] = {{"made_by", "sft-vk " SFT_VERSION}};
    return sft_model_save(model, path, metadata, 1);
}

static enum sft_status keep_snapshot(const struct looping *looping, int64_t steps)
{
    const struct sft_ints *wanted = &looping->training->job.snapshots;
    char path[SFT_RUN_PATH];
    for (int i = 0; i < wanted->count; i++)
        if (wanted->values[i] == steps)
            return save_model(looping->training->model, sft_snapshot_file(looping->run->folder, steps, path));
    return SFT_OK;
}

static enum sft_status write_step(struct sft_lines *lines, const struct sft_fit_report *report)
{
    const struct sft_step_result *result = &report->result;
    struct sft_json json = {0};
    sft_json_object(&json, NULL);
    sft_json_integer(&json, "step", report->step + 1);
    sft_json_real(&json, "loss", result->loss);
    sft_json_real(&json, "loss_id", result->loss_id);
    sft_json_real(&json, "loss_ood", result->loss_ood);
    sft_json_real(&json, "grad_norm", result->grad_norm);
    sft_json_real(&json, "perturb_norm", result->perturb_norm);
    sft_json_real(&json, "lr", report->lr);
    sft_json_real(&json, "images_per_s", report->images_per_second);
    sft_json_end(&json);
    return sft_lines_write(lines, &json);
}

static enum sft_status take_step(void *context, const struct sft_fit_report *report)
{
    struct looping *looping = context;
    struct sft_prop1 *trace = looping->training->trace;
    SFT_TRY(looping->status);
    SFT_TRY(write_step(&looping->metrics, report));
    SFT_TRY(sft_divergence_step(&looping->divergence, report));
    if (trace) SFT_TRY(sft_prop1_step(trace, report, momentum_of(looping->params)));
    sft_watch_tell(looping->training->watch, report->step + 1, report->steps,
                   "step %" PRId64 " of %" PRId64 ", loss %.4f, %.*f images/s", report->step + 1,
                   report->steps, report->result.loss, report->images_per_second < 10 ? 2 : 0,
                   report->images_per_second);
    return keep_snapshot(looping, report->step + 1);
}

static enum sft_status write_gradients(const char *path, const struct sft_parameters *parameters,
                                       const float *flat)
{
    struct sft_stored_tensor *tensors = sft_calloc((size_t)parameters->n, sizeof(*tensors));
    float *values = sft_calloc((size_t)parameters->weights_size, sizeof(*values));
    enum sft_status status = SFT_MEMORY;
    size_t n = 0;
    int64_t at = 0;
    if (!tensors || !values) goto out;
    for (int i = 0; i < parameters->n; i++) {
        const struct sft_parameter *item = &parameters->items[i];
        if (item->kind == SFT_BUFFER) continue;
        sft_parameter_to_file(item, flat, values + at);
        tensors[n++] = (struct sft_stored_tensor){.name = item->file_name ? item->file_name : item->name,
                                                  .dtype = SFT_STORED_F32,
                                                  .shape = item->file_shape,
                                                  .data = values + at,
                                                  .bytes = (size_t)item->count * sizeof(float)};
        at += item->count;
    }
    status = sft_safetensors_write(path, tensors, n, NULL, 0);
out:
    free(tensors);
    free(values);
    return status;
}

static enum sft_status save_results(const struct sft_training *training, const struct sft_fit_result *result,
                                    struct sft_run *run)
{
    const char *gradients = training->job.gradients;
    char path[SFT_RUN_PATH];
    SFT_TRY(sft_check_finite(&training->model->parameters));
    SFT_TRY(save_model(training->model, sft_run_path(run, SFT_FILE_MODEL, path)));
    SFT_TRY(sft_run_note_file(run, "model", path));
    return gradients ? write_gradients(gradients, &training->model->parameters, result->gradient) : SFT_OK;
}

static void note_fit(const struct sft_fit_result *result, struct sft_json *record)
{
    sft_log(SFT_LOG_INFO, "%" PRId64 " steps in %.1f s", result->steps - result->first_step, result->seconds);
    sft_json_object(record, "fit");
    sft_json_integer(record, "first_step", result->first_step);
    sft_json_integer(record, "steps", result->steps);
    sft_json_real(record, "seconds", result->seconds);
    sft_json_integer(record, "perturbed_numbers", result->perturbed);
    sft_step_plan_json(record, "step", &result->plan);
    sft_json_end(record);
}

static enum sft_status note_trace(const char *path, struct sft_training *training, struct sft_run *run)
{
    SFT_TRY(sft_prop1_sum_up(path, &training->prop1));
    sft_prop1_json(&training->prop1, "prop1", &run->record);
    return SFT_OK;
}

/* The members of the parameters that are the job's to fill. */
static struct sft_fit_params complete_params(const struct sft_training *training)
{
    const struct sft_training_job *job = &training->job;
    struct sft_fit_params params = job->params;
    params.rho_min = params.rho * job->rho_floor;
    params.step.traced = training->trace != NULL;
    params.stop = sft_watch_stop(training->watch);
    params.loader = sft_training_loader(training);
    return params;
}

/* At the size of the training images, which need not be that of the model's. */
static enum sft_status fit_at_size(struct sft_model *model, const struct sft_fit_params *params,
                                   struct sft_fit_result *result)
{
    const int side = model->image_size;
    enum sft_status status;
    model->image_size = params->loader.size;
    status = sft_fit(model, params, result);
    model->image_size = side;
    return status;
}

/* A state says that steps are done: the disk has their lines before it has the state. */
static enum sft_status sync_lines(void *context)
{
    struct looping *looping = context;
    struct sft_prop1 *trace = looping->training->trace;
    SFT_TRY(sft_lines_sync(&looping->metrics));
    return trace ? sft_prop1_sync(trace) : SFT_OK;
}

static enum sft_status fit(struct sft_training *training, const struct sft_resume *resume,
                           struct sft_run *run)
{
    struct sft_fit_params params = complete_params(training);
    struct looping looping = {
        .training = training,
        .run = run,
        .params = &params,
        .divergence = {.classes = training->model->classes},
    };
    struct sft_fit_result result = {0};
    char checkpoint[SFT_RUN_PATH];
    enum sft_status status;
    sft_run_path(run, SFT_FILE_METRICS, looping.metrics_path);
    sft_run_path(run, SFT_FILE_PROP1, looping.trace_path);
    params.identity = resume->identity_text;
    params.history = resume->history_text;
    params.from = resume->found ? &resume->state : NULL;
    params.keep_gradient = training->job.gradients != NULL;
    params.checkpoint = sft_run_path(run, SFT_FILE_CHECKPOINT, checkpoint);
    params.begin = begin_loop;
    params.report = take_step;
    params.saving = sync_lines;
    params.context = &looping;
    SFT_TRY_OUT(fit_at_size(training->model, &params, &result));
    sft_watch_end(training->watch);
    note_fit(&result, &run->record);
    sft_divergence_end(&looping.divergence);
    if (training->trace) SFT_TRY_OUT(note_trace(looping.trace_path, training, run));
    status = save_results(training, &result, run);
out:
    sft_watch_end(training->watch);
    sft_divergence_json(&looping.divergence, &run->record);
    sft_lines_close(&looping.metrics);
    free(result.gradient);
    return status;
}

/* ---- a run ---- */

static enum sft_status evaluate(struct sft_training *training, enum sft_results_model which)
{
    if (!training->sets || (which == SFT_BEFORE && training->has_before)) return SFT_OK;
    return sft_eval_sets_run(training->sets, training->model, which, training->watch);
}

static enum sft_status note_accuracy(struct sft_training *training, struct sft_run *run)
{
    const int batch = 100;
    if (!training->test || training->job.params.schedule.steps == 0) return SFT_OK;
    SFT_TRY(sft_accuracy(training->model, training->test, batch, training->watch, &training->accuracy));
    sft_json_real(&run->record, "accuracy", training->accuracy);
    return SFT_OK;
}

/* run.json has it, too, as peak_host_memory. */
static void tell_peak(void)
{
    sft_log(SFT_LOG_INFO, "at most %.0f MiB of memory were in use by this process",
            (double)sft_memory_peak() / 1048576.0);
}

static void tell_plan(const struct sft_training *training)
{
    struct sft_text text = {0};
    sft_step_plan_text(&training->plan, &text);
    if (text.data) sft_log(SFT_LOG_INFO, "a step: %s", text.data);
    sft_text_free(&text);
}

static enum sft_status train(struct sft_training *training, const struct sft_resume *resume,
                             struct sft_run *run)
{
    if (training->job.params.schedule.steps > 0) tell_plan(training);
    SFT_TRY(sft_training_begin(training, resume->identity, run));
    if (resume->found) sft_json_value(&run->record, "computed_by", json_incref(resume->history));
    SFT_TRY(evaluate(training, SFT_BEFORE));
    SFT_TRY(fit(training, resume, run));
    SFT_TRY(evaluate(training, SFT_AFTER));
    if (training->sets) SFT_TRY(sft_eval_sets_write(training->sets, run));
    SFT_TRY(note_accuracy(training, run));
    tell_peak();
    return SFT_OK;
}

static enum sft_status do_run(struct sft_training *training, struct sft_run *run)
{
    struct sft_resume resume;
    enum sft_status status;
    SFT_TRY(sft_training_enter(training, SFT_RUN_TRAINING, run));
    status = sft_resume_open(training, run, &resume);
    if (status == SFT_OK) status = train(training, &resume, run);
    sft_resume_close(&resume);
    return status;
}

enum sft_status sft_training_run(struct sft_training *training)
{
    const bool with_report = !training->job.no_report && training->job.params.schedule.steps > 0;
    struct sft_run run = {.entered = false};
    return sft_run_end(&run, do_run(training, &run), with_report);
}
