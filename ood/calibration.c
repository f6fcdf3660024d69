/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/calibration.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/checkpoint/checkpoint.h"
#include "nn/checkpoint/safetensors.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/json.h"
#include "runtime/base/json_parse.h"
#include "runtime/base/order.h"

enum { MAX_TENSORS = 512, NAME_BYTES = 96 };

static const char kind[] = "sft-vk calibration 1";

void sft_calibration_free(struct sft_calibration *calibration)
{
    for (int i = 0; i < calibration->n && calibration->scorers; i++)
        sft_scorer_free(&calibration->scorers[i]);
    free(calibration->scorers);
    free(calibration->thresholds);
    sft_class_names_free(&calibration->class_names);
    memset(calibration, 0, sizeof(*calibration));
}

enum sft_status sft_calibration_of(const struct sft_model *model, struct sft_calibration *calibration)
{
    memcpy(calibration->mean, model->mean, sizeof(calibration->mean));
    memcpy(calibration->std, model->std, sizeof(calibration->std));
    calibration->framing = model->framing;
    SFT_TRY(sft_class_names_copy(&model->class_names, &calibration->class_names));
    return sft_model_fingerprint(model, calibration->fingerprint);
}

enum sft_status sft_calibration_threshold(int64_t n, const float *scores, double recall, double *threshold)
{
    float *sorted = sft_calloc((size_t)n, sizeof(*sorted));
    int64_t k = (int64_t)ceil(recall * (double)n - 1e-9);
    enum sft_status status = SFT_OK;
    if (!sorted) return SFT_MEMORY;
    for (int64_t i = 0; i < n && status == SFT_OK; i++) {
        if (isnan(scores[i])) status = sft_fail(SFT_FAILED, "the score of image %" PRId64 " is no number", i);
        sorted[i] = scores[i];
    }
    sft_sort_descending(n, sorted);
    *threshold = (double)sorted[k < 1 ? 0 : k - 1];
    free(sorted);
    return status;
}

/* ---- knobs as JSON ---- */

static void add_knob(struct sft_json *json, const struct sft_knob *knob, const union sft_knob_value *value)
{
    switch (knob->type) {
    case SFT_KNOB_REAL:
        sft_json_real(json, knob->name, value->real);
        break;
    case SFT_KNOB_INT:
        sft_json_integer(json, knob->name, value->integer);
        break;
    case SFT_KNOB_CHOICE:
        sft_json_text(json, knob->name, knob->choices[value->choice]);
        break;
    case SFT_KNOB_FLAG:
        sft_json_text(json, knob->name, value->flag ? "yes" : "no");
        break;
    }
}

static enum sft_status knob_from_json(const struct sft_knob *knob, const json_t *json,
                                      union sft_knob_value *value)
{
    char text[64];
    if (json_is_string(json)) return sft_knob_read(knob, json_string_value(json), value);
    if (!json_is_number(json)) return sft_fail(SFT_DATA, "the setting \"%s\" is missing", knob->name);
    snprintf(text, sizeof(text), "%.17g", json_number_value(json));
    return sft_knob_read(knob, text, value);
}

/* ---- writing ---- */

static void add_score(struct sft_json *json, const struct sft_scorer *scorer, double threshold)
{
    sft_json_object(json, NULL);
    sft_json_text(json, "name", scorer->score->name);
    sft_json_real(json, "threshold", threshold);
    sft_json_object(json, "knobs");
    for (int k = 0; k < sft_score_knobs(scorer->score); k++)
        add_knob(json, &scorer->score->knobs[k], &scorer->knobs[k]);
    sft_json_end(json);
    sft_json_end(json);
}

static void add_channels(struct sft_json *json, const char *key, const float values[3])
{
    sft_json_array(json, key);
    for (int c = 0; c < 3; c++) sft_json_real(json, NULL, (double)values[c]);
    sft_json_end(json);
}

