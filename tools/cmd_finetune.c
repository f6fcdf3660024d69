/* SPDX-License-Identifier: Apache-2.0 */
/* The main job: SFT. Its options are in tools/cli/finetune_options.c. */
#include "tools/cli/finetune_options.h"
#include "tools/cli/show.h"
#include "tools/cli/terminal.h"

static enum sft_status run(const struct sft_args *args)
{
    struct sft_finetune_values *options = args->values;
    const struct sft_fit_words words = {.args = args, .typed = args};
    const struct sft_watch watch = sft_terminal_watch();
    const char *folder = options->job.training.out;
    struct sft_finetune_result result = {0};
    struct sft_finetune_job job;
    struct sft_device *device = NULL;
    enum sft_status status = sft_common_open_device(&options->common, &device);
    sft_finetune_take(&words, device, &job);
    if (status == SFT_OK) status = sft_finetune(&job, &watch, &result);
    if (status == SFT_OK) status = sft_show_finetune(&result, folder, options->common.json);
    sft_finetune_result_free(&result);
    sft_device_close(&device);
    return status;
}

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
             "report.html; with --eval-ood also results.json, results.csv and every image's score.",
    .examples = examples,
    .groups = sft_finetune_groups,
    .values_size = sizeof(struct sft_finetune_values),
    .init = sft_finetune_values_init,
    .run = run,
};
