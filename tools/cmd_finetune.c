/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main job: SFT. What the paper leaves open is an option (docs/methods.md, the table of ambiguities);
 * what it says are the defaults for large pictures. For small ones there is a second set of defaults, as the
 * paper's patch sizes do not fit into 32 pixels.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ood/report/report.h"
#include "ood/results/seeds.h"
#include "runtime/base/log.h"
#include "tools/cli/terminal.h"
#include "tools/jobs/eval_sets.h"
#include "tools/jobs/finetune.h"
#include "tools/jobs/fit_run.h"
#include "tools/jobs/seed_runs.h"

struct finetune {
    struct sft_fit_values fit;
    const char *weights, *model, *pseudo_ood, *score, *fpr_positive, *eval_fit;
    struct sft_texts eval_ood;
    struct sft_ints jigsaw_sizes;
    int pseudo_mode, pseudo_source, jigsaw_unit, jigsaw_draw, jigsaw_rest, rgb_identity;
    int distance, norm_scope, train_params, wd_norm, sam_first, sam_empty, sam_mask, bn_second, bn_mode,
        ood_forward;
    int64_t ood_per_id, train_size, eval_batch, eval_limit, fit_limit, bootstrap, seeds;
    int trace;
    int64_t probe;
    double lambda, energy_weight, energy_in, energy_out, recall;
};

/* ---- defaults that depend on the size of the pictures ---- */

static const struct by_size {
    int from_side; /* pixels; the row for the largest that is not above the model's */
    double rho, lambda;
    enum sft_pseudo_mode mode;
} defaults_by_size[] = {
    {120, 0.5, 1, SFT_PSEUDO_COMPOSE}, /* the paper, at 480 */
    {0, 0.1, 0.25, SFT_PSEUDO_JIGSAW}, /* 32: the paper's rho and lambda cost several points of accuracy */
};

static const struct by_size *defaults_for(int side)
{
    const struct by_size *row = defaults_by_size;
    while (side < row->from_side) row++;
    return row;
}

static void resolve(const struct sft_args *args, const struct sft_model *model,
                    const struct sft_optimizer *optimizer)
{
    struct finetune *options = args->values;
    const struct by_size *row = defaults_for(model->image_size);
    if (!sft_args_given(args, "lambda")) options->lambda = row->lambda;
    sft_fit_default_rho(args, optimizer, row->rho, &options->fit);
    if (!sft_args_given(args, "pseudo-mode")) options->pseudo_mode = (int)row->mode;
    if (!sft_args_given(args, "jigsaw-sizes")) {
        struct sft_pseudo_params pseudo;
        sft_pseudo_defaults(&pseudo, model->image_size);
        options->jigsaw_sizes.count = pseudo.size_count;
        for (int i = 0; i < pseudo.size_count; i++) options->jigsaw_sizes.values[i] = pseudo.sizes[i];
    }
    if (!options->train_size) options->train_size = model->image_size;
}

/* ---- options to parameters ---- */

static void fill_step(const struct finetune *options, struct sft_step_params *step)
{
    step->lambda = (float)options->lambda;
    step->loss = (struct sft_row_loss_params){.distance = options->distance,
                                              .energy_weight = (float)options->energy_weight,
                                              .energy_in = (float)options->energy_in,
                                              .energy_out = (float)options->energy_out};
    step->scope = (enum sft_norm_scope)options->norm_scope;
    step->trained = (enum sft_trained)options->train_params;
    step->first = (enum sft_first_loss)options->sam_first;
    step->empty = (enum sft_sam_empty)options->sam_empty;
    step->same_mask = options->sam_mask;
    step->second_updates_bn = options->bn_second;
    step->frozen_bn = options->bn_mode;
    step->no_norm_decay = options->wd_norm;
    step->separate = options->ood_forward;
}

static void fill_loader(const struct finetune *options, const struct sft_dataset *outliers,
                        struct sft_loader_params *loader)
{
    struct sft_pseudo_params *pseudo = &loader->pseudo;
    loader->size = (int)options->train_size;
    loader->ood_per_id = options->pseudo_mode == SFT_PSEUDO_NONE && !outliers ? 0 : (int)options->ood_per_id;
    loader->outliers = outliers;
    pseudo->mode = (enum sft_pseudo_mode)options->pseudo_mode;
    pseudo->unit = (enum sft_jigsaw_unit)options->jigsaw_unit;
    pseudo->draw = (enum sft_jigsaw_draw)options->jigsaw_draw;
    pseudo->rest = (enum sft_jigsaw_rest)options->jigsaw_rest;
    pseudo->rgb_identity = (enum sft_rgb_identity)options->rgb_identity;
    pseudo->source = (enum sft_pseudo_source)options->pseudo_source;
    pseudo->size_count = options->jigsaw_sizes.count;
    for (int i = 0; i < pseudo->size_count; i++) pseudo->sizes[i] = (int)options->jigsaw_sizes.values[i];
}

