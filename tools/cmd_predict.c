/* SPDX-License-Identifier: Apache-2.0 */
/* What a model says about images: an array of logits, features or scores, or a verdict for each image as it
 * comes. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nn/prediction.h"
#include "ood/calibration.h"
#include "ood/evaluate.h"
#include "runtime/base/alloc.h"
#include "runtime/base/nearest.h"
#include "tools/array.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/score_options.h"
#include "tools/cli/terminal.h"

struct predict {
    struct sft_common common;
    const char *weights, *model, *input, *images, *output, *calibration, *out;
    int64_t batch, limit;
    bool overwrite;
};

enum output { LOGITS, FEATURES, VERDICTS, SCORE };
static const char *const output_names[] = {"logits", "features", "verdicts", NULL};

struct job {
    const struct predict *options;
    enum output output;
    const struct sft_score *score; /* of SCORE and VERDICTS */
    struct sft_device *device;
    struct sft_model *model;
    struct sft_dataset *images; /* NULL for a float array */
    struct sft_calibration calibration;
    struct sft_scorer *scorer; /* of the score; owned by the calibration where there is one */
    struct sft_scorer *own;
    struct sft_head head;
    float *values; /* rows of the output so far; one batch of scores for verdicts */
    int64_t count;
    int width;
    FILE *file; /* of verdicts */
};

/* ---- what is asked for ---- */

static enum sft_status find_output(struct job *job)
{
    enum { MAX_NAMES = 64 };
    const char *name = job->options->output, *names[MAX_NAMES] = {NULL}, *near;
    int n = 0;
    if (!name) name = job->options->calibration ? "verdicts" : "logits";
    for (; output_names[n]; n++) {
        names[n] = output_names[n];
        if (strcmp(name, names[n]) == 0) {
            job->output = (enum output)n;
            return SFT_OK;
        }
    }
    job->output = SCORE;
    job->score = sft_score_find(name);
    if (job->score) return SFT_OK;
    for (int i = 0; i < sft_score_count() && n < MAX_NAMES - 1; i++) names[n++] = sft_score_at(i)->name;
    near = sft_nearest(name, names);
    return sft_fail(SFT_USAGE,
                    "--output: there is no \"%s\"%s%s; logits, features, verdicts or a score, see --help",
                    name, near ? "; did you mean " : "", near ? near : "");
}

static enum sft_status check_usage(const struct job *job)
{
    const struct predict *options = job->options;
    if (!options->input == !options->images)
        return sft_fail(SFT_USAGE, "predict: needs --input X.npy or --images SPEC, and not both");
    if (job->output == VERDICTS && !options->calibration)
        return sft_fail(SFT_USAGE,
                        "--output verdicts: needs --calibration FILE, which `sft-vk calibrate` makes");
    if (job->output != VERDICTS && !options->out)
        return sft_fail(SFT_USAGE, "predict: needs --out Y.npy for the array");
    if (options->out && !options->overwrite && access(options->out, F_OK) == 0)
        return sft_fail(SFT_USAGE, "--out %s: is there already; name another file, or say --overwrite",
                        options->out);
    return SFT_OK;
}

/* ---- opening ---- */

static enum sft_status from_calibration(struct job *job)
{
    struct sft_calibration *calibration = &job->calibration;
    SFT_TRY(sft_calibration_read(job->options->calibration, job->model, calibration));
    if (job->output == VERDICTS) job->score = calibration->scorers[0].score;
    for (int i = 0; i < calibration->n; i++)
        if (calibration->scorers[i].score == job->score) job->scorer = &calibration->scorers[i];
    if (job->scorer) return SFT_OK;
    return sft_fail(SFT_USAGE, "%s: holds no statistics of %s; add it to the --score of `sft-vk calibrate`",
                    job->options->calibration, job->score->name);
}

