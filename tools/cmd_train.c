/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/train.h"

#include <stdio.h>

#include "tools/cli/fit_options.h"
#include "tools/cli/terminal.h"

struct train {
    struct sft_common common;
    bool no_augment;
    struct sft_train_job job;
};
SFT_ASSERT_FIT_VALUES(struct train, job);

static enum sft_status print_json(const struct train *options, const struct sft_train_result *result,
                                  const char *model)
{
    struct sft_json json = {0};
    sft_json_object(&json, NULL);
    sft_json_text(&json, "out", options->job.training.out);
    sft_json_text(&json, "model", model);
    sft_json_real(&json, "accuracy", result->accuracy);
    sft_json_end(&json);
    return sft_print_json(&json);
}

static enum sft_status show(const struct train *options, const struct sft_train_result *result)
{
    char path[SFT_RUN_PATH];
    sft_run_file(options->job.training.out, SFT_FILE_MODEL, path);
    if (options->common.json) return print_json(options, result, path);
    if (*result->test) sft_print_line("accuracy on %s: %.2f %%", result->test, 100 * result->accuracy);
    sft_print_line("%s", path);
    return SFT_OK;
}

static enum sft_status run(const struct sft_args *args)
{
    struct train *options = args->values;
    const struct sft_fit_words words = {.args = args, .typed = args};
    const struct sft_watch watch = sft_terminal_watch();
    struct sft_train_job job = options->job;
    struct sft_train_result result;
    struct sft_device *device = NULL;
    enum sft_status status = sft_common_open_device(&options->common, &device);
    sft_fit_take(&words, device, &job.training);
    if (status == SFT_OK) status = sft_train(&job, &watch, &result);
    if (status == SFT_OK) status = show(options, &result);
    sft_device_close(&device);
    return status;
}

#define FIELD(member) SFT_FIELD(struct train, job.member)

static const struct sft_option model_options[] = {
    {"model", SFT_OPTION_TEXT, FIELD(training.model.variant), .value = "NAME", .incidental = true,
     .help = "what to train:", .list = sft_model_list},
    {"weights", SFT_OPTION_TEXT, FIELD(training.model.weights), .value = "FILE", .incidental = true,
     .help = "weights to go on from; otherwise random ones"},
    {"gn-groups", SFT_OPTION_INT, FIELD(training.model.gn_groups), .value = "N", .min = 0, .max = 4096,
     .incidental = true, .help = "groups of every group norm; 0: the model's own rule"},
    SFT_CLASS_ORDER_OPTION(struct train, job.training.model),
    SFT_CHANNEL_OPTIONS(struct train, job.training.model),
    SFT_SIZE_OPTIONS(struct train, job.training.model),
    SFT_FRAMING_OPTIONS(struct train, job.training.model),
    {"mos-groups", SFT_OPTION_TEXT, FIELD(mos_groups), .value = "FILE", .incidental = true,
     .help = "give a new model the grouped classifier of the score mos; FILE has a line a group, with commas "
             "between its classes' names or numbers. Of the other scores such a model has those that look at "
             "features alone"},
    {0},
};

static const struct sft_option training_options[] = {
    {"epochs", SFT_OPTION_REAL, FIELD(epochs), .value = "N", .min = 0, .max = 1e6, .incidental = true,
     .help = "times through the data, where --steps does not say how long; 0 writes the initial weights"},
    {"dropout", SFT_OPTION_CHOICE, FIELD(training.params.step.no_dropout), .value = "WORD",
     .choices = sft_on_off, .help = "dropout of models that have it"},
    {0},
};

static const struct sft_option_group groups[] = {
    {"Model", model_options},
    {"Data", sft_fit_data_options},
    {"Run", sft_fit_run_options},
    {"Training", training_options},
    {"Step", sft_fit_step_options},
    {"Perturbation", sft_fit_perturb_options},
    {"Relatives of SAM", sft_fit_relative_options},
    {"Device", sft_device_options},
    {"General", sft_general_options},
    {0},
};

static void init(void *values)
{
    struct train *options = values;
    sft_common_init(&options->common);
    sft_train_job_init(&options->job);
}

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
    .init = init,
    .run = run,
};
