/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ood/report/report.h"
#include "tools/cli/common.h"
#include "tools/cli/terminal.h"
#include "tools/jobs/eval_sets.h"

struct eval {
    struct sft_common common;
    const char *weights, *model, *id, *score, *fpr_positive, *fit, *calibration, *out;
    struct sft_texts ood;
    int64_t limit, fit_limit, batch, bootstrap, seed;
    double recall;
    bool overwrite;
};

struct job {
    const struct sft_args *args;
    const struct eval *options;
    struct sft_device *device;
    struct sft_model *model;
    struct sft_eval_sets sets;
    struct sft_run run;
};

static enum sft_status open_job(struct job *job)
{
    const struct eval *options = job->options;
    struct sft_model_config config = {.name = options->model};
    struct sft_dataset *id;
    if (!options->ood.count)
        return sft_fail(SFT_USAGE, "eval: needs at least one --ood NAME=SPEC to tell the ID images from");
    if (options->out) SFT_TRY(sft_run_check(options->out, options->overwrite));
    SFT_TRY(sft_common_open_device(&options->common, &job->device));
    SFT_TRY(sft_model_open(job->device, options->weights, &config, &job->model));
    SFT_TRY(sft_dataset_open(options->id, &id));
    if (options->limit) sft_dataset_limit(id, options->limit);
    return sft_eval_sets_open(id, job->model,
                              &(struct sft_eval_request){.common = &options->common,
                                                         .ood = &options->ood,
                                                         .scores = options->score,
                                                         .convention = options->fpr_positive,
                                                         .fit = options->fit,
                                                         .calibration = options->calibration,
                                                         .fit_limit = options->fit_limit,
                                                         .limit = options->limit,
                                                         .measure = {.recall = options->recall,
                                                                     .replicates = (int)options->bootstrap,
                                                                     .seed = (uint64_t)options->seed},
                                                         .batch = (int)options->batch},
                              &job->sets);
}

static enum sft_status begin_run(struct job *job)
{
    const struct eval *options = job->options;
    if (!options->out) return SFT_OK;
    SFT_TRY(sft_run_begin(job->args, options->out, options->overwrite, &job->run));
    sft_run_note_device(&job->run, job->device);
    sft_run_note(&job->run, "architecture", json_string(job->model->variant->name));
    sft_eval_sets_note(&job->sets, &job->run);
    return sft_run_note_file(&job->run, "weights", options->weights);
}

static enum sft_status show(const struct job *job)
{
    char path[SFT_RUN_PATH];
    if (job->options->common.json) return sft_print_json(sft_results_to_json(&job->sets.results));
    SFT_TRY(sft_results_print(&job->sets.results, stdout));
    if (job->options->out) printf("\n%s\n", sft_run_path(&job->run, "report.html", path));
    return SFT_OK;
}

static enum sft_status do_job(struct job *job)
{
    SFT_TRY(open_job(job));
    SFT_TRY(begin_run(job));
    SFT_TRY(sft_eval_sets_run(&job->sets, job->model, SFT_BEFORE));
    if (job->options->out) SFT_TRY(sft_eval_sets_write(&job->sets, &job->run));
    return show(job);
}

static enum sft_status run(const struct sft_args *args)
{
    struct job job = {.args = args, .options = args->values};
    enum sft_status status = sft_run_end(&job.run, do_job(&job));
    if (status == SFT_OK && job.options->out) status = sft_report_from_folder(job.options->out);
    sft_eval_sets_close(&job.sets);
    sft_model_destroy(&job.model);
    sft_device_close(&job.device);
    return status;
}

#define FIELD(member) offsetof(struct eval, member)

static const struct sft_option eval_options[] = {
    {"weights", SFT_OPTION_TEXT, FIELD(weights), .value = "FILE", .required = true,
     .help = "checkpoint of the classifier"},
    {"model", SFT_OPTION_TEXT, FIELD(model), .value = "NAME",
     .help = "its architecture, when the file does not tell:", .list = sft_model_list},
    {"id", SFT_OPTION_TEXT, FIELD(id), .value = "SPEC", .required = true,
     .help = "the model's own kind of images; with labels also the accuracy is printed",
     .list = sft_data_formats},
    {"ood", SFT_OPTION_TEXTS, FIELD(ood), .value = "NAME=SPEC", .help = "other images"},
    {"limit", SFT_OPTION_INT, FIELD(limit), .value = "N", .fallback = "0", .min = 0, .max = 1e15,
     .help = "only the first N images of each set; 0: all"},
    {"score", SFT_OPTION_TEXT, FIELD(score), .value = "LIST", .fallback = "msp,energy",
     .help = "scores, or all:", .list = sft_score_list},
    {"fit", SFT_OPTION_TEXT, FIELD(fit), .value = "SPEC",
     .help = "images of the training kind, for the scores that need statistics of them: usually the training "
             "set"},
    {"calibration", SFT_OPTION_TEXT, FIELD(calibration), .value = "FILE",
     .help = "statistics and settings of scores from `sft-vk calibrate`, in place of --fit for those in it"},
    {"fit-limit", SFT_OPTION_INT, FIELD(fit_limit), .value = "N", .fallback = "0", .min = 0, .max = 1e15,
     .help = "only the first N of them; 0: all"},
    {"fpr-positive", SFT_OPTION_TEXT, FIELD(fpr_positive), .value = "NAME", .fallback = "id",
     .help = "convention of FPR95:", .list = sft_convention_list},
    SFT_EVAL_RECALL(FIELD(recall)),
    SFT_EVAL_BOOTSTRAP(FIELD(bootstrap)),
    {"seed", SFT_OPTION_INT, FIELD(seed), .value = "N", .fallback = "0", .min = 0, .max = 9007199254740991.0,
     .help = "of the bootstrap"},
    {"batch", SFT_OPTION_INT, FIELD(batch), .value = "N", .fallback = "100", .min = 1, .max = 65536,
     .help = "images at a time"},
    {"out", SFT_OPTION_TEXT, FIELD(out), .value = "DIR",
     .help = "folder for results, scores of every image and the report"},
    {"overwrite", SFT_OPTION_FLAG, FIELD(overwrite),
     .help = "take the place of an earlier run in that folder"},
    {0},
};

static const struct sft_option_group groups[] = {
    {"Options", eval_options},
    {"Settings of scores", sft_score_options},
    {"Device", sft_device_options},
    {"General", sft_general_options},
    {0},
};

static const struct sft_example examples[] = {
    {"eval --weights models/synthetic.safetensors --id synthetic#test --ood letters=synthetic:letters --out "
     "runs/eval",
     "the built-in model on built-in data"},
    {"eval --weights W.safetensors --id cifar10:DIR#test --ood svhn=svhn:test_32x32.mat --fit "
     "cifar10:DIR#train "
     "--score all --json",
     "every score, as JSON"},
    {"eval --weights W.safetensors --id cifar10:DIR#test --ood svhn=svhn:test_32x32.mat --recall 0.9 "
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
    .run = run,
};