/* ---- the command ---- */

/* All that a run holds open. */
struct job {
    const struct sft_args *args;
    struct finetune *options;
    struct sft_device *device;
    struct sft_model *model;
    struct sft_dataset *id, *outliers;
    const struct sft_optimizer *optimizer;
    struct sft_eval_sets sets;
    bool evaluates;
    struct sft_prop1 *trace;
    struct sft_run run;
};

static enum sft_status open_evaluation(struct job *job)
{
    struct finetune *options = job->options;
    struct sft_dataset *id;
    if (!options->eval_ood.count) return SFT_OK;
    SFT_TRY(sft_fit_open_eval_id(&options->fit, &id));
    if (!id)
        return sft_fail(
            SFT_USAGE,
            "--eval-ood: name the ID images to tell them from, with --eval-id SPEC (%s has no test "
            "split)",
            options->fit.id);
    if (options->eval_limit) sft_dataset_limit(id, options->eval_limit);
    SFT_TRY(sft_eval_sets_open(id, job->model,
                               &(struct sft_eval_request){.common = &options->fit.common,
                                                          .ood = &options->eval_ood,
                                                          .scores = options->score,
                                                          .convention = options->fpr_positive,
                                                          .fit = options->eval_fit,
                                                          .fit_limit = options->fit_limit,
                                                          .limit = options->eval_limit,
                                                          .measure = {.recall = options->recall,
                                                                      .replicates = (int)options->bootstrap,
                                                                      .seed = (uint64_t)options->fit.seed},
                                                          .batch = (int)options->eval_batch},
                               &job->sets));
    job->evaluates = true;
    return SFT_OK;
}

/* Probe sets are what is evaluated on: the ID images and every OOD set. */
static enum sft_status open_trace(struct job *job)
{
    struct sft_prop1_set sets[SFT_OPTION_MAX_TEXTS + 1] = {{"id", job->sets.id}};
    if (!job->options->trace) return SFT_OK;
    if (!job->evaluates)
        return sft_fail(SFT_USAGE,
                        "--trace prop1: name at least one OOD set to look at, with --eval-ood NAME=SPEC");
    for (int i = 0; i < job->sets.sets; i++)
        sets[i + 1] = (struct sft_prop1_set){job->sets.names[i], job->sets.ood[i]};
    return sft_prop1_open(job->model, sets, job->sets.sets + 1, job->options->probe,
                          (int)job->options->eval_batch, &job->trace);
}

static enum sft_status open_job(struct job *job)
{
    struct finetune *options = job->options;
    struct sft_model_config config = {.name = options->model};
    SFT_TRY(sft_find_optimizer(options->fit.optimizer, &job->optimizer));
    SFT_TRY(sft_fit_check_out(&options->fit));
    SFT_TRY(sft_common_open_device(&options->fit.common, &job->device));
    SFT_TRY(sft_model_open(job->device, options->weights, &config, &job->model));
    resolve(job->args, job->model, job->optimizer);
    SFT_TRY(sft_fit_open_id(&options->fit, &job->id));
    SFT_TRY(sft_fit_check_classes(job->id, job->model));
    if (options->pseudo_ood) SFT_TRY(sft_dataset_open(options->pseudo_ood, &job->outliers));
    SFT_TRY(open_evaluation(job));
    return open_trace(job);
}

static enum sft_status begin_run(struct job *job)
{
    struct finetune *options = job->options;
    SFT_TRY(sft_run_begin(job->args, options->fit.out, options->fit.overwrite && !options->fit.resume,
                          &job->run));
    sft_run_note_device(&job->run, job->device);
    sft_run_note(&job->run, "architecture", json_string(job->model->variant->name));
    sft_run_note(&job->run, "id_data", sft_dataset_json(job->id));
    if (job->outliers) sft_run_note(&job->run, "outliers", sft_dataset_json(job->outliers));
    if (job->evaluates) sft_eval_sets_note(&job->sets, &job->run);
    return sft_run_note_file(&job->run, "weights", options->weights);
}