/* Everything but the arrays. */
static void describe(struct sft_json *json, const struct sft_calibration *calibration, const char *digest)
{
    char crop[32];
    sft_json_object(json, NULL);
    sft_json_text(json, "model_sha256", calibration->fingerprint);
    sft_json_text(json, "arrays_sha256", digest);
    sft_json_real(json, "recall", calibration->recall);
    sft_json_integer(json, "images", calibration->images);
    sft_json_array(json, "scores");
    for (int i = 0; i < calibration->n; i++)
        add_score(json, &calibration->scorers[i], calibration->thresholds[i]);
    sft_json_end(json);
    add_channels(json, "mean", calibration->mean);
    add_channels(json, "std", calibration->std);
    sft_json_text(json, "resize", sft_resize_words[calibration->framing.resize]);
    sft_json_text(json, "interpolation", sft_filter_words[calibration->framing.interpolation]);
    sft_json_text(json, "crop", sft_crop_text(calibration->framing.crop, crop));
    sft_class_names_to_json(&calibration->class_names, "classes", json);
    sft_json_end(json);
}

/* SHA-256 over the SHA-256 of each array with its name. */
static void digest_of(const struct sft_stored_tensor *tensors, size_t n, char hex[65])
{
    char all[64 + NAME_BYTES + 65];
    memset(hex, '0', 64);
    hex[64] = '\0';
    for (size_t i = 0; i < n; i++) {
        char one[65];
        sft_sha256(tensors[i].data, tensors[i].bytes, one);
        snprintf(all, sizeof(all), "%s%s%s", hex, tensors[i].name, one);
        sft_sha256(all, strlen(all), hex);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sft_stored_tensor *)a)->name, ((const struct sft_stored_tensor *)b)->name);
}

/* The arrays sorted by name; `names` has room for them. */
static enum sft_status list_tensors(const struct sft_calibration *calibration,
                                    struct sft_stored_tensor *tensors, char (*names)[NAME_BYTES], size_t *n)
{
    *n = 0;
    for (int i = 0; i < calibration->n; i++)
        for (int k = 0; k < calibration->scorers[i].statistics.n; k++) {
            const struct sft_statistic *item = &calibration->scorers[i].statistics.items[k];
            if (*n == MAX_TENSORS) return sft_fail(SFT_FAILED, "more than %d statistics", MAX_TENSORS);
            snprintf(names[*n], NAME_BYTES, "%s/%s", calibration->scorers[i].score->name, item->name);
            tensors[*n] =
                (struct sft_stored_tensor){.name = names[*n],
                                           .dtype = SFT_STORED_F32,
                                           .shape = item->shape,
                                           .data = item->values,
                                           .bytes = (size_t)sft_shape_count(&item->shape) * sizeof(float)};
            ++*n;
        }
    qsort(tensors, *n, sizeof(*tensors), by_name);
    return SFT_OK;
}

/* A file has no way to say infinity. */
static enum sft_status check_thresholds(const struct sft_calibration *calibration)
{
    for (int i = 0; i < calibration->n; i++)
        if (!isfinite(calibration->thresholds[i]))
            return sft_fail(SFT_FAILED,
                            "score %s has the threshold %g: too many of the images score without end; "
                            "calibrate with another score",
                            calibration->scorers[i].score->name, calibration->thresholds[i]);
    return SFT_OK;
}

enum sft_status sft_calibration_write(const struct sft_calibration *calibration, const char *path)
{
    struct sft_stored_tensor *tensors = sft_calloc(MAX_TENSORS, sizeof(*tensors));
    char(*names)[NAME_BYTES] = sft_calloc(MAX_TENSORS, NAME_BYTES), digest[65];
    struct sft_json json = {0};
    struct sft_text text = {0};
    size_t n;
    enum sft_status status = SFT_MEMORY;
    if (!tensors || !names) goto out;
    SFT_TRY_OUT(check_thresholds(calibration));
    SFT_TRY_OUT(list_tensors(calibration, tensors, names, &n));
    digest_of(tensors, n, digest);
    describe(&json, calibration, digest);
    sft_json_dump(&json, JSON_COMPACT | JSON_REAL_PRECISION(17), &text);
    SFT_TRY_OUT(text.status);
    status = sft_safetensors_write(
        path, tensors, n, (const struct sft_metadata[]){{"kind", kind}, {"calibration", text.data}}, 2);
out:
    sft_text_free(&text);
    sft_json_free(&json);
    free(names);
    free(tensors);
    return status;
}

