/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/fit_run.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/checkpoint/safetensors.h"
#include "runtime/base/alloc.h"
#include "runtime/base/log.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/score_options.h"
#include "tools/cli/terminal.h"
#include "tools/jobs/lines.h"

/* ---- options ---- */

const char *const sft_schedule_names[] = {"constant", "cosine", "onecycle",
                                          NULL}; /* enum sft_schedule_kind */
const char *const sft_augment_names[] = {"none", "flip", "crop-flip", "bit", NULL}; /* enum sft_augment */
const char *const sft_on_off_names[] = {"on", "off", NULL};

#define FIELD(member) offsetof(struct sft_fit_values, member)

const struct sft_option sft_fit_data_options[] = {
    {"id", SFT_OPTION_TEXT, FIELD(id), .value = "SPEC", .required = true,
     .help = "ID images with labels to learn from", .list = sft_data_formats},
    {"limit", SFT_OPTION_INT, FIELD(limit), .value = "N", .fallback = "0", .min = 0, .max = 1e15,
     .help = "only the first N of them; 0: all"},
    {"eval-id", SFT_OPTION_TEXT, FIELD(eval_id), .value = "SPEC",
     .help = "ID images to evaluate on; otherwise the test split of --id where there is one"},
    {0},
};

const struct sft_option sft_fit_run_options[] = {
    {"out", SFT_OPTION_TEXT, FIELD(out), .value = "DIR", .required = true, .help = "folder of the run"},
    {"overwrite", SFT_OPTION_FLAG, FIELD(overwrite),
     .help = "take the place of an earlier run in that folder"},
    {"save-every", SFT_OPTION_INT, FIELD(save_every), .value = "N", .fallback = "10", .min = 0, .max = 1e9,
     .help = "steps between checkpoints for --resume; 0: only when stopped by a signal"},
    {"resume", SFT_OPTION_FLAG, FIELD(resume),
     .help = "go on from the folder's checkpoint; the result is that of an undisturbed run"},
    {"snapshots", SFT_OPTION_INTS, FIELD(snapshots), .value = "N,N,...", .min = 1, .max = 1e9,
     .help = "keep the model after so many steps, too, as model-N.safetensors"},
    {"seed", SFT_OPTION_INT, FIELD(seed), .value = "N", .fallback = "0", .min = 0, .max = 9007199254740991.0,
     .help = "of everything that is drawn: order, augmentation, pseudo-OOD, dropout"},
    {"no-shuffle", SFT_OPTION_FLAG, FIELD(no_shuffle), .help = "images in the order of the data set"},
    {"no-augment", SFT_OPTION_FLAG, FIELD(no_augment), .help = "as --train-aug none"},
    {"dump-gradients", SFT_OPTION_TEXT, FIELD(dump_gradients), .value = "FILE",
     .help = "write the gradient of the last step as safetensors"},
    {0},
};

void sft_fit_default_rho(const struct sft_args *args, const struct sft_optimizer *optimizer, double otherwise,
                         struct sft_fit_values *values)
{
    if (!sft_args_given(args, "rho")) values->rho = optimizer->rho > 0 ? optimizer->rho : otherwise;
}

/* ---- data ---- */

enum sft_status sft_fit_open_id(const struct sft_fit_values *values, struct sft_dataset **dataset)
{
    SFT_TRY(sft_dataset_open(values->id, dataset));
    if (values->limit) sft_dataset_limit(*dataset, values->limit);
    if (sft_dataset_classes(*dataset) < 2)
        return sft_fail(
            SFT_DATA,
            "--id %s: images without labels, or of one class only; training needs at least two classes",
            values->id);
    return SFT_OK;
}

enum sft_status sft_fit_check_classes(const struct sft_dataset *dataset, const struct sft_model *model)
{
    if (sft_dataset_classes(dataset) <= model->classes) return SFT_OK;
    return sft_fail(SFT_DATA, "%s has %d classes, the model only %d: it was trained on other data",
                    sft_dataset_spec(dataset), sft_dataset_classes(dataset), model->classes);
}

