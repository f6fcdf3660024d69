/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/eval.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/cli/score_options.h"
#include "tools/cli/terminal.h"

struct eval {
    struct sft_common common;
    struct sft_eval_job job;
};

static enum sft_status show(const struct eval *options, const struct sft_results *results)
{
    struct sft_json json = {0};
    char path[SFT_RUN_PATH];
    if (options->common.json) {
        sft_json_value(&json, NULL, sft_results_to_json(results));
        return sft_print_json(&json);
    }
    SFT_TRY(sft_results_print(results, stdout));
    if (!options->job.out) return SFT_OK;
    sft_print_line("%s", "");
    sft_print_line("%s", sft_run_file(options->job.out, SFT_FILE_REPORT, path));
    return SFT_OK;
}

static enum sft_status run(const struct sft_args *args)
{
    const struct eval *options = args->values;
    const struct sft_watch watch = sft_terminal_watch();
    struct sft_eval_job job = options->job;
    struct sft_run_words words = {NULL, NULL, NULL};
    struct sft_results results = {0};
    enum sft_status status = sft_args_describe(args, args, &words);
    job.record = words.record;
    job.request.knobs = options->common.knobs;
    if (status == SFT_OK) status = sft_common_open_device(&options->common, &job.model.device);
    if (status == SFT_OK) status = sft_eval(&job, &watch, &results);
    if (status == SFT_OK) status = show(options, &results);
    sft_results_free(&results);
    sft_device_close(&job.model.device);
    sft_run_words_free(&words);
    return status;
}

#define FIELD(member) SFT_FIELD(struct eval, job.member)

static const struct sft_option eval_options[] = {
    {"weights", SFT_OPTION_TEXT, FIELD(model.weights), .value = "FILE", .required = true,
     .help = "checkpoint of the classifier"},
    {"model", SFT_OPTION_TEXT, FIELD(model.variant), .value = "NAME",
     .help = "its architecture, when the file does not tell:", .list = sft_model_list},
    SFT_CLASS_ORDER_OPTION(struct eval, job.model),
    SFT_CHANNEL_OPTIONS(struct eval, job.model),
    SFT_SIZE_OPTIONS(struct eval, job.model),
    SFT_FRAMING_OPTIONS(struct eval, job.model),
    {"id", SFT_OPTION_TEXT, FIELD(id), .value = "SPEC", .required = true,
     .help = "the model's own kind of images; with labels also the accuracy is printed",
     .list = sft_data_formats},
    {"ood", SFT_OPTION_SETS, FIELD(request.ood), .value = "NAME=SPEC", .help = "other images"},
    {"limit", SFT_OPTION_INT, FIELD(request.limit), .value = "N", .min = 0, .max = 1e15,
     .help = "only the first N images of each set; 0: all"},
    SFT_SKIP_BAD_OPTION(FIELD(skip_bad)),
    {"score", SFT_OPTION_TEXT, FIELD(request.scores), .value = "LIST",
     .help = "scores, or all:", .list = sft_score_list},
    {"fit", SFT_OPTION_TEXT, FIELD(request.fit), .value = "SPEC",
     .help = "images of the training kind, for the scores that need statistics of them: usually the training "
             "set"},
    {"calibration", SFT_OPTION_TEXT, FIELD(request.calibration), .value = "FILE",
     .help = "statistics and settings of scores from `sft-vk calibrate`, in place of --fit for those in it"},
    {"fit-limit", SFT_OPTION_INT, FIELD(request.fit_limit), .value = "N", .min = 0, .max = 1e15,
     .help = "only the first N of them; 0: all"},
    {"fpr-positive", SFT_OPTION_TEXT, FIELD(request.convention), .value = "NAME",
     .help = "convention of FPR95:", .list = sft_convention_list},
    {"recall", SFT_OPTION_REAL, FIELD(request.measure.recall), .value = "X", .min = 0.001, .max = 1,
     .help = "FPR is taken where this share of the positives is recognised"},
    {"bootstrap", SFT_OPTION_INT, FIELD(request.measure.replicates), .value = "N", .min = 0,
     .max = SFT_MAX_REPLICATES, .help = "replicates for 95 % intervals of FPR and AUROC; 0: none"},
    {"seed", SFT_OPTION_INT, FIELD(request.measure.seed), .value = "N", .min = 0, .max = 9007199254740991.0,
     .help = "of the bootstrap"},
    {"batch", SFT_OPTION_INT, FIELD(request.batch), .value = "N", .min = 1, .max = 65536,
     .help = "images at a time"},
    {"out", SFT_OPTION_TEXT, FIELD(out), .value = "DIR",
     .help = "folder for results, scores of every image and the report"},
    {"overwrite", SFT_OPTION_FLAG, FIELD(overwrite),
     .help =
         "take the place of an earlier run in that folder, whose results stay until the new ones are whole"},
    {0},
};

static const struct sft_option_group groups[] = {
    {"Options", eval_options},
    {"Settings of scores", sft_score_options},
    {"Device", sft_device_options},
    {"General", sft_general_options},
    {0},
};

static void init(void *values)
{
    struct eval *options = values;
    sft_common_init(&options->common);
    sft_score_options_defaults(&options->common);
    sft_eval_job_init(&options->job);
}

static const struct sft_example examples[] = {
    {"eval --weights models/synthetic.safetensors --id 'synthetic#test' --ood letters=synthetic:letters "
     "--out runs/eval",
     "the built-in model on built-in data"},
    {"eval --weights W.safetensors --id 'cifar10:DIR#test' --ood svhn=svhn:test_32x32.mat --fit "
     "'cifar10:DIR#train' --score all --json",
     "every score, as JSON"},
    {"eval --weights W.safetensors --id 'cifar10:DIR#test' --ood svhn=svhn:test_32x32.mat --recall 0.9 "
     "--bootstrap 1000",
     "FPR at another recall, with 95 % intervals"},
    {0},
};

const struct sft_command sft_command_eval = {
    .name = "eval",
    .summary = "Scores ID and OOD sets, prints the table, writes the report",
    .examples = examples,
    .groups = groups,
    .values_size = sizeof(struct eval),
    .init = init,
    .run = run,
};