/* ---- reading ---- */

static enum sft_status damaged(const char *path, const char *what)
{
    return sft_fail(SFT_DATA, "%s: a damaged calibration file: %s; make it again with `sft-vk calibrate`",
                    path, what);
}

static enum sft_status read_statistics(const struct sft_checkpoint *file, struct sft_scorer *scorer)
{
    size_t prefix = strlen(scorer->score->name);
    for (size_t i = 0; i < file->n_tensors; i++) {
        const struct sft_stored_tensor *tensor = &file->tensors[i];
        float *values;
        if (strncmp(tensor->name, scorer->score->name, prefix) != 0 || tensor->name[prefix] != '/') continue;
        if (tensor->dtype != SFT_STORED_F32 || !sft_shape_valid(&tensor->shape) ||
            strlen(tensor->name + prefix + 1) >= SFT_STATISTIC_NAME)
            return damaged(file->path, tensor->name);
        SFT_TRY(sft_statistics_add(&scorer->statistics, tensor->name + prefix + 1, tensor->shape, &values));
        SFT_TRY(sft_stored_read(tensor, values));
    }
    return SFT_OK;
}

static enum sft_status read_score(const struct sft_checkpoint *file, const json_t *json,
                                  const struct sft_model *model, struct sft_scorer *scorer, double *threshold)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    const json_t *number = json_object_get(json, "threshold"), *knobs = json_object_get(json, "knobs");
    const struct sft_score *score = name ? sft_score_find(name) : NULL;
    if (!score || !json_is_number(number)) return damaged(file->path, "it names no score that is known");
    SFT_TRY(sft_scorer_init(score, scorer));
    scorer->variant = model->variant;
    *threshold = json_number_value(number);
    for (int k = 0; k < sft_score_knobs(score); k++)
        if (knob_from_json(&score->knobs[k], json_object_get(knobs, score->knobs[k].name),
                           &scorer->knobs[k]) != SFT_OK)
            return damaged(file->path, "settings of a score");
    return read_statistics(file, scorer);
}

static enum sft_status read_classes(const struct sft_checkpoint *file, const json_t *array,
                                    const struct sft_model *model, struct sft_class_names *names)
{
    enum sft_status status = sft_class_names_from_json(array, names);
    if (status == SFT_MEMORY) return status;
    if (status == SFT_OK && (names->n == 0 || names->n == model->classes)) return SFT_OK;
    return damaged(file->path, "class names");
}

/* Whether the file says the same of a channel's mean or deviation as the model. */
static enum sft_status check_channels(const struct sft_checkpoint *file, const json_t *json, const char *key,
                                      const float values[3])
{
    const json_t *array = json_object_get(json, key);
    for (size_t c = 0; c < 3; c++) {
        double there = sft_json_number(json_array_get(array, c));
        if ((float)there == values[c]) continue;
        if (isnan(there)) return damaged(file->path, key);
        return sft_fail(SFT_DATA,
                        "%s: made with a %s of %.9g for channel %zu, where the model has %.9g; give the same "
                        "--mean and --std, or make one for these with `sft-vk calibrate`",
                        file->path, key, there, c, (double)values[c]);
    }
    return SFT_OK;
}

