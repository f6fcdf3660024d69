/* SPDX-License-Identifier: Apache-2.0 */
/* A case of tests/golden/models_conv.json or models.json: a model, its images and labels by formula. */
#ifndef SFT_TESTS_CASE_H
#define SFT_TESTS_CASE_H

#include "tests/nn/formula.h"
#include "tests/nn/golden.h"
#include "tests/support/group.h"

struct golden_case {
    const char *name; /* of the model */
    json_t *expected;
};

/* An integer of a case, `usual` where the file leaves it out. */
static inline int case_int(const struct golden_case *golden, const char *key, int usual)
{
    const json_t *value = json_object_get(golden->expected, key);
    return value ? (int)json_integer_value(value) : usual;
}

static inline int case_size(const struct golden_case *golden) { return case_int(golden, "size", 32); }

static inline struct formula_scales case_scales(const struct golden_case *golden)
{
    return (struct formula_scales){
        .tamed = json_string_value(json_object_get(golden->expected, "tamed")),
        .filters = (float)json_number_value(json_object_get(golden->expected, "filters"))};
}

static inline struct sft_model *case_model(const struct golden_case *golden, struct sft_device *device,
                                           float standardize_epsilon)
{
    const struct sft_model_config config = {.name = golden->name,
                                            .classes = 10,
                                            .image_size = case_size(golden),
                                            .standardize_epsilon = standardize_epsilon};
    struct sft_model *model;
    assert_int_equal(sft_model_create(device, &config, &model), SFT_OK);
    assert_int_equal(formula_fill_scaled(&model->parameters, case_scales(golden)), SFT_OK);
    return model;
}

/* n images on the host; free(). */
static inline float *case_images(const struct golden_case *golden, const char *name, int64_t n)
{
    const int64_t size = case_size(golden);
    float *images = calloc((size_t)(n * size * size * 3), sizeof(*images));
    assert_non_null(images);
    formula_images_of(name, n, size, images);
    return images;
}

/* Whether the case is for this run: the slow ones are where all is wanted, and for who names the file with
 * SFT_TEST_GOLDEN. */
static inline bool case_is_wanted(const struct golden_case *golden)
{
    return getenv("SFT_TEST_GOLDEN") || test_is_thorough() ||
           !json_is_true(json_object_get(golden->expected, "slow"));
}

/* What the framework's own float32 is off by, three times: no float32 implementation of a network with ReLUs
 * is nearer. `usual` where it is less, or not known. */
static inline double case_tolerance(const struct golden_case *golden, const char *key, double usual)
{
    const json_t *measured = json_object_get(json_object_get(golden->expected, "float32"), key);
    return fmax(usual, 3 * json_number_value(measured));
}

#endif
