/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/fit.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/device.h"
#include "runtime/program.h"
#include "sam/sets.h"

struct fit {
    struct sft_model *model;
    const struct sft_fit_params *params;
    struct sft_step *step;
    struct sft_loader *loader;
    int64_t next; /* step to do */
};

/* ---- the state of a run ---- */

static enum sft_status save_state(const struct fit *fit)
{
    const struct sft_fit_params *params = fit->params;
    const struct sft_fit_note note = {fit->next, params->identity, params->history};
    if (params->saving) SFT_TRY(params->saving(params->context));
    return sft_fit_state_save(params->checkpoint, fit->model, fit->step, &note);
}

static enum sft_status load_state(struct fit *fit)
{
    const struct sft_fit_state *from = fit->params->from;
    const int64_t steps = fit->params->schedule.steps;
    if (from->note.step > steps)
        return sft_fail(SFT_DATA, "%s: is at step %" PRId64 ", beyond the run's %" PRId64, from->file->path,
                        from->note.step, steps);
    SFT_TRY(sft_fit_state_load(from, fit->model, fit->step));
    fit->next = from->note.step;
    sft_log(SFT_LOG_INFO, "resumed at step %" PRId64 " of %" PRId64, fit->next, steps);
    return SFT_OK;
}

bool sft_fit_depends_on_steps(const struct sft_fit_params *params)
{
    const struct sft_schedule *schedule = &params->schedule;
    if (schedule->kind != SFT_SCHEDULE_CONSTANT) return true;
    if (params->step.optimizer->selection == SFT_SELECT_DYNAMIC) return true;
    return schedule->warmup > 0 && params->rho_min != params->rho; /* which follows the last step's rate */
}

/* ---- the loop ---- */

/* What the allocator, the threads and BLAS take beside what is known. */
#define SLACK ((uint64_t)128 << 20)

static uint64_t less(uint64_t bytes, uint64_t by) { return bytes > by + 1 ? bytes - by : 1; }

/* Where the device's memory is the host's, batches lie in it, too: fewer are prepared ahead where they would
 * take more than an eighth. */
static void share_memory(const struct sft_device *device, struct sft_step_params *step,
                         struct sft_loader_params *loader)
{
    uint64_t room = sft_device_room(device), beside = 0;
    if (sft_device_is_host(device)) {
        while (loader->prefetch > 1 && (uint64_t)sft_loader_bytes(loader) > room / 8) loader->prefetch--;
        beside = (uint64_t)sft_loader_bytes(loader) + SLACK;
    }
    step->memory = less(room, beside);
    step->thrift = less(sft_device_thrift(device), beside);
}

enum sft_status sft_fit_plan(struct sft_model *model, const struct sft_fit_params *params,
                             struct sft_loader_params *loader, struct sft_step **out)
{
    struct sft_step_params step = params->step;
    *loader = params->loader;
    step.n_id = (int)loader->batch;
    step.n_ood = (int)sft_loader_outliers(loader);
    share_memory(model->parameters.weights->device, &step, loader);
    return sft_step_plan(model, &step, out);
}

static enum sft_status open_all(struct fit *fit)
{
    const struct sft_fit_params *params = fit->params;
    struct sft_loader_params loader;
    SFT_TRY(sft_fit_plan(fit->model, params, &loader, &fit->step));
    SFT_TRY(sft_step_start(fit->step));
    if (params->from) SFT_TRY(load_state(fit));
    loader.steps = params->schedule.steps;
    loader.first_step = fit->next;
    return sft_loader_open(&loader, &fit->loader);
}

/* GSAM (Zhuang et al. 2022, algorithm 1): rho follows the rate, from its peak down to its last value. */
static double rho_at(const struct sft_fit_params *params, double lr)
{
    double most = params->schedule.lr, least = sft_schedule_rate(&params->schedule, params->schedule.steps);
    double share = most > least ? (lr - least) / (most - least) : 1.0;
    return params->rho_min + (params->rho - params->rho_min) * fmax(share, 0.0);
}