/* Whether the file says the same of the framing; one that says nothing is of squashed pictures. */
static enum sft_status check_framing(const struct sft_checkpoint *file, const json_t *json,
                                     const struct sft_framing *framing)
{
    struct sft_framing there;
    char crop[2][32];
    SFT_TRY(sft_framing_read(json_string_value(json_object_get(json, "resize")),
                             json_string_value(json_object_get(json, "interpolation")),
                             json_string_value(json_object_get(json, "crop")), file->path, &there));
    there = sft_framing_complete(there);
    if (there.resize == framing->resize && there.interpolation == framing->interpolation &&
        there.crop == framing->crop)
        return SFT_OK;
    return sft_fail(SFT_DATA,
                    "%s: made with --resize %s --interpolation %s --crop %s, where the model has %s, %s and "
                    "%s; give the same, or make one for these with `sft-vk calibrate`",
                    file->path, sft_resize_words[there.resize], sft_filter_words[there.interpolation],
                    sft_crop_text(there.crop, crop[0]), sft_resize_words[framing->resize],
                    sft_filter_words[framing->interpolation], sft_crop_text(framing->crop, crop[1]));
}

static enum sft_status check_origin(const struct sft_checkpoint *file, const json_t *json,
                                    const struct sft_model *model, struct sft_calibration *calibration)
{
    const char *digest = json_string_value(json_object_get(json, "arrays_sha256"));
    const char *fingerprint = json_string_value(json_object_get(json, "model_sha256"));
    char found[65];
    digest_of(file->tensors, file->n_tensors, found);
    if (!digest || strcmp(digest, found) != 0)
        return damaged(file->path, "its arrays are not those that were written");
    SFT_TRY(sft_model_fingerprint(model, calibration->fingerprint));
    if (!fingerprint || strcmp(fingerprint, calibration->fingerprint) != 0)
        return sft_fail(SFT_DATA,
                        "%s: made for other weights than these; make one for them with `sft-vk calibrate`",
                        file->path);
    SFT_TRY(check_channels(file, json, "mean", model->mean));
    SFT_TRY(check_channels(file, json, "std", model->std));
    return check_framing(file, json, &model->framing);
}

static enum sft_status read_all(const struct sft_checkpoint *file, const json_t *json,
                                const struct sft_model *model, struct sft_calibration *calibration)
{
    const json_t *scores = json_object_get(json, "scores"), *recall = json_object_get(json, "recall");
    size_t n = json_array_size(scores);
    SFT_TRY(check_origin(file, json, model, calibration));
    if (n == 0 || !json_is_number(recall)) return damaged(file->path, "no scores");
    calibration->recall = json_number_value(recall);
    calibration->images = (int64_t)json_integer_value(json_object_get(json, "images"));
    calibration->scorers = sft_calloc(n, sizeof(*calibration->scorers));
    calibration->thresholds = sft_calloc(n, sizeof(*calibration->thresholds));
    if (!calibration->scorers || !calibration->thresholds) return SFT_MEMORY;
    for (calibration->n = 0; calibration->n < (int)n;) {
        int i = calibration->n++;
        SFT_TRY(read_score(file, json_array_get(scores, (size_t)i), model, &calibration->scorers[i],
                           &calibration->thresholds[i]));
    }
    return read_classes(file, json_object_get(json, "classes"), model, &calibration->class_names);
}

enum sft_status sft_calibration_read(const char *path, const struct sft_model *model,
                                     struct sft_calibration *calibration)
{
    struct sft_checkpoint *file = NULL;
    const char *text, *type;
    json_error_t error;
    json_t *json = NULL;
    enum sft_status status;
    memset(calibration, 0, sizeof(*calibration));
    SFT_TRY(sft_checkpoint_open(path, &file));
    type = sft_checkpoint_metadata(file, "kind");
    text = sft_checkpoint_metadata(file, "calibration");
    if (!type || strcmp(type, kind) != 0 || !text) {
        status = sft_fail(SFT_DATA, "%s: not a calibration file; `sft-vk calibrate` makes one", path);
        goto out;
    }
    json = sft_json_parse(text, strlen(text), 0, &error);
    if (!json && sft_json_lacks_memory(&error))
        status = sft_fail(SFT_MEMORY, "%s: out of memory for its header", path);
    else
        status =
            json_is_object(json) ? read_all(file, json, model, calibration) : damaged(path, "its header");
out:
    json_decref(json);
    sft_checkpoint_close(&file);
    return status;
}
