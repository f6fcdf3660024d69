/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/report/examples.h"

#include <png.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/resize.h"
#include "ood/results/run_files.h"
#include "runtime/base/alloc.h"
#include "runtime/base/json.h"
#include "runtime/base/path.h"

static const char *const kinds[SFT_EXAMPLE_KINDS] = {
    [SFT_EXAMPLE_MOST] = "most", [SFT_EXAMPLE_LEAST] = "least"};

int sft_results_lead(const struct sft_results *results)
{
    for (int score = 0; score < results->scores; score++)
        if (strcmp(results->score_names[score], "energy") == 0) return score;
    return 0;
}

/* ---- choosing ---- */

struct ranked {
    float score;
    int64_t index;
};

static int by_score(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

/* All images of a set, the most ID-like first; NULL without memory. */
static struct ranked *rank(const struct sft_score_values *values)
{
    struct ranked *ranked = sft_calloc((size_t)values->n, sizeof(*ranked));
    for (int64_t i = 0; ranked && i < values->n; i++) ranked[i] = (struct ranked){values->values[i], i};
    if (ranked) qsort(ranked, (size_t)values->n, sizeof(*ranked), by_score);
    return ranked;
}

/* ---- pictures ---- */

static enum sft_status shrink(const struct sft_image *image, struct sft_image *small)
{
    int longer = image->width > image->height ? image->width : image->height;
    int width = (image->width * SFT_EXAMPLE_SIDE + longer / 2) / longer;
    int height = (image->height * SFT_EXAMPLE_SIDE + longer / 2) / longer;
    return sft_resize(image, width > 0 ? width : 1, height > 0 ? height : 1, SFT_FILTER_BICUBIC, small);
}

static enum sft_status encode(const struct sft_image *image, struct sft_text *base64)
{
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)image->width,
                     .height = (png_uint_32)image->height,
                     .format = PNG_FORMAT_RGB};
    png_alloc_size_t size = 0;
    enum sft_status status = SFT_OK;
    void *bytes = NULL;
    if (!png_image_write_to_memory(&png, NULL, &size, 0, image->rgb, 0, NULL))
        return sft_fail(SFT_FAILED, "a picture of %dx%d pixels as PNG: %s", image->width, image->height,
                        png.message);
    bytes = sft_calloc(size, 1);
    if (!bytes) return SFT_MEMORY;
    if (png_image_write_to_memory(&png, bytes, &size, 0, image->rgb, 0, NULL))
        sft_text_add_base64(base64, bytes, size);
    else
        status = sft_fail(SFT_FAILED, "a picture of %dx%d pixels as PNG: %s", image->width, image->height,
                          png.message);
    free(bytes);
    return status == SFT_OK ? base64->status : status;
}

/* Image i of a set as a small PNG in base64, and its class. */
static enum sft_status picture(const struct sft_dataset *data, int64_t i, struct sft_text *base64, int *label)
{
    struct sft_image image = {0}, small = {0};
    enum sft_status status;
    int fits;
    SFT_TRY_OUT(sft_dataset_read(data, i, &image, label));
    fits = image.width <= SFT_EXAMPLE_SIDE && image.height <= SFT_EXAMPLE_SIDE;
    if (!fits) SFT_TRY_OUT(shrink(&image, &small));
    status = encode(fits ? &image : &small, base64);
out:
    sft_image_free(&image);
    sft_image_free(&small);
    return status;
}

/* ---- writing ---- */

static enum sft_status add_example(struct sft_json *json, const struct sft_results *results, int set,
                                   const struct sft_dataset *data, const struct ranked *ranked)
{
    const struct sft_score_values *before =
        sft_results_values(results, SFT_BEFORE, sft_results_lead(results), set);
    struct sft_text base64 = {0};
    int label = -1;
    enum sft_status status = picture(data, ranked->index, &base64, &label);
    if (status == SFT_OK) {
        sft_json_object(json, NULL);
        sft_json_integer(json, "index", ranked->index);
        sft_json_real(json, "score", (double)ranked->score);
        if (results->models > 1 && before->values && before->n > ranked->index)
            sft_json_real(json, "before", (double)before->values[ranked->index]);
        if (label >= 0) sft_json_text(json, "label", sft_dataset_class_name(data, label));
        sft_json_text(json, "png", base64.data);
        sft_json_end(json);
    }
    sft_text_free(&base64);
    return status;
}

static enum sft_status add_set(struct sft_json *json, const struct sft_results *results, int set,
                               const struct sft_dataset *data)
{
    const struct sft_score_values *values =
        sft_results_values(results, results->models - 1, sft_results_lead(results), set);
    const int64_t n = values->n, most = n < 2 * SFT_EXAMPLES ? (n + 1) / 2 : SFT_EXAMPLES;
    const int64_t counts[] = {most, n < 2 * SFT_EXAMPLES ? n - most : SFT_EXAMPLES};
    struct ranked *ranked = values->values ? rank(values) : NULL;
    enum sft_status status = ranked || !values->values ? SFT_OK : SFT_MEMORY;
    sft_json_object(json, sft_results_set_name(results, set));
    for (int kind = 0; ranked && kind < SFT_EXAMPLE_KINDS; kind++) {
        sft_json_array(json, kinds[kind]);
        for (int64_t i = 0; status == SFT_OK && i < counts[kind]; i++)
            status = add_example(json, results, set, data, &ranked[kind == SFT_EXAMPLE_MOST ? i : n - 1 - i]);
        sft_json_end(json);
    }
    sft_json_end(json);
    free(ranked);
    return status;
}

