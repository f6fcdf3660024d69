/* SPDX-License-Identifier: Apache-2.0 */
/* Training from random weights or on from given ones: the loop of `finetune` with other numbers, without
 * outliers. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ood/report/report.h"
#include "runtime/base/log.h"
#include "tools/cli/terminal.h"
#include "tools/jobs/eval_sets.h"
#include "tools/jobs/fit_run.h"
#include "tools/jobs/mos_groups.h"

struct train {
    struct sft_fit_values fit;
    const char *model, *weights, *mos_groups;
    double epochs;
    int64_t gn_groups;
};

struct job {
    const struct sft_args *args;
    struct train *options;
    struct sft_device *device;
    struct sft_model *model;
    struct sft_dataset *id, *test;
    const struct sft_optimizer *optimizer;
    struct sft_run run;
};

/* --steps, or as many as make --epochs. */
static void resolve_steps(struct job *job)
{
    struct train *options = job->options;
    double batches = (double)sft_dataset_count(job->id) / (double)options->fit.batch;
    if (sft_args_given(job->args, "steps")) return;
    options->fit.steps = (int64_t)(options->epochs * batches + 0.5);
    if (options->fit.steps < 1) options->fit.steps = 1;
}

static enum sft_status read_model(struct job *job, const struct sft_model_config *config)
{
    if (job->options->mos_groups)
        return sft_fail(SFT_USAGE,
                        "--mos-groups: is for a new --model; --weights have a classifier already, with the "
                        "groups that it was trained with");
    SFT_TRY(sft_model_open(job->device, job->options->weights, config, &job->model));
    return sft_fit_check_classes(job->id, job->model);
}

/* With a grouped classifier where --mos-groups says so. */
static enum sft_status new_model(struct job *job, struct sft_model_config *config)
{
    struct train *options = job->options;
    char *groups = NULL;
    enum sft_status status;
    if (!options->model)
        return sft_fail(SFT_USAGE,
                        "train: --model NAME or --weights FILE is missing; --help lists the models");
    if (options->mos_groups) SFT_TRY(sft_mos_groups_read(options->mos_groups, job->id, &groups));
    config->classes = sft_dataset_classes(job->id);
    config->mos_groups = groups;
    status = sft_model_create(job->device, config, &job->model);
    free(groups);
    SFT_TRY(status);
    return sft_parameters_init(&job->model->parameters, (uint64_t)options->fit.seed);
}

/* The model with random weights, or with those of --weights. */
static enum sft_status make_model(struct job *job)
{
    struct train *options = job->options;
    struct sft_model_config config = {.name = options->model, .gn_groups = (int)options->gn_groups};
    return options->weights ? read_model(job, &config) : new_model(job, &config);
}

static enum sft_status open_job(struct job *job)
{
    struct train *options = job->options;
    SFT_TRY(sft_find_optimizer(options->fit.optimizer, &job->optimizer));
    sft_fit_default_rho(job->args, job->optimizer, options->fit.rho, &options->fit);
    SFT_TRY(sft_fit_check_out(&options->fit));
    SFT_TRY(sft_common_open_device(&options->fit.common, &job->device));
    SFT_TRY(sft_fit_open_id(&options->fit, &job->id));
    SFT_TRY(sft_fit_open_eval_id(&options->fit, &job->test));
    resolve_steps(job);
    SFT_TRY(make_model(job));
    return job->test ? sft_fit_check_classes(job->test, job->model) : SFT_OK;
}

static enum sft_status begin_run(struct job *job)
{
    const struct train *options = job->options;
    SFT_TRY(sft_run_begin(job->args, options->fit.out, options->fit.overwrite && !options->fit.resume,
                          &job->run));
    sft_run_note_device(&job->run, job->device);
    sft_run_note(&job->run, "architecture", json_string(job->model->variant->name));
    sft_run_note(&job->run, "id_data", sft_dataset_json(job->id));
    if (options->mos_groups) SFT_TRY(sft_run_note_file(&job->run, "mos_groups", options->mos_groups));
    return options->weights ? sft_run_note_file(&job->run, "weights", options->weights) : SFT_OK;
}

static enum sft_status fit(struct job *job)
{
    struct train *options = job->options;
    struct sft_fit_params params;
    const char *groups = job->model->groups ? job->model->groups->text : NULL;
    const char *extra = options->weights ? sft_run_file_sha256(&job->run, "weights") : groups ? groups : "";
    char identity[65];
    sft_fit_params_init(&options->fit, job->model, job->id, &params);
    params.step.optimizer = job->optimizer;
    SFT_TRY(sft_fit_identity(job->args, job->id, extra, identity));
    params.identity = identity;
    sft_log(SFT_LOG_INFO, "%s: %" PRId64 " steps of %" PRId64 " images", job->model->variant->name,
            options->fit.steps, options->fit.batch);
    return sft_fit_run(&options->fit, job->model, &params, NULL, &job->run);
}