static enum sft_status one_step(struct fit *fit, const struct sft_batch *batch, double *last_time,
                                struct sft_step_result *result)
{
    const struct sft_fit_params *params = fit->params;
    struct sft_fit_report report = {.step = fit->next,
                                    .steps = params->schedule.steps,
                                    .lr = sft_schedule_rate(&params->schedule, fit->next),
                                    .done = fit->step};
    const struct sft_step_rates rates = {.step = fit->next,
                                         .steps = report.steps,
                                         .seed = params->seed,
                                         .lr = report.lr,
                                         .rho = rho_at(params, report.lr),
                                         .momentum = params->momentum,
                                         .weight_decay = params->weight_decay};
    double time;
    SFT_TRY(sft_step_run(fit->step, &rates, batch->images, batch->labels, result));
    time = sft_now();
    report.result = *result;
    report.images_per_second = (batch->n_id + batch->n_ood) / (time - *last_time);
    *last_time = time;
    fit->next++;
    return params->report ? params->report(params->context, &report) : SFT_OK;
}

static bool stopped(const struct sft_fit_params *params) { return params->stop && *params->stop; }

/* Images that cannot be had end a run, but the steps before them are kept. */
static enum sft_status end_without_images(const struct fit *fit, const struct sft_fit_result *result,
                                          enum sft_status status)
{
    if (fit->params->checkpoint && fit->next > result->first_step && save_state(fit) == SFT_OK)
        sft_log(SFT_LOG_WARNING, "the state after step %" PRId64 " is saved; --resume goes on from there",
                fit->next);
    return status;
}

static enum sft_status next_batch(const struct fit *fit, const struct sft_batch **batch)
{
    SFT_TRY(sft_loader_next(fit->loader, batch));
    if (*batch) return SFT_OK;
    return sft_fail(SFT_FAILED, "the loader ended before step %" PRId64, fit->next);
}

static enum sft_status loop(struct fit *fit, struct sft_fit_result *result)
{
    const struct sft_fit_params *params = fit->params;
    double last_time = sft_now();
    while (fit->next < params->schedule.steps) {
        const struct sft_batch *batch;
        enum sft_status status = next_batch(fit, &batch);
        bool due, stop;
        if (status != SFT_OK) return end_without_images(fit, result, status);
        SFT_TRY(one_step(fit, batch, &last_time, &result->last));
        due = params->save_every > 0 &&
              (fit->next % params->save_every == 0 || fit->next == params->schedule.steps);
        stop = stopped(params); /* once: a signal between two looks would stop without a state */
        if (params->checkpoint && (due || stop)) SFT_TRY(save_state(fit));
        if (stop && fit->next < params->schedule.steps) {
            sft_log(SFT_LOG_WARNING, "stopped after step %" PRId64 " of %" PRId64 "%s", fit->next,
                    params->schedule.steps, params->checkpoint ? "; --resume goes on from there" : "");
            return SFT_INTERRUPTED;
        }
    }
    return SFT_OK;
}

static enum sft_status take_gradient(struct sft_tensor *tensor, float **data)
{
    *data = sft_calloc((size_t)sft_shape_count(&tensor->shape), sizeof(float));
    if (!*data) return SFT_MEMORY;
    return sft_tensor_download(tensor, 0, sft_shape_count(&tensor->shape), *data);
}

enum sft_status sft_fit(struct sft_model *model, const struct sft_fit_params *params,
                        struct sft_fit_result *result)
{
    struct fit fit = {.model = model, .params = params};
    enum sft_status status;
    double start;
    memset(result, 0, sizeof(*result));
    if (params->schedule.steps < 0) return sft_fail(SFT_USAGE, "a run of less than no steps");
    if (params->schedule.steps == 0) return SFT_OK;
    SFT_TRY_OUT(open_all(&fit));
    result->first_step = fit.next;
    result->steps = params->schedule.steps;
    result->perturbed = sft_step_perturbed(fit.step);
    result->plan = *sft_step_get_plan(fit.step);
    if (params->begin) params->begin(params->context, fit.next);
    start = sft_now();
    SFT_TRY_OUT(loop(&fit, result));
    result->seconds = sft_now() - start;
    if (params->keep_gradient) SFT_TRY_OUT(take_gradient(sft_step_gradient(fit.step), &result->gradient));
out:
    sft_loader_close(&fit.loader);
    sft_step_destroy(&fit.step);
    return status;
}