static enum sft_status make_scorer(struct job *job)
{
    const char *misfit;
    if (job->output == LOGITS || job->output == FEATURES) return SFT_OK;
    if (job->options->calibration) return from_calibration(job);
    SFT_TRY(sft_scorers_create(&job->options->common, job->model, &job->score, 1, &job->own));
    job->scorer = job->own;
    misfit = sft_scorer_misfit(job->scorer, job->model);
    if (misfit) return sft_fail(SFT_USAGE, "--output %s: %s", job->score->name, misfit);
    if (!(sft_scorer_needs(job->scorer) & (SFT_NEEDS_FIT | SFT_NEEDS_FIT_ON_ID))) return SFT_OK;
    return sft_fail(
        SFT_USAGE, "--output %s: needs statistics: name a --calibration FILE, which `sft-vk calibrate` makes",
        job->score->name);
}

static bool is_float_array(const char *path, enum sft_status *status)
{
    struct sft_array array = {0};
    bool is_float;
    *status = sft_array_open(path, &array);
    is_float = *status == SFT_OK && array.is_float;
    sft_array_close(&array);
    return is_float;
}

/* A float array goes in as it is; uint8 images take the road of all images. */
static enum sft_status open_images(struct job *job)
{
    const struct predict *options = job->options;
    const char *named = options->images;
    char spec[4096];
    enum sft_status status = SFT_OK;
    if (!named) {
        if (is_float_array(options->input, &status) || status != SFT_OK) return status;
        if ((size_t)snprintf(spec, sizeof(spec), "npy:%s", options->input) >= sizeof(spec))
            return sft_fail(SFT_USAGE, "--input: the name is too long");
        named = spec;
    }
    SFT_TRY(sft_dataset_open(named, &job->images));
    if (options->limit) sft_dataset_limit(job->images, options->limit);
    return SFT_OK;
}

static enum sft_status open_job(struct job *job)
{
    struct sft_model_config config = {.name = job->options->model};
    SFT_TRY(find_output(job));
    SFT_TRY(check_usage(job));
    SFT_TRY(sft_common_open_device(&job->options->common, &job->device));
    SFT_TRY(sft_model_open(job->device, job->options->weights, &config, &job->model));
    SFT_TRY(make_scorer(job));
    SFT_TRY(sft_head_read(job->model, &job->head));
    return open_images(job);
}

/* ---- batches ---- */

/* The output of a batch, as rows. */
static enum sft_status rows_of(const struct job *job, const struct sft_collected *batch, float *rows)
{
    const struct sft_outputs *outputs = &batch->outputs;
    struct sft_outputs scored;
    if (job->output == LOGITS || job->output == FEATURES) {
        const float *from = job->output == LOGITS ? outputs->logits : outputs->features;
        memcpy(rows, from, (size_t)(outputs->n * job->width) * sizeof(*rows));
        return SFT_OK;
    }
    scored = sft_collected_for(batch, 0);
    return sft_scorer_compute(job->scorer, &scored, &job->head, rows);
}

/* One line of JSON: which image, how it scores, what that means, and what the classifier takes it for. */
static enum sft_status write_verdict(const struct job *job, int64_t number, double score, const float *logits)
{
    const struct sft_prediction best = sft_predict(job->model->groups, job->model->classes, logits);
    double threshold = job->calibration.thresholds[job->scorer - job->calibration.scorers];
    char text[512];
    json_t *line;
    bool written;
    line = json_pack("{s:s, s:s, s:f, s:f, s:i, s:f}", "image",
                     job->images ? sft_dataset_image_name(job->images, number, text, sizeof(text)) : "",
                     "verdict", score >= threshold ? "id" : "ood", "score", score, "threshold", threshold,
                     "class", best.label, "probability", best.probability);
    if (line && !job->images) json_object_set_new(line, "image", json_integer((json_int_t)number));
    if (line && best.label >= 0 && best.label < job->calibration.classes)
        json_object_set_new(line, "class_name", json_string(job->calibration.class_names[best.label]));
    written =
        line && json_dumpf(line, job->file, JSON_REAL_PRECISION(9)) == 0 && putc('\n', job->file) != EOF;
    json_decref(line);
    if (!written)
        return sft_fail(line ? SFT_WRITE : SFT_DATA, "image %" PRId64 ": its verdict could not be written",
                        number);
    return SFT_OK;
}

