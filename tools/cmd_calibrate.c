/* SPDX-License-Identifier: Apache-2.0 */
/* The threshold of scores and the statistics they need, fitted on ID images into one file for `predict`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ood/calibration.h"
#include "ood/evaluate.h"
#include "runtime/base/alloc.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/score_options.h"
#include "tools/cli/terminal.h"

struct calibrate {
    struct sft_common common;
    const char *weights, *model, *id, *fit, *score, *out;
    double recall;
    int64_t limit, fit_limit, batch;
    bool overwrite;
};

struct job {
    const struct calibrate *options;
    struct sft_device *device;
    struct sft_model *model;
    struct sft_dataset *id, *fit;
    struct sft_calibration calibration;
};

static enum sft_status open_set(const char *spec, int64_t limit, struct sft_dataset **set)
{
    SFT_TRY(sft_dataset_open(spec, set));
    if (limit) sft_dataset_limit(*set, limit);
    return SFT_OK;
}

static enum sft_status make_scorers(struct job *job)
{
    const struct sft_score **scores;
    enum sft_status status;
    SFT_TRY(sft_score_parse(job->options->score, &scores, &job->calibration.n));
    status = sft_scorers_create(&job->options->common, job->model, scores, job->calibration.n,
                                &job->calibration.scorers);
    for (int i = 0; status == SFT_OK && i < job->calibration.n; i++) {
        const char *misfit = sft_scorer_misfit(&job->calibration.scorers[i], job->model);
        if (misfit) status = sft_fail(SFT_USAGE, "--score %s: %s", scores[i]->name, misfit);
    }
    free(scores);
    SFT_TRY(status);
    job->calibration.thresholds = sft_calloc((size_t)job->calibration.n, sizeof(double));
    return job->calibration.thresholds ? SFT_OK : SFT_MEMORY;
}

static enum sft_status open_job(struct job *job)
{
    const struct calibrate *options = job->options;
    struct sft_model_config config = {.name = options->model};
    if (!options->overwrite && access(options->out, F_OK) == 0)
        return sft_fail(SFT_USAGE, "--out %s: is there already; name another file, or say --overwrite",
                        options->out);
    SFT_TRY(sft_common_open_device(&options->common, &job->device));
    SFT_TRY(sft_model_open(job->device, options->weights, &config, &job->model));
    SFT_TRY(make_scorers(job));
    SFT_TRY(open_set(options->id, options->limit, &job->id));
    if (options->fit) return open_set(options->fit, options->fit_limit, &job->fit);
    return open_set(options->id, options->fit_limit ? options->fit_limit : options->limit, &job->fit);
}

static void progress(void *context, const char *set, int64_t done, int64_t count)
{
    (void)context;
    sft_progress(done, count, "%s: %" PRId64 " of %" PRId64 " images", set, done, count);
}

/* Thresholds from the scores of the ID images. */
static enum sft_status find_thresholds(struct job *job, const struct sft_collected *collected)
{
    struct sft_head head;
    float *scores = sft_calloc((size_t)collected->outputs.n, sizeof(*scores));
    enum sft_status status = sft_head_read(job->model, &head);
    if (!scores) status = SFT_MEMORY;
    for (int i = 0; status == SFT_OK && i < job->calibration.n; i++) {
        struct sft_scorer *scorer = &job->calibration.scorers[i];
        struct sft_outputs outputs = sft_collected_for(collected, i);
        if (sft_scorer_needs(scorer) & SFT_NEEDS_FIT_ON_ID) status = sft_scorer_fit(scorer, &outputs, &head);
        if (status == SFT_OK) status = sft_scorer_compute(scorer, &outputs, &head, scores);
        if (status == SFT_OK)
            status = sft_calibration_threshold(outputs.n, scores, job->options->recall,
                                               &job->calibration.thresholds[i]);
    }
    sft_head_free(&head);
    free(scores);
    return status;
}

static enum sft_status calibrate(struct job *job)
{
    const struct sft_evaluation evaluation = {.id = job->id,
                                              .fit = job->fit,
                                              .scorers = job->calibration.scorers,
                                              .n_scorers = job->calibration.n,
                                              .batch = (int)job->options->batch,
                                              .stop = sft_interrupt_flag(),
                                              .progress = progress};
    struct sft_collected collected;
    enum sft_status status;
    SFT_TRY(sft_evaluate_fit(job->model, &evaluation, NULL));
    SFT_TRY(sft_collect(job->model, job->id, SFT_IMAGES_ID, "id", &evaluation, 0, &collected));
    status = find_thresholds(job, &collected);
    job->calibration.images = collected.outputs.n;
    sft_collected_free(&collected);
    return status;
}

