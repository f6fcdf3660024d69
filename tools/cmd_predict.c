/* SPDX-License-Identifier: Apache-2.0 */
/* A model's outputs for images or an array, as an array. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nn/inference.h"
#include "runtime/alloc.h"
#include "tools/array.h"
#include "tools/common.h"
#include "tools/eval_sets.h"
#include "tools/interrupt.h"
#include "tools/terminal.h"

struct predict {
    struct sft_common common;
    const char *weights, *model, *input, *images, *output, *out;
    int64_t batch, limit;
    bool overwrite;
};

/* ---- what is asked for ---- */

enum output { LOGITS, FEATURES, SCORE };

static enum sft_status find_output(const char *name, enum output *output, const struct sft_score **score)
{
    enum { MAX_NAMES = 64 };
    const char *names[MAX_NAMES] = {"logits", "features"}, *near;
    *score = sft_score_find(name);
    *output = SCORE;
    if (strcmp(name, "logits") == 0) *output = LOGITS;
    if (strcmp(name, "features") == 0) *output = FEATURES;
    if (*score || *output != SCORE) return SFT_OK;
    for (int i = 0; i < sft_score_count() && i + 3 < MAX_NAMES; i++) names[i + 2] = sft_score_at(i)->name;
    near = sft_nearest(name, names);
    return sft_fail(SFT_USAGE, "--output: there is no \"%s\"%s%s; logits, features or a score, see --help", name,
                    near ? "; did you mean " : "", near ? near : "");
}

static enum sft_status check_usage(const struct predict *options)
{
    if (!options->input == !options->images)
        return sft_fail(SFT_USAGE, "predict: needs --input X.npy or --images SPEC, and not both");
    if (!options->overwrite && access(options->out, F_OK) == 0)
        return sft_fail(SFT_USAGE, "--out %s: is there already; name another file, or say --overwrite", options->out);
    return SFT_OK;
}

/* ---- running ---- */

/* The array's values for images first .. first + n - 1, aligned. */
static void copy_images(const struct sft_array *array, int64_t first, int64_t n, float *images)
{
    size_t image = (size_t)(sft_shape_count(&array->shape) / array->shape.dim[0]) * sizeof(float);
    memcpy(images, array->data + (size_t)first * image, (size_t)n * image);
}

static enum sft_status check_array(const char *path, const struct sft_array *array, const struct sft_model *model)
{
    const int64_t *dim = array->shape.dim;
    if (dim[1] == model->image_size && dim[2] == model->image_size && dim[3] == 3) return SFT_OK;
    return sft_fail(SFT_DATA,
                    "%s: normalised images of (%" PRId64 ", %" PRId64 ", %" PRId64 "); the model takes (%d, %d, 3)",
                    path, dim[1], dim[2], dim[3], model->image_size, model->image_size);
}

/* Batches of the array through the model. */
static enum sft_status run_array(const struct sft_array *array, struct sft_inference *inference,
                                 struct sft_collected *collected)
{
    struct sft_outputs *outputs = &collected->outputs;
    int64_t count = array->shape.dim[0], batch = sft_inference_batch(inference);
    int64_t image = sft_shape_count(&array->shape) / count;
    float *images = sft_calloc((size_t)(batch * image), sizeof(*images));
    enum sft_status status = images ? SFT_OK : SFT_MEMORY;
    for (int64_t first = 0; status == SFT_OK && first < count; first += batch) {
        int64_t n = count - first < batch ? count - first : batch;
        copy_images(array, first, n, images);
        status = sft_interrupted()
                     ? SFT_INTERRUPTED
                     : sft_inference_run(inference, images, n,
                                         (float *[]){collected->logits + first * outputs->classes,
                                                     collected->features + first * outputs->width});
        sft_progress(first + n, count, "%" PRId64 " of %" PRId64 " images", first + n, count);
    }
    free(images);
    return status;
}

static enum sft_status collect_array(struct sft_model *model, const char *path, int64_t batch,
                                     struct sft_collected *collected)
{
    struct sft_array array = {0};
    struct sft_inference *inference = NULL;
    struct sft_outputs *outputs = &collected->outputs;
    enum sft_status status;
    SFT_TRY_OUT(sft_array_open(path, &array));
    SFT_TRY_OUT(check_array(path, &array, model));
    SFT_TRY_OUT(sft_inference_create(model, (int)batch, NULL, 0, &inference));
    *outputs = (struct sft_outputs){
        .n = array.shape.dim[0], .classes = model->classes, .width = sft_inference_width(inference, SFT_OUTPUT_FEATURES)};
    outputs->logits = collected->logits = sft_calloc((size_t)(outputs->n * outputs->classes), sizeof(float));
    outputs->features = collected->features = sft_calloc((size_t)(outputs->n * outputs->width), sizeof(float));
    status = collected->logits && collected->features ? run_array(&array, inference, collected) : SFT_MEMORY;
out:
    sft_inference_destroy(&inference);
    sft_array_close(&array);
    return status;
}