static enum sft_status fit(struct job *job)
{
    struct finetune *options = job->options;
    struct sft_fit_params params;
    char identity[65];
    int side = job->model->image_size;
    enum sft_status status;
    sft_fit_params_init(&options->fit, job->model, job->id, &params);
    params.step.optimizer = job->optimizer;
    fill_step(options, &params.step);
    fill_loader(options, job->outliers, &params.loader);
    SFT_TRY(sft_fit_identity(job->args, job->id, sft_run_file_sha256(&job->run, "weights"), identity));
    params.identity = identity;
    job->model->image_size = (int)options->train_size;
    status = sft_fit_run(&options->fit, job->model, &params, job->trace, &job->run);
    job->model->image_size = side;
    return status;
}

static enum sft_status write_results(struct job *job)
{
    char path[SFT_RUN_PATH];
    json_t *results = NULL, *prop1 = json_object_get(job->run.record, "prop1");
    if (job->evaluates) SFT_TRY(sft_eval_sets_write(&job->sets, &job->run));
    if (!job->options->fit.common.json) {
        if (job->evaluates) SFT_TRY(sft_results_print(&job->sets.results, stdout));
        if (prop1) sft_prop1_print(prop1, stdout);
        printf("%s\n", sft_run_path(&job->run, "model.safetensors", path));
        printf("%s\n", sft_run_path(&job->run, "report.html", path));
        return SFT_OK;
    }
    if (job->evaluates) results = sft_results_to_json(&job->sets.results);
    return sft_print_json(json_pack("{s:s, s:s, s:o*, s:O*}", "out", job->run.folder, "model",
                                    sft_run_path(&job->run, "model.safetensors", path), "results", results,
                                    "prop1", prop1));
}

/* ---- several seeds ---- */

/* One of them, with the results of the model before from the job; the folder is a complete run. */
static enum sft_status run_seed(void *context, int64_t seed, const char *folder)
{
    struct job *job = context;
    enum sft_status status;
    job->options->fit.seed = seed;
    job->options->fit.out = folder;
    status = begin_run(job);
    if (status == SFT_OK) status = fit(job);
    if (status == SFT_OK && job->evaluates) status = sft_eval_sets_run(&job->sets, job->model, SFT_AFTER);
    if (status == SFT_OK && job->evaluates) status = sft_eval_sets_write(&job->sets, &job->run);
    status = sft_run_end(&job->run, status);
    return status == SFT_OK ? sft_report_from_folder(folder) : status;
}

static enum sft_status show_seeds(const struct job *job, int64_t first)
{
    const struct finetune *options = job->options;
    struct sft_seeds seeds = {0};
    enum sft_status status = SFT_OK;
    if (job->evaluates) {
        SFT_TRY(sft_seeds_read(options->fit.out, first, (int)options->seeds, &seeds));
        status = sft_seeds_write(&seeds, options->fit.out);
    }
    if (status == SFT_OK && options->fit.common.json)
        status = sft_print_json(json_pack("{s:s, s:o*}", "out", options->fit.out, "results",
                                          job->evaluates ? sft_seeds_to_json(&seeds) : NULL));
    else if (status == SFT_OK && job->evaluates)
        status = sft_seeds_print(&seeds, stdout);
    if (status == SFT_OK && !options->fit.common.json)
        printf("%s%s\n", options->fit.out, job->evaluates ? "/report.html" : "");
    sft_seeds_free(&seeds);
    return status;
}

/* The folder's own run.json tells of all runs together. */
static enum sft_status do_seeds(struct job *job)
{
    struct sft_fit_values *values = &job->options->fit;
    const struct sft_seed_runs runs = {
        values->out, values->seed, (int)job->options->seeds, values->resume, job->model, run_seed, job};
    struct sft_run whole;
    enum sft_status status;
    if (job->trace) return sft_fail(SFT_USAGE, "--trace and --seeds: trace one run, with --seed N");
    status = begin_run(job);
    whole = job->run;
    job->run = (struct sft_run){.record = NULL};
    if (status == SFT_OK && job->evaluates) status = sft_eval_sets_run(&job->sets, job->model, SFT_BEFORE);
    if (status == SFT_OK) status = sft_seed_runs(&runs);
    values->seed = runs.first;
    values->out = runs.folder;
    if (status == SFT_OK) status = show_seeds(job, runs.first);
    status = sft_run_end(&whole, status);
    return status == SFT_OK && job->evaluates ? sft_report_from_folder(runs.folder) : status;
}