enum sft_status sft_fit_open_eval_id(const struct sft_fit_values *values, struct sft_dataset **out)
{
    char spec[SFT_RUN_PATH];
    const char *end = strrchr(values->id, '#');
    int length = end ? (int)(end - values->id) : (int)strlen(values->id);
    *out = NULL;
    if (values->eval_id) return sft_dataset_open(values->eval_id, out);
    if (end && strncmp(end, "#train", 6) != 0) return SFT_OK;
    if ((size_t)snprintf(spec, sizeof(spec), "%.*s#test", length, values->id) >= sizeof(spec)) return SFT_OK;
    sft_terminal_mute(true); /* most data sets have no such split */
    if (sft_dataset_open(spec, out) != SFT_OK) *out = NULL;
    sft_terminal_mute(false);
    return SFT_OK;
}

enum sft_status sft_fit_check_out(const struct sft_fit_values *values)
{
    return sft_run_check(values->out, values->overwrite || values->resume);
}

/* ---- parameters ---- */

void sft_fit_params_init(const struct sft_fit_values *values, const struct sft_model *model,
                         const struct sft_dataset *dataset, struct sft_fit_params *params)
{
    *params = (struct sft_fit_params){
        .schedule = {.kind = (enum sft_schedule_kind)values->schedule,
                     .lr = values->lr,
                     .warmup = values->warmup,
                     .steps = values->steps},
        .rho = values->rho,
        .rho_min = values->rho * values->sam.rho_floor,
        .momentum = values->momentum,
        .weight_decay = values->weight_decay,
        .seed = (uint64_t)values->seed,
        .save_every = values->save_every,
        .resume = values->resume,
        .stop = sft_interrupt_flag(),
    };
    params->step.nesterov = values->nesterov;
    params->step.no_dropout = values->dropout;
    sft_sam_params_init(&values->sam, &params->step);
    sft_loader_defaults(&params->loader, model->image_size);
    params->loader.dataset = dataset;
    params->loader.batch = values->batch;
    memcpy(params->loader.mean, model->mean, sizeof(model->mean));
    memcpy(params->loader.std, model->std, sizeof(model->std));
    params->loader.shuffle = !values->no_shuffle;
    params->loader.seed = params->seed;
    params->loader.augment = values->no_augment ? SFT_AUGMENT_NONE : (enum sft_augment)values->augment;
}