static void progress(void *context, const char *set, int64_t done, int64_t count)
{
    (void)context;
    (void)set;
    sft_progress(done, count, "%" PRId64 " of %" PRId64 " images", done, count);
}

static enum sft_status collect_images(struct sft_model *model, const char *spec, const struct predict *options,
                                      struct sft_collected *collected)
{
    struct sft_dataset *images = NULL;
    const struct sft_evaluation evaluation = {
        .batch = (int)options->batch, .stop = sft_interrupt_flag(), .progress = progress};
    enum sft_status status;
    SFT_TRY(sft_dataset_open(spec, &images));
    if (options->limit) sft_dataset_limit(images, options->limit);
    status = sft_collect(model, images, SFT_IMAGES_ID, "images", &evaluation, SFT_NEEDS_LOGITS | SFT_NEEDS_FEATURES, collected);
    sft_dataset_close(&images);
    return status;
}

/* A float array goes in as it is; uint8 images take the road of all images. */
static enum sft_status collect(struct sft_model *model, const struct predict *options, struct sft_collected *collected)
{
    struct sft_array array;
    char spec[4096];
    bool is_float;
    if (options->images) return collect_images(model, options->images, options, collected);
    SFT_TRY(sft_array_open(options->input, &array));
    is_float = array.is_float;
    sft_array_close(&array);
    if (is_float) return collect_array(model, options->input, options->batch, collected);
    if ((size_t)snprintf(spec, sizeof(spec), "npy:%s", options->input) >= sizeof(spec))
        return sft_fail(SFT_USAGE, "--input: the name is too long");
    return collect_images(model, spec, options, collected);
}

/* ---- the result ---- */

static enum sft_status write_output(const struct predict *options, const struct sft_model *model, enum output output,
                                    const struct sft_score *score, const struct sft_collected *collected)
{
    const struct sft_outputs *outputs = &collected->outputs;
    struct sft_scorer *scorer;
    float *scores;
    enum sft_status status;
    if (output == LOGITS)
        return sft_array_write(options->out, SFT_SHAPE(outputs->n, outputs->classes), collected->logits);
    if (output == FEATURES)
        return sft_array_write(options->out, SFT_SHAPE(outputs->n, outputs->width), collected->features);
    SFT_TRY(sft_scorers_create(&options->common, model, &score, 1, &scorer));
    scores = sft_calloc((size_t)outputs->n, sizeof(*scores));
    status = scores ? sft_scorer_compute(scorer, outputs, NULL, scores) : SFT_MEMORY;
    if (status == SFT_OK) status = sft_array_write(options->out, SFT_SHAPE(outputs->n), scores);
    free(scores);
    sft_scorers_free(&scorer, 1);
    return status;
}

static enum sft_status show(const struct predict *options, const struct sft_outputs *outputs)
{
    if (options->common.json)
        return sft_print_json(json_pack("{s:s, s:s, s:I}", "out", options->out, "output", options->output, "images",
                                        (json_int_t)outputs->n));
    printf("%s: %s of %" PRId64 " images\n", options->out, options->output, outputs->n);
    return SFT_OK;
}

static enum sft_status run(const struct sft_args *args)
{
    const struct predict *options = args->values;
    struct sft_model_config config = {.name = options->model};
    struct sft_collected collected = {0};
    const struct sft_score *score;
    struct sft_device *device = NULL;
    struct sft_model *model = NULL;
    enum output output;
    enum sft_status status;
    SFT_TRY(check_usage(options));
    SFT_TRY(find_output(options->output, &output, &score));
    SFT_TRY_OUT(sft_common_open_device(&options->common, &device));
    SFT_TRY_OUT(sft_model_open(device, options->weights, &config, &model));
    SFT_TRY_OUT(collect(model, options, &collected));
    sft_progress_end();
    SFT_TRY_OUT(write_output(options, model, output, score, &collected));
    status = show(options, &collected.outputs);
out:
    sft_collected_free(&collected);
    sft_model_destroy(&model);
    sft_device_close(&device);
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
    {"output", SFT_OPTION_TEXT, FIELD(output), .value = "NAME", .fallback = "logits",
     .help = "logits, features (the classifier's input), or a score:", .list = sft_score_list},
    {"out", SFT_OPTION_TEXT, FIELD(out), .value = "Y.npy", .required = true, .help = "file for the result, float32"},
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
    {"predict --weights models/synthetic.safetensors --images synthetic#test --output energy --out energy.npy",
     "a score for each image"},
    {"predict --weights W.safetensors --input X.npy --output features --out F.npy", "features of normalised images"},
    {0},
};

const struct sft_command sft_command_predict = {
    .name = "predict",
    .summary = "Writes logits, features or scores of images as an array",
    .examples = examples,
    .groups = groups,
    .values_size = sizeof(struct predict),
    .run = run,
};