static enum sft_status take_batch(void *context, int64_t first, const struct sft_collected *batch, bool *more)
{
    struct job *job = context;
    const struct sft_outputs *outputs = &batch->outputs;
    bool streams = job->output == VERDICTS;
    float *rows = job->values + (streams ? 0 : first * job->width);
    (void)more;
    SFT_TRY(rows_of(job, batch, rows));
    if (!streams)
        sft_progress(first + outputs->n, job->count, "%" PRId64 " of %" PRId64 " images", first + outputs->n,
                     job->count);
    for (int64_t i = 0; streams && i < outputs->n; i++) {
        if (isnan(rows[i]))
            return sft_fail(SFT_FAILED, "image %" PRId64 ": its score is no number", first + i);
        SFT_TRY(write_verdict(job, first + i, (double)rows[i],
                              outputs->logits + i * sft_outputs_logits(outputs)));
    }
    if (streams && fflush(job->file) != 0) return sft_fail(SFT_WRITE, "verdicts could not be written");
    return SFT_OK;
}

static struct sft_evaluation evaluation_of(const struct job *job)
{
    return (struct sft_evaluation){.scorers = job->scorer,
                                   .n_scorers = job->scorer != NULL,
                                   .batch = (int)job->options->batch,
                                   .stop = sft_interrupt_flag()};
}

static enum sft_status make_room(struct job *job)
{
    int64_t rows = job->output == VERDICTS ? job->options->batch : job->count;
    job->width = job->output == LOGITS     ? sft_model_outputs(job->model)
                 : job->output == FEATURES ? job->head.width
                                           : 1;
    job->values = sft_calloc((size_t)rows * (size_t)job->width, sizeof(*job->values));
    return job->values ? SFT_OK : SFT_MEMORY;
}

static enum sft_status run_images(struct job *job)
{
    const struct sft_evaluation evaluation = evaluation_of(job);
    job->count = sft_dataset_count(job->images);
    SFT_TRY(make_room(job));
    return sft_stream(job->model, job->images, SFT_IMAGES_OOD, &evaluation,
                      SFT_NEEDS_LOGITS | (job->output == FEATURES ? SFT_NEEDS_FEATURES : 0), take_batch, job);
}

/* ---- float arrays ---- */

static enum sft_status check_array(const char *path, const struct sft_array *array,
                                   const struct sft_model *model)
{
    const int64_t *dim = array->shape.dim;
    if (dim[1] == model->image_size && dim[2] == model->image_size && dim[3] == 3) return SFT_OK;
    return sft_fail(SFT_DATA,
                    "%s: normalised images of (%" PRId64 ", %" PRId64 ", %" PRId64
                    "); the model takes (%d, %d, 3)",
                    path, dim[1], dim[2], dim[3], model->image_size, model->image_size);
}

static enum sft_status run_array(struct job *job)
{
    const struct sft_evaluation evaluation = evaluation_of(job);
    struct sft_array array = {0};
    enum sft_status status;
    SFT_TRY_OUT(sft_array_open(job->options->input, &array));
    SFT_TRY_OUT(check_array(job->options->input, &array, job->model));
    job->count = array.shape.dim[0];
    SFT_TRY_OUT(make_room(job));
    status = sft_stream_array(job->model, array.data, job->count, &evaluation,
                              SFT_NEEDS_LOGITS | (job->output == FEATURES ? SFT_NEEDS_FEATURES : 0),
                              take_batch, job);
    if (status == SFT_OK) status = sft_files_whole();
out:
    sft_array_close(&array);
    return status;
}

/* ---- the result ---- */

static const char *output_name(const struct job *job)
{
    return job->output == SCORE ? job->score->name : output_names[job->output];
}

static enum sft_status show(const struct job *job)
{
    const struct predict *options = job->options;
    struct sft_shape shape = SFT_SHAPE(job->count, job->width);
    if (!options->out) return SFT_OK; /* verdicts on stdout */
    if (job->output == SCORE) shape.rank = 1;
    if (job->output != VERDICTS) SFT_TRY(sft_array_write(options->out, shape, job->values));
    if (options->common.json)
        return sft_print_json(json_pack("{s:s, s:s, s:I}", "out", options->out, "output", output_name(job),
                                        "images", (json_int_t)job->count));
    printf("%s: %s of %" PRId64 " images\n", options->out, output_name(job), job->count);
    return SFT_OK;
}