static enum sft_status show(struct job *job)
{
    char path[SFT_RUN_PATH];
    double accuracy = 0;
    json_t *json_accuracy = json_null();
    if (job->test) {
        SFT_TRY(sft_accuracy(job->model, job->test, 100, &accuracy));
        json_accuracy = json_real(accuracy);
        sft_run_note(&job->run, "accuracy", json_real(accuracy));
    }
    sft_run_path(&job->run, "model.safetensors", path);
    if (job->options->fit.common.json)
        return sft_print_json(
            json_pack("{s:s, s:s, s:o}", "out", job->run.folder, "model", path, "accuracy", json_accuracy));
    json_decref(json_accuracy);
    if (job->test) printf("accuracy on %s: %.2f %%\n", sft_dataset_spec(job->test), 100 * accuracy);
    printf("%s\n", path);
    return SFT_OK;
}

static enum sft_status do_job(struct job *job)
{
    SFT_TRY(open_job(job));
    SFT_TRY(begin_run(job));
    SFT_TRY(fit(job));
    return show(job);
}

static enum sft_status run(const struct sft_args *args)
{
    struct job job = {.args = args, .options = args->values};
    enum sft_status status = sft_run_end(&job.run, do_job(&job));
    if (status == SFT_OK) status = sft_report_from_folder(job.options->fit.out);
    sft_dataset_close(&job.test);
    sft_dataset_close(&job.id);
    sft_model_destroy(&job.model);
    sft_device_close(&job.device);
    return status;
}

static const struct sft_option model_options[] = {
    {"model", SFT_OPTION_TEXT, offsetof(struct train, model), .value = "NAME",
     .help = "what to train:", .list = sft_model_list},
    {"weights", SFT_OPTION_TEXT, offsetof(struct train, weights), .value = "FILE",
     .help = "weights to go on from; otherwise random ones"},
    {"gn-groups", SFT_OPTION_INT, offsetof(struct train, gn_groups), .value = "N", .fallback = "0", .min = 0,
     .max = 4096, .help = "groups of every group norm; 0: the model's own rule"},
    {"mos-groups", SFT_OPTION_TEXT, offsetof(struct train, mos_groups), .value = "FILE",
     .help = "give a new model the grouped classifier of the score mos; FILE has a line a group, with commas "
             "between "
             "its classes' names or numbers. Of the other scores such a model has those that look at "
             "features alone"},
    {0},
};

static const struct sft_option step_options[] = {
    {"epochs", SFT_OPTION_REAL, offsetof(struct train, epochs), .value = "N", .fallback = "30", .min = 0.001,
     .max = 1e6, .help = "times through the data"},
    SFT_FIT_STEPS(NULL),
    SFT_FIT_BATCH("128"),
    SFT_FIT_LR("0.1", ", the peak of the schedule"),
    SFT_FIT_MOMENTUM,
    SFT_FIT_WEIGHT_DECAY("5e-4"),
    SFT_FIT_SCHEDULE("onecycle"),
    {"warmup", SFT_OPTION_INT, offsetof(struct sft_fit_values, warmup), .value = "N", .fallback = "0",
     .min = 0, .max = 1e9, .help = "steps over which the rate rises; 0: none, or 30 % of a onecycle"},
    SFT_FIT_OPTIMIZER("sgd"),
    SFT_FIT_RHO("0.05", "; asam 0.5, looksam 0.1"),
    {"nesterov", SFT_OPTION_FLAG, offsetof(struct sft_fit_values, nesterov), .help = "Nesterov's momentum"},
    SFT_FIT_AUGMENT("crop-flip"),
    SFT_FIT_DROPOUT,
    {0},
};

static const struct sft_option_group groups[] = {
    {"Model", model_options},
    {"Data", sft_fit_data_options},
    {"Run", sft_fit_run_options},
    {"Step", step_options},
    {"Perturbation", sft_perturb_options},
    {"Relatives of SAM", sft_relative_options},
    {"Device", sft_device_options},
    {"General", sft_general_options},
    {0},
};

static const struct sft_example examples[] = {
    {"train --model resnetv2_20_gn --id synthetic --epochs 5 --out runs/base",
     "a small model on the built-in data set"},
    {"train --model resnetv2_20_gn --id cifar10:DIR --out runs/cifar",
     "CIFAR-10; the accuracy on its test batch is printed"},
    {"train --model resnetv2_20_gn --id cifar10:DIR --mos-groups groups.txt --out runs/mos",
     "groups.txt: two lines, \"airplane, automobile, ship, truck\" and \"bird, cat, deer, dog, frog, "
     "horse\""},
    {"train --weights runs/cifar/model.safetensors --id cifar10:DIR --lr 0.05 --out runs/longer",
     "further epochs for a trained model"},
    {0},
};

const struct sft_command sft_command_train = {
    .name = "train",
    .summary = "Trains a model, for a classifier to start from where none is to be had",
    .examples = examples,
    .groups = groups,
    .values_size = sizeof(struct train),
    .run = run,
};