static enum sft_status make_json(struct sft_json *json, const struct sft_results *results,
                                 const struct sft_dataset *id, const struct sft_dataset *const *sets)
{
    sft_json_object(json, NULL);
    sft_json_text(json, "score", results->score_names[sft_results_lead(results)]);
    sft_json_object(json, "sets");
    for (int set = SFT_ID_SET; set < results->sets; set++)
        SFT_TRY(add_set(json, results, set, set == SFT_ID_SET ? id : sets[set]));
    sft_json_end(json);
    sft_json_end(json);
    return SFT_OK;
}

enum sft_status sft_examples_write(const struct sft_results *results, const struct sft_dataset *id,
                                   const struct sft_dataset *const *sets, const char *folder)
{
    struct sft_json json = {0};
    char *path = sft_path_join(folder, SFT_FILE_EXAMPLES);
    enum sft_status status = path ? make_json(&json, results, id, sets) : SFT_MEMORY;
    if (status == SFT_OK) status = sft_json_write(&json, path, JSON_INDENT(1));
    sft_json_free(&json);
    free(path);
    return status;
}

/* ---- reading ---- */

static bool is_base64(const char *text)
{
    size_t digits = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    size_t padding = strspn(text + digits, "=");
    return digits > 0 && padding < 3 && text[digits + padding] == '\0' && (digits + padding) % 4 == 0;
}

static enum sft_status read_example(const char *path, const json_t *object, struct sft_example_image *example)
{
    const json_t *index = json_object_get(object, "index");
    const char *png = json_string_value(json_object_get(object, "png"));
    const json_t *label = json_object_get(object, "label");
    if (!json_is_integer(index) || !png || !is_base64(png))
        return sft_fail(SFT_DATA, "%s: an example without index or picture", path);
    example->index = json_integer_value(index);
    example->score = sft_json_number(json_object_get(object, "score"));
    example->before = sft_json_number(json_object_get(object, "before"));
    example->png = sft_strdup(png);
    if (!json_is_string(label)) return example->png ? SFT_OK : SFT_MEMORY;
    example->label = sft_json_bytes(label);
    return example->png && example->label ? SFT_OK : SFT_MEMORY;
}

static enum sft_status read_set(const char *path, const json_t *object, struct sft_example_set *set)
{
    for (int kind = 0; kind < SFT_EXAMPLE_KINDS; kind++) {
        const json_t *array = json_object_get(object, kinds[kind]);
        size_t n = json_array_size(array);
        for (size_t i = 0; i < n && i < SFT_EXAMPLES; i++) {
            set->count[kind]++;
            SFT_TRY(read_example(path, json_array_get(array, i), &set->example[kind][i]));
        }
    }
    return SFT_OK;
}

static enum sft_status read_sets(const char *path, json_t *sets, struct sft_examples *examples)
{
    const char *name;
    json_t *object;
    examples->set = sft_calloc(json_object_size(sets), sizeof(*examples->set));
    if (!examples->set) return SFT_MEMORY;
    json_object_foreach(sets, name, object)
    {
        struct sft_example_set *set = &examples->set[examples->sets++];
        set->name = sft_strdup(name);
        if (!set->name) return SFT_MEMORY;
        sft_text_unspell(set->name);
        SFT_TRY(read_set(path, object, set));
    }
    return SFT_OK;
}

static enum sft_status read_all(const char *path, const json_t *object, struct sft_examples *examples)
{
    const json_t *score = json_object_get(object, "score");
    if (!json_is_string(score)) return sft_fail(SFT_DATA, "%s: \"score\" is missing", path);
    examples->score = sft_json_bytes(score);
    return examples->score ? read_sets(path, json_object_get(object, "sets"), examples) : SFT_MEMORY;
}

enum sft_status sft_examples_read(const char *path, struct sft_examples *examples)
{
    json_t *object;
    enum sft_status status;
    memset(examples, 0, sizeof(*examples));
    SFT_TRY(sft_json_read(path, &object));
    status = read_all(path, object, examples);
    json_decref(object);
    if (status != SFT_OK) sft_examples_free(examples);
    return status;
}

void sft_examples_free(struct sft_examples *examples)
{
    for (int i = 0; i < examples->sets; i++) {
        struct sft_example_set *set = &examples->set[i];
        for (int kind = 0; kind < SFT_EXAMPLE_KINDS; kind++)
            for (int k = 0; k < set->count[kind]; k++) {
                free(set->example[kind][k].label);
                free(set->example[kind][k].png);
            }
        free(set->name);
    }
    free(examples->set);
    free(examples->score);
    memset(examples, 0, sizeof(*examples));
}
