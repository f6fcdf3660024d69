/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/calibrate.h"

#include <stdio.h>

#include "tools/cli/score_options.h"
#include "tools/cli/terminal.h"

struct calibrate {
    struct sft_common common;
    struct sft_calibrate_job job;
};

static enum sft_status print_json(const struct sft_calibration *calibration, const char *path)
{
    struct sft_json json = {0};
    sft_json_object(&json, NULL);
    sft_json_text(&json, "out", path);
    sft_json_real(&json, "recall", calibration->recall);
    sft_json_integer(&json, "images", calibration->images);
    sft_json_object(&json, "thresholds");
    for (int i = 0; i < calibration->n; i++)
        sft_json_real(&json, calibration->scorers[i].score->name, calibration->thresholds[i]);
    sft_json_end(&json);
    sft_json_end(&json);
    return sft_print_json(&json);
}

static enum sft_status show(const struct calibrate *options, const struct sft_calibration *calibration)
{
    if (options->common.json) return print_json(calibration, options->job.out);
    for (int i = 0; i < calibration->n; i++)
        sft_print_line("%s: in-distribution from %.6g on", calibration->scorers[i].score->title,
                       calibration->thresholds[i]);
    sft_print_line("%s", options->job.out);
    return SFT_OK;
}

static enum sft_status run(const struct sft_args *args)
{
    const struct calibrate *options = args->values;
    const struct sft_watch watch = sft_terminal_watch();
    struct sft_calibrate_job job = options->job;
    struct sft_calibration calibration = {0};
    enum sft_status status = sft_common_open_device(&options->common, &job.model.device);
    job.knobs = options->common.knobs;
    if (status == SFT_OK) status = sft_calibrate(&job, &watch, &calibration);
    if (status == SFT_OK) status = show(options, &calibration);
    sft_calibration_free(&calibration);
    sft_device_close(&job.model.device);
    return status;
}

#define FIELD(member) SFT_FIELD(struct calibrate, job.member)

static const struct sft_option calibrate_options[] = {
    {"weights", SFT_OPTION_TEXT, FIELD(model.weights), .value = "FILE", .required = true,
     .help = "checkpoint of the classifier"},
    {"model", SFT_OPTION_TEXT, FIELD(model.variant), .value = "NAME",
     .help = "its architecture, when the file does not tell:", .list = sft_model_list},
    SFT_CLASS_ORDER_OPTION(struct calibrate, job.model),
    SFT_CHANNEL_OPTIONS(struct calibrate, job.model),
    SFT_SIZE_OPTIONS(struct calibrate, job.model),
    SFT_FRAMING_OPTIONS(struct calibrate, job.model),
    {"id", SFT_OPTION_TEXT, FIELD(id), .value = "SPEC", .required = true,
     .help = "the model's own kind of images, best such as it was not trained on: they set the threshold",
     .list = sft_data_formats},
    {"limit", SFT_OPTION_INT, FIELD(limit), .value = "N", .min = 0, .max = 1e15,
     .help = "only the first N of them; 0: all"},
    {"fit", SFT_OPTION_TEXT, FIELD(fit), .value = "SPEC",
     .help =
         "images of the training kind, for the scores that need statistics of them; otherwise those of --id"},
    {"fit-limit", SFT_OPTION_INT, FIELD(fit_limit), .value = "N", .min = 0, .max = 1e15,
     .help = "only the first N of them; 0: all"},
    SFT_SKIP_BAD_OPTION(FIELD(skip_bad)),
    {"score", SFT_OPTION_TEXT, FIELD(scores), .value = "LIST",
     .help = "scores; the first is the one that verdicts go by:", .list = sft_score_list},
    {"recall", SFT_OPTION_REAL, FIELD(recall), .value = "X", .min = 0.001, .max = 1,
     .help = "share of the --id images to recognise"},
    {"batch", SFT_OPTION_INT, FIELD(batch), .value = "N", .min = 1, .max = 65536, .help = "images at a time"},
    {"out", SFT_OPTION_TEXT, FIELD(out), .value = "FILE", .required = true,
     .help = "calibration file to write"},
    {"overwrite", SFT_OPTION_FLAG, FIELD(overwrite), .help = "take the place of such a file"},
    {0},
};

static const struct sft_option_group groups[] = {
    {"Options", calibrate_options},
    {"Settings of scores", sft_score_options},
    {"Device", sft_device_options},
    {"General", sft_general_options},
    {0},
};

static void init(void *values)
{
    struct calibrate *options = values;
    sft_common_init(&options->common);
    sft_score_options_defaults(&options->common);
    sft_calibrate_job_init(&options->job);
}

static const struct sft_example examples[] = {
    {"calibrate --weights W.safetensors --id 'cifar10:DIR#train[45000:]' --score energy --out energy.cal",
     "a threshold that 95 % of those images reach"},
    {"predict --weights W.safetensors --calibration energy.cal --images folder:photographs",
     "is each photograph one that the classifier was made for?"},
    {0},
};

const struct sft_command sft_command_calibrate = {
    .name = "calibrate",
    .summary =
        "Fits thresholds and statistics of scores on ID images, for `predict` to tell others from them",
    .examples = examples,
    .groups = groups,
    .values_size = sizeof(struct calibrate),
    .init = init,
    .run = run,
};