static enum sft_status do_job(struct job *job)
{
    SFT_TRY(open_job(job));
    if (job->options->seeds > 1) return do_seeds(job);
    SFT_TRY(begin_run(job));
    if (job->evaluates) SFT_TRY(sft_eval_sets_run(&job->sets, job->model, SFT_BEFORE));
    SFT_TRY(fit(job));
    if (job->evaluates) SFT_TRY(sft_eval_sets_run(&job->sets, job->model, SFT_AFTER));
    return write_results(job);
}

enum sft_status sft_finetune_model(const struct sft_args *args, struct sft_device *device,
                                   struct sft_model *model, struct sft_dataset *id)
{
    struct finetune *options = args->values;
    struct job job = {.args = args, .options = options, .device = device, .model = model, .id = id};
    enum sft_status status = sft_find_optimizer(options->fit.optimizer, &job.optimizer);
    if (status != SFT_OK) return status;
    resolve(args, model, job.optimizer);
    status = sft_fit_check_classes(id, model);
    if (status == SFT_OK && options->pseudo_ood)
        status = sft_dataset_open(options->pseudo_ood, &job.outliers);
    if (status == SFT_OK) status = begin_run(&job);
    if (status == SFT_OK) status = fit(&job);
    status = sft_run_end(&job.run, status);
    sft_dataset_close(&job.outliers);
    return status;
}

static enum sft_status run(const struct sft_args *args)
{
    struct job job = {.args = args, .options = args->values};
    bool begun;
    enum sft_status status = do_job(&job);
    begun = job.run.record != NULL;
    status = sft_run_end(&job.run, status);
    if (begun && status == SFT_OK) status = sft_report_from_folder(job.options->fit.out);
    sft_prop1_close(&job.trace);
    sft_eval_sets_close(&job.sets);
    sft_dataset_close(&job.outliers);
    sft_dataset_close(&job.id);
    sft_model_destroy(&job.model);
    sft_device_close(&job.device);
    return status;
}

/* ---- options ---- */

#define FIELD(member) offsetof(struct finetune, member)
#define CHOICE(flag, member, list, first, text)                                                              \
    {                                                                                                        \
        flag, SFT_OPTION_CHOICE, FIELD(member), .value = "WORD", .fallback = first, .choices = list,         \
                                                .help = text                                                 \
    }

static const char *const distances[] = {"oe", "kl_pu", "l2", "js", "energy", "logitnorm", NULL};
static const char *const pseudo_modes[] = {"compose", "half", "both", "random",
                                           "jigsaw",  "rgb",  "none", NULL};
static const char *const pseudo_sources[] = {"same", "other", NULL};
static const char *const jigsaw_units[] = {"px", "grid", NULL};
static const char *const jigsaw_draws[] = {"batch", "image", NULL};
static const char *const jigsaw_rests[] = {"keep", "zero", NULL};
static const char *const rgb_identities[] = {"allow", "forbid", NULL};
static const char *const norm_scopes[] = {"all", "no-final", "weight-only", "bias-only", NULL};
static const char *const train_params[] = {"all", "norm", "head", "last-block", NULL};
static const char *const yes_no[] = {"yes", "no", NULL};
static const char *const sam_firsts[] = {"full", "id", "ood", NULL};
static const char *const sam_empties[] = {"error", "sgd", "all", NULL};
static const char *const sam_masks[] = {"fresh", "same", NULL};
static const char *const bn_seconds[] = {"freeze", "update", NULL};
static const char *const bn_modes[] = {"train", "eval", NULL};
static const char *const ood_forwards[] = {"joint", "separate", NULL};

static const char *const traces[] = {"none", "prop1", NULL};

static const struct sft_option model_options[] = {
    {"weights", SFT_OPTION_TEXT, FIELD(weights), .value = "FILE", .required = true,
     .help = "checkpoint of the classifier to fine-tune"},
    {"model", SFT_OPTION_TEXT, FIELD(model), .value = "NAME",
     .help = "its architecture, when the file does not tell:", .list = sft_model_list},
    {0},
};