enum sft_status sft_fit_identity(const struct sft_args *args, const struct sft_dataset *dataset,
                                 const char *extra, char hex[65])
{
    /* What may differ between a run and its continuation. */
    static const char *const free_options[] = {
        "device",       "memory",     "threads",    "json",  "quiet",          "verbose",
        "log",          "config",     "no-color",   "out",   "overwrite",      "resume",
        "save-every",   "eval-id",    "eval-ood",   "score", "dump-gradients", "weights",
        "trace",        "probe",      "snapshots",  "seeds", "recall",         "bootstrap",
        "fpr-positive", "eval-limit", "eval-batch", "fit",   "fit-limit",      "mos-groups"};
    json_t *options = sft_args_json(args);
    char data[65], *text;
    if (!options) return sft_fail(SFT_MEMORY, "no memory for the run's options");
    for (size_t i = 0; i < sizeof(free_options) / sizeof(free_options[0]); i++)
        json_object_del(options, free_options[i]);
    for (int i = 0; sft_score_options[i].name; i++) json_object_del(options, sft_score_options[i].name);
    sft_dataset_hash(dataset, data);
    json_object_set_new(options, "data", json_string(data));
    json_object_set_new(options, "extra", json_string(extra));
    text = json_dumps(options, JSON_SORT_KEYS | JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(options);
    if (!text) return sft_fail(SFT_MEMORY, "no memory for the run's options");
    sft_sha256(text, strlen(text), hex);
    free(text);
    return SFT_OK;
}

/* ---- the run ---- */

struct running {
    const struct sft_fit_values *values;
    const struct sft_model *model;
    const struct sft_run *run;
    const struct sft_fit_params *params;
    struct sft_prop1 *trace;
    char path[SFT_RUN_PATH], trace_path[SFT_RUN_PATH]; /* of metrics.jsonl and prop1.jsonl */
    struct sft_lines metrics;
    enum sft_status status; /* of begin(), which cannot return one */
};

static void begin(void *context, int64_t first_step)
{
    struct running *running = context;
    running->status = sft_lines_open(running->path, first_step, &running->metrics);
    if (running->status == SFT_OK && running->trace)
        running->status = sft_prop1_begin(running->trace, running->trace_path, first_step);
}

static json_t *number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

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

static enum sft_status keep_snapshot(const struct running *running, int64_t steps)
{
    const struct sft_ints *wanted = &running->values->snapshots;
    char name[64], path[SFT_RUN_PATH];
    for (int i = 0; i < wanted->count; i++) {
        if (wanted->values[i] != steps) continue;
        snprintf(name, sizeof(name), "model-%" PRId64 ".safetensors", steps);
        return save_model(running->model, sft_run_path(running->run, name, path));
    }
    return SFT_OK;
}

static enum sft_status report(void *context, const struct sft_fit_report *report)
{
    struct running *running = context;
    const struct sft_step_result *result = &report->result;
    SFT_TRY(running->status);
    SFT_TRY(sft_lines_write(&running->metrics,
                            json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "step",
                                      (json_int_t)report->step + 1, "loss", number(result->loss), "loss_id",
                                      number(result->loss_id), "loss_ood", number(result->loss_ood),
                                      "grad_norm", number(result->grad_norm), "perturb_norm",
                                      number(result->perturb_norm), "lr", number(report->lr), "images_per_s",
                                      number(report->images_per_second))));
    if (running->trace) SFT_TRY(sft_prop1_step(running->trace, report, momentum_of(running->params)));
    sft_progress(report->step + 1, report->steps, "step %" PRId64 " of %" PRId64 ", loss %.4f, %.0f images/s",
                 report->step + 1, report->steps, result->loss, report->images_per_second);
    return keep_snapshot(running, report->step + 1);
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

static enum sft_status save_results(const struct sft_fit_values *values, const struct sft_model *model,
                                    const struct sft_fit_result *result, struct sft_run *run)
{
    char path[SFT_RUN_PATH];
    SFT_TRY(save_model(model, sft_run_path(run, "model.safetensors", path)));
    SFT_TRY(sft_run_note_file(run, "model", path));
    if (!values->dump_gradients) return SFT_OK;
    return write_gradients(values->dump_gradients, &model->parameters, result->gradient);
}

static enum sft_status note_trace(const char *path, struct sft_run *run)
{
    json_t *summary;
    SFT_TRY(sft_prop1_summary(path, &summary));
    sft_run_note(run, "prop1", summary);
    return SFT_OK;
}

enum sft_status sft_fit_run(const struct sft_fit_values *values, struct sft_model *model,
                            struct sft_fit_params *params, struct sft_prop1 *trace, struct sft_run *run)
{
    struct running running = {.values = values, .model = model, .run = run, .params = params, .trace = trace};
    struct sft_fit_result result = {0};
    char checkpoint[SFT_RUN_PATH];
    enum sft_status status;
    sft_run_path(run, "metrics.jsonl", running.path);
    sft_run_path(run, "prop1.jsonl", running.trace_path);
    params->step.traced = trace != NULL;
    params->checkpoint = sft_run_path(run, "checkpoint.safetensors", checkpoint);
    params->begin = begin;
    params->report = report;
    params->context = &running;
    SFT_TRY_OUT(sft_fit(model, params, &result));
    sft_progress_end();
    sft_log(SFT_LOG_INFO, "%" PRId64 " steps in %.1f s", result.steps - result.first_step, result.seconds);
    sft_run_note(run, "fit",
                 json_pack("{s:I, s:I, s:f, s:I}", "first_step", (json_int_t)result.first_step, "steps",
                           (json_int_t)result.steps, "seconds", result.seconds, "step_arena_bytes",
                           (json_int_t)result.arena));
    if (trace) SFT_TRY_OUT(note_trace(running.trace_path, run));
    status = save_results(values, model, &result, run);
out:
    sft_progress_end();
    sft_lines_close(&running.metrics);
    free(result.gradient);
    return status;
}
