/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/fit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nn/checkpoint/checkpoint.h"
#include "nn/checkpoint/safetensors.h"
#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/program.h"

struct fit {
    struct sft_model *model;
    const struct sft_fit_params *params;
    struct sft_step *step;
    struct sft_loader *loader;
    int64_t next; /* step to do */
};

/* ---- the state of a run, as a safetensors file of flat tensors ---- */

enum { MAX_STATE_TENSORS = 2 + SFT_MAX_STATES };

static int list_state(const struct fit *fit, struct sft_tensor *tensors[MAX_STATE_TENSORS],
                      const char *names[MAX_STATE_TENSORS])
{
    static const char *const state_names[SFT_MAX_STATES] = {"state.0", "state.1", "state.2"};
    int n = 0, n_states;
    struct sft_tensor *const *states = sft_step_states(fit->step, &n_states);
    names[n] = "weights";
    tensors[n++] = fit->model->parameters.weights;
    for (int i = 0; i < n_states; i++) {
        names[n] = state_names[i];
        tensors[n++] = states[i];
    }
    if (fit->model->parameters.buffers) {
        names[n] = "buffers";
        tensors[n++] = fit->model->parameters.buffers;
    }
    return n;
}

static enum sft_status download(struct sft_tensor *tensor, float **data)
{
    *data = sft_calloc((size_t)sft_shape_count(&tensor->shape), sizeof(float));
    if (!*data) return SFT_MEMORY;
    return sft_tensor_download(tensor, 0, sft_shape_count(&tensor->shape), *data);
}

static enum sft_status save_state(const struct fit *fit)
{
    struct sft_tensor *tensors[MAX_STATE_TENSORS];
    const char *names[MAX_STATE_TENSORS];
    struct sft_stored_tensor stored[MAX_STATE_TENSORS] = {{0}};
    float *data[MAX_STATE_TENSORS] = {NULL};
    char step[32];
    const struct sft_metadata metadata[] = {{"format", "sft-vk state 1"},
                                            {"model", fit->model->variant->name},
                                            {"step", step},
                                            {"identity", fit->params->identity ? fit->params->identity : ""}};
    int n = list_state(fit, tensors, names);
    enum sft_status status = SFT_OK;
    if (fit->params->saving) SFT_TRY(fit->params->saving(fit->params->context));
    snprintf(step, sizeof(step), "%" PRId64, fit->next);
    for (int i = 0; i < n; i++) {
        SFT_TRY_OUT(download(tensors[i], &data[i]));
        stored[i] = (struct sft_stored_tensor){.name = names[i],
                                               .dtype = SFT_STORED_F32,
                                               .shape = tensors[i]->shape,
                                               .data = data[i],
                                               .bytes = tensors[i]->bytes};
    }
    status = sft_safetensors_write(fit->params->checkpoint, stored, (size_t)n, metadata, 4);
out:
    for (int i = 0; i < n; i++) free(data[i]);
    return status;
}

static enum sft_status check_state(const struct fit *fit, const struct sft_checkpoint *checkpoint,
                                   int64_t *step)
{
    const char *model = sft_checkpoint_metadata(checkpoint, "model");
    const char *identity = sft_checkpoint_metadata(checkpoint, "identity");
    const char *text = sft_checkpoint_metadata(checkpoint, "step");
    char *end = NULL;
    if (!model || !identity || !text || (*step = strtoll(text, &end, 10)) < 0 || end == text || *end)
        return sft_fail(SFT_DATA, "%s: not the state of a run", checkpoint->path);
    if (strcmp(model, fit->model->variant->name) != 0)
        return sft_fail(SFT_DATA, "%s: belongs to a run of %s, not %s", checkpoint->path, model,
                        fit->model->variant->name);
    if (fit->params->identity && strcmp(identity, fit->params->identity) != 0)
        return sft_fail(
            SFT_DATA,
            "%s: belongs to a run with other options or data; repeat that run's, or start anew with "
            "--overwrite",
            checkpoint->path);
    if (*step > fit->params->schedule.steps)
        return sft_fail(SFT_DATA, "%s: is at step %" PRId64 ", beyond the run's %" PRId64, checkpoint->path,
                        *step, fit->params->schedule.steps);
    return SFT_OK;
}

static enum sft_status load_tensor(const struct sft_checkpoint *checkpoint, const char *name,
                                   struct sft_tensor *tensor)
{
    const struct sft_stored_tensor *stored = sft_checkpoint_find(checkpoint, name);
    enum sft_status status;
    float *data;
    if (!stored || sft_shape_count(&stored->shape) != sft_shape_count(&tensor->shape))
        return sft_fail(SFT_DATA, "%s: %s is missing or has another size", checkpoint->path, name);
    data = sft_calloc((size_t)sft_shape_count(&tensor->shape), sizeof(float));
    if (!data) return SFT_MEMORY;
    status = sft_stored_read(stored, data);
    if (status == SFT_OK) status = sft_tensor_upload(tensor, 0, sft_shape_count(&tensor->shape), data);
    free(data);
    return status;
}

static enum sft_status load_state(struct fit *fit)
{
    struct sft_checkpoint *checkpoint = NULL;
    struct sft_tensor *tensors[MAX_STATE_TENSORS];
    const char *names[MAX_STATE_TENSORS];
    int n = list_state(fit, tensors, names);
    enum sft_status status = SFT_OK;
    SFT_TRY(sft_checkpoint_open(fit->params->checkpoint, &checkpoint));
    SFT_TRY_OUT(check_state(fit, checkpoint, &fit->next));
    for (int i = 0; i < n; i++) SFT_TRY_OUT(load_tensor(checkpoint, names[i], tensors[i]));
    sft_log(SFT_LOG_INFO, "resumed at step %" PRId64 " of %" PRId64, fit->next, fit->params->schedule.steps);
out:
    sft_checkpoint_close(&checkpoint);
    return status;
}

/* ---- the loop ---- */

static enum sft_status open_all(struct fit *fit)
{
    const struct sft_fit_params *params = fit->params;
    struct sft_step_params step = params->step;
    struct sft_loader_params loader = params->loader;
    step.n_id = (int)loader.batch;
    step.n_ood = (int)sft_loader_outliers(&loader);
    SFT_TRY(sft_step_create(fit->model, &step, &fit->step));
    if (params->resume && params->checkpoint && access(params->checkpoint, F_OK) == 0)
        SFT_TRY(load_state(fit));
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
        due = params->save_every > 0 && fit->next % params->save_every == 0;
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

enum sft_status sft_fit(struct sft_model *model, const struct sft_fit_params *params,
                        struct sft_fit_result *result)
{
    struct fit fit = {.model = model, .params = params};
    enum sft_status status;
    double start;
    memset(result, 0, sizeof(*result));
    if (params->schedule.steps < 1) return sft_fail(SFT_USAGE, "a run needs at least one step");
    SFT_TRY_OUT(open_all(&fit));
    result->first_step = fit.next;
    result->steps = params->schedule.steps;
    result->arena = sft_program_arena(sft_step_program(fit.step));
    if (params->begin) params->begin(params->context, fit.next);
    start = sft_now();
    SFT_TRY_OUT(loop(&fit, result));
    result->seconds = sft_now() - start;
    SFT_TRY_OUT(download(sft_step_gradient(fit.step), &result->gradient));
out:
    sft_loader_close(&fit.loader);
    sft_step_destroy(&fit.step);
    return status;
}