static const struct sft_option step_options[] = {
    SFT_FIT_STEPS("50"),
    SFT_FIT_BATCH("64"),
    SFT_FIT_LR("1e-3", ""),
    SFT_FIT_MOMENTUM,
    SFT_FIT_WEIGHT_DECAY("1e-5"),
    SFT_FIT_SCHEDULE("constant"),
    SFT_FIT_OPTIMIZER("sam-norm"),
    SFT_FIT_RHO(NULL, " [0.5 from 120 pixels on, 0.1 below; asam 0.5, looksam 0.1]"),
    {"nesterov", SFT_OPTION_FLAG, offsetof(struct sft_fit_values, nesterov), .help = "Nesterov's momentum"},
    {"warmup", SFT_OPTION_INT, offsetof(struct sft_fit_values, warmup), .value = "N", .fallback = "0",
     .min = 0, .max = 1e9, .help = "steps over which the rate rises"},
    SFT_FIT_AUGMENT("none"),
    {"train-size", SFT_OPTION_INT, FIELD(train_size), .value = "PX", .fallback = "0", .min = 0, .max = 4096,
     .help = "side of the training images; 0: the model's"},
    CHOICE("train-params", train_params, train_params, "all", "which parameters are updated"),
    CHOICE("wd-norm", wd_norm, yes_no, "yes", "weight decay on the parameters of normalisation layers too"),
    SFT_FIT_DROPOUT,
    {0},
};

static const struct sft_option outlier_options[] = {
    {"lambda", SFT_OPTION_REAL, FIELD(lambda), .value = "X", .min = 0, .max = 1000,
     .help = "weight of the outliers' loss [1 from 120 pixels on, 0.25 below]"},
    CHOICE("ood-distance", distance, distances, "oe",
           "distance of an outlier's prediction from the uniform one"),
    {"energy-weight", SFT_OPTION_REAL, FIELD(energy_weight), .value = "X", .fallback = "0.1", .min = 0,
     .max = 1000, .help = "of --ood-distance energy: its weight"},
    {"energy-in", SFT_OPTION_REAL, FIELD(energy_in), .value = "X", .fallback = "-25", .min = -1e6, .max = 1e6,
     .help = "of --ood-distance energy: margin of ID images"},
    {"energy-out", SFT_OPTION_REAL, FIELD(energy_out), .value = "X", .fallback = "-7", .min = -1e6,
     .max = 1e6, .help = "of --ood-distance energy: margin of outliers"},
    {"ood-per-id", SFT_OPTION_INT, FIELD(ood_per_id), .value = "N", .fallback = "1", .min = 1, .max = 64,
     .help = "outliers for each ID image"},
    CHOICE(
        "ood-forward", ood_forward, ood_forwards, "joint",
        "outliers in one pass with the ID images, or in one of their own: batch norm tells the difference"),
    {"pseudo-mode", SFT_OPTION_CHOICE, FIELD(pseudo_mode), .value = "WORD", .choices = pseudo_modes,
     .help = "shuffles that make outliers: both on one image, on halves of the batch, on two images, either "
             "at random, "
             "one only, or no outliers [compose from 120 pixels on, jigsaw below]"},
    CHOICE("pseudo-source", pseudo_source, pseudo_sources, "same",
           "outliers from the step's own ID images, or others"),
    {"pseudo-ood", SFT_OPTION_TEXT, FIELD(pseudo_ood), .value = "SPEC",
     .help = "take the outliers from a data set instead of making them, as Outlier Exposure does"},
    {"jigsaw-sizes", SFT_OPTION_INTS, FIELD(jigsaw_sizes), .value = "N,N,...", .min = 1, .max = 4096,
     .help = "sizes to draw from [2,3,5,10,15,30,60 from 120 pixels on, 2,4,8,16 below]"},
    CHOICE("jigsaw-unit", jigsaw_unit, jigsaw_units, "px",
           "a size is a tile's side in pixels, or tiles in a row"),
    CHOICE("jigsaw-draw", jigsaw_draw, jigsaw_draws, "batch", "a size for each step, or for each image"),
    CHOICE("jigsaw-rest", jigsaw_rest, jigsaw_rests, "keep",
           "pixels that fill no tile stay, or become black"),
    CHOICE("rgb-identity", rgb_identity, rgb_identities, "allow",
           "may a channel shuffle leave the channels as they are"),
    {0},
};

static const struct sft_option sam_options[] = {
    CHOICE("norm-scope", norm_scope, norm_scopes, "all",
           "which parameters of normalisation layers are perturbed"),
    CHOICE("sam-first", sam_first, sam_firsts, "full", "loss whose gradient perturbs"),
    CHOICE("sam-empty", sam_empty, sam_empties, "error",
           "what to do with a model without normalisation layers"),
    CHOICE("sam-mask", sam_mask, sam_masks, "fresh", "dropout masks of the second pass"),
    CHOICE("bn-second", bn_second, bn_seconds, "freeze",
           "running statistics of batch norm in the second pass"),
    CHOICE("bn-mode", bn_mode, bn_modes, "train",
           "batch norm by the batch's statistics, or by the running ones"),
    {0},
};