/* What the file tells about the model's classes, where the data has names for them. */
static enum sft_status note_classes(struct job *job)
{
    struct sft_calibration *calibration = &job->calibration;
    if (sft_dataset_classes(job->id) != job->model->classes) return SFT_OK;
    calibration->class_names = sft_calloc((size_t)job->model->classes, sizeof(*calibration->class_names));
    if (!calibration->class_names) return SFT_MEMORY;
    for (; calibration->classes < job->model->classes; calibration->classes++) {
        char *name = sft_strdup(sft_dataset_class_name(job->id, calibration->classes));
        if (!name) return SFT_MEMORY;
        calibration->class_names[calibration->classes] = name;
    }
    return SFT_OK;
}

static enum sft_status show(const struct job *job)
{
    const struct sft_calibration *calibration = &job->calibration;
    json_t *thresholds = json_object();
    for (int i = 0; i < calibration->n; i++) {
        if (!job->options->common.json)
            printf("%s: in-distribution from %.6g on\n", calibration->scorers[i].score->title,
                   calibration->thresholds[i]);
        json_object_set_new(thresholds, calibration->scorers[i].score->name,
                            json_real(calibration->thresholds[i]));
    }
    if (job->options->common.json)
        return sft_print_json(json_pack("{s:s, s:f, s:I, s:o}", "out", job->options->out, "recall",
                                        calibration->recall, "images", (json_int_t)calibration->images,
                                        "thresholds", thresholds));
    json_decref(thresholds);
    printf("%s\n", job->options->out);
    return SFT_OK;
}

static enum sft_status do_job(struct job *job)
{
    SFT_TRY(open_job(job));
    SFT_TRY(calibrate(job));
    sft_progress_end();
    SFT_TRY(note_classes(job));
    job->calibration.recall = job->options->recall;
    SFT_TRY(sft_model_fingerprint(job->model, job->calibration.fingerprint));
    SFT_TRY(sft_calibration_write(&job->calibration, job->options->out));
    return show(job);
}

static enum sft_status run(const struct sft_args *args)
{
    struct job job = {.options = args->values};
    enum sft_status status = do_job(&job);
    sft_progress_end();
    sft_calibration_free(&job.calibration);
    sft_dataset_close(&job.fit);
    sft_dataset_close(&job.id);
    sft_model_destroy(&job.model);
    sft_device_close(&job.device);
    return status;
}

#define FIELD(member) offsetof(struct calibrate, member)

static const struct sft_option calibrate_options[] = {
    {"weights", SFT_OPTION_TEXT, FIELD(weights), .value = "FILE", .required = true,
     .help = "checkpoint of the classifier"},
    {"model", SFT_OPTION_TEXT, FIELD(model), .value = "NAME",
     .help = "its architecture, when the file does not tell:", .list = sft_model_list},
    {"id", SFT_OPTION_TEXT, FIELD(id), .value = "SPEC", .required = true,
     .help = "the model's own kind of images, best such as it was not trained on: they set the threshold",
     .list = sft_data_formats},
    {"limit", SFT_OPTION_INT, FIELD(limit), .value = "N", .fallback = "0", .min = 0, .max = 1e15,
     .help = "only the first N of them; 0: all"},
    {"fit", SFT_OPTION_TEXT, FIELD(fit), .value = "SPEC",
     .help =
         "images of the training kind, for the scores that need statistics of them; otherwise those of --id"},
    {"fit-limit", SFT_OPTION_INT, FIELD(fit_limit), .value = "N", .fallback = "0", .min = 0, .max = 1e15,
     .help = "only the first N of them; 0: all"},
    {"score", SFT_OPTION_TEXT, FIELD(score), .value = "LIST", .fallback = "energy",
     .help = "scores; the first is the one that verdicts go by:", .list = sft_score_list},
    {"recall", SFT_OPTION_REAL, FIELD(recall), .value = "X", .fallback = "0.95", .min = 0.001, .max = 1,
     .help = "share of the --id images to recognise"},
    {"batch", SFT_OPTION_INT, FIELD(batch), .value = "N", .fallback = "100", .min = 1, .max = 65536,
     .help = "images at a time"},
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

static const struct sft_example examples[] = {
    {"calibrate --weights W.safetensors --id cifar10:DIR#train[45000:] --score energy --out energy.cal",
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
    .run = run,
};