static enum sft_status open_file(struct job *job)
{
    job->file = stdout;
    if (job->output != VERDICTS || !job->options->out) return SFT_OK;
    job->file = fopen(job->options->out, "w");
    return job->file ? SFT_OK : sft_fail(SFT_WRITE, "--out %s: cannot be written", job->options->out);
}

static enum sft_status close_file(struct job *job, enum sft_status status)
{
    if (!job->file || job->file == stdout) return status;
    if (fclose(job->file) != 0 && status == SFT_OK)
        return sft_fail(SFT_WRITE, "--out %s: could not be written", job->options->out);
    return status;
}

static enum sft_status do_job(struct job *job)
{
    SFT_TRY(open_job(job));
    SFT_TRY(open_file(job));
    SFT_TRY(job->images ? run_images(job) : run_array(job));
    sft_progress_end();
    return show(job);
}

static enum sft_status run(const struct sft_args *args)
{
    struct job job = {.options = args->values};
    enum sft_status status = close_file(&job, do_job(&job));
    sft_progress_end();
    free(job.values);
    sft_head_free(&job.head);
    sft_scorers_free(&job.own, 1);
    sft_calibration_free(&job.calibration);
    sft_dataset_close(&job.images);
    sft_model_destroy(&job.model);
    sft_device_close(&job.device);
    return status;
}

#define FIELD(member) offsetof(struct predict, member)

static const struct sft_option predict_options[] = {
    {"weights", SFT_OPTION_TEXT, FIELD(weights), .value = "FILE", .required = true,
     .help = "checkpoint of the classifier"},
    {"model", SFT_OPTION_TEXT, FIELD(model), .value = "NAME",
     .help = "its architecture, when the file does not tell:", .list = sft_model_list},
    {"input", SFT_OPTION_TEXT, FIELD(input), .value = "X.npy",
     .help = "images as an array N,H,W,C: float32, already normalised, of the model's size; or uint8"},
    {"images", SFT_OPTION_TEXT, FIELD(images), .value = "SPEC",
     .help = "images as a data set:", .list = sft_data_formats},
    {"limit", SFT_OPTION_INT, FIELD(limit), .value = "N", .fallback = "0", .min = 0, .max = 1e15,
     .help = "only the first N images of a data set; 0: all"},
    {"output", SFT_OPTION_TEXT, FIELD(output), .value = "NAME",
     .help = "logits (the default), features (the classifier's input), verdicts (the default with "
             "--calibration: a line "
             "of JSON an image), or a score:",
     .list = sft_score_list},
    {"calibration", SFT_OPTION_TEXT, FIELD(calibration), .value = "FILE",
     .help = "threshold and statistics from `sft-vk calibrate`, with the settings of its scores"},
    {"out", SFT_OPTION_TEXT, FIELD(out), .value = "Y.npy",
     .help = "file for the result, float32; verdicts go to stdout otherwise"},
    {"overwrite", SFT_OPTION_FLAG, FIELD(overwrite), .help = "take the place of such a file"},
    {"batch", SFT_OPTION_INT, FIELD(batch), .value = "N", .fallback = "100", .min = 1, .max = 65536,
     .help = "images at a time"},
    {0},
};

static const struct sft_option_group groups[] = {
    {"Options", predict_options},
    {"Settings of scores", sft_score_options},
    {"Device", sft_device_options},
    {"General", sft_general_options},
    {0},
};

static const struct sft_example examples[] = {
    {"predict --weights W.safetensors --calibration energy.cal --images folder:photographs",
     "is each photograph one that the classifier was made for?"},
    {"predict --weights models/synthetic.safetensors --images synthetic#test --output energy --out "
     "energy.npy",
     "a score for each image"},
    {"predict --weights W.safetensors --input X.npy --output features --out F.npy",
     "features of normalised images"},
    {0},
};

const struct sft_command sft_command_predict = {
    .name = "predict",
    .summary = "Logits, features or scores of images as an array; verdicts as they come",
    .examples = examples,
    .groups = groups,
    .values_size = sizeof(struct predict),
    .run = run,
};