static const struct sft_option eval_options[] = {
    {"eval-ood", SFT_OPTION_TEXTS, FIELD(eval_ood), .value = "NAME=SPEC",
     .help = "OOD set to evaluate on, before and after"},
    {"score", SFT_OPTION_TEXT, FIELD(score), .value = "LIST", .fallback = "energy,msp",
     .help = "scores to evaluate with, or all:", .list = sft_score_list},
    {"fpr-positive", SFT_OPTION_TEXT, FIELD(fpr_positive), .value = "NAME", .fallback = "id",
     .help = "convention of FPR95:", .list = sft_convention_list},
    {"eval-limit", SFT_OPTION_INT, FIELD(eval_limit), .value = "N", .fallback = "0", .min = 0, .max = 1e15,
     .help = "only the first N images of each set evaluated on; 0: all"},
    {"fit", SFT_OPTION_TEXT, FIELD(eval_fit), .value = "SPEC",
     .help = "images of the training kind, for the scores that need statistics of them: usually as --id"},
    {"fit-limit", SFT_OPTION_INT, FIELD(fit_limit), .value = "N", .fallback = "0", .min = 0, .max = 1e15,
     .help = "only the first N of them; 0: all"},
    {"seeds", SFT_OPTION_INT, FIELD(seeds), .value = "N", .fallback = "1", .min = 1, .max = 1000,
     .help = "N runs into seed-S of the folder, for S from --seed on; their mean and deviation in "
             "seeds.json, seeds.csv"},
    SFT_EVAL_RECALL(FIELD(recall)),
    SFT_EVAL_BOOTSTRAP(FIELD(bootstrap)),
    {"eval-batch", SFT_OPTION_INT, FIELD(eval_batch), .value = "N", .fallback = "100", .min = 1, .max = 65536,
     .help = "images at a time when evaluating"},
    CHOICE("trace", trace, traces, "none",
           "prop1: after each step, what the paper's Proposition 1 speaks of, as a line of prop1.jsonl; the "
           "sums into "
           "run.json"),
    {"probe", SFT_OPTION_INT, FIELD(probe), .value = "N", .fallback = "1000", .min = 1, .max = 1e9,
     .help =
         "of --trace: how many of the first ID images evaluated on, and of those of every --eval-ood set"},
    {0},
};

static const struct sft_option_group groups[] = {
    {"Model", model_options},
    {"Data", sft_fit_data_options},
    {"Run", sft_fit_run_options},
    {"Step", step_options},
    {"Outliers", outlier_options},
    {"Perturbation", sft_perturb_options},
    {"SAM", sam_options},
    {"Relatives of SAM", sft_relative_options},
    {"Evaluation", eval_options},
    {"Settings of scores", sft_score_options},
    {"Device", sft_device_options},
    {"General", sft_general_options},
    {0},
};

static const struct sft_example examples[] = {
    {"finetune --weights models/synthetic.safetensors --id synthetic --out runs/first",
     "50 steps on the built-in data set"},
    {"finetune --weights W.safetensors --id cifar10:DIR --eval-ood svhn=svhn:test_32x32.mat --out runs/sft",
     "with scores before and after, and a report"},
    {"finetune --weights W.safetensors --id cifar10:DIR --out runs/sft --resume",
     "goes on with a run that was stopped"},
    {"finetune --weights W.safetensors --id cifar10:DIR --pseudo-ood folder:outliers --out runs/oe",
     "with real outliers"},
    {"finetune --weights W.safetensors --id cifar10:DIR --eval-ood svhn=svhn:test_32x32.mat --seeds 5 --out "
     "runs/sft5",
     "five seeds, and how much they differ"},
    {0},
};

const struct sft_command sft_command_finetune = {
    .name = "finetune",
    .summary = "SFT, the main job: SAM on normalisation layers, with outliers made from the training images",
    .about = "The run's folder holds model.safetensors, run.json, metrics.jsonl, checkpoint.safetensors and "
             "report.html; with "
             "--eval-ood also results.json, results.csv and every image's score.",
    .examples = examples,
    .groups = groups,
    .values_size = sizeof(struct finetune),
    .run = run,
};
