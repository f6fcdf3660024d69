/* SPDX-License-Identifier: Apache-2.0 */
/* Calibration files: what they say of their model comes back, and what fits no longer is refused. */
#include <string.h>

#include "ood/calibration.h"
#include "runtime/base/alloc.h"
#include "runtime/open.h"
#include "tests/support/fixture.h"

static struct sft_device *device;

static int setup(void **state)
{
    return test_setup_folder(state) || sft_device_open("cpu", 0, &device) != SFT_OK;
}

static int teardown(void **state)
{
    sft_device_close(&device);
    return test_remove_folder(state);
}

static struct sft_model *make(const float mean[3])
{
    struct sft_model_config config = {.name = "resnetv2_20_gn", .classes = 3, .std = {0.2f, 0.3f, 0.4f}};
    struct sft_model *model;
    memcpy(config.mean, mean, sizeof(config.mean));
    assert_int_equal(sft_model_create(device, &config, &model), SFT_OK);
    assert_int_equal(sft_parameters_init(&model->parameters, 1), SFT_OK);
    return model;
}

/* A threshold of the energy score. */
static const char *write_one(const struct sft_model *model)
{
    struct sft_calibration calibration = {.recall = 0.95, .images = 40, .n = 1};
    const char *path = test_path("energy.cal");
    calibration.scorers = sft_calloc(1, sizeof(*calibration.scorers));
    calibration.thresholds = sft_calloc(1, sizeof(double));
    assert_int_equal(sft_scorer_init(sft_score_find("energy"), calibration.scorers), SFT_OK);
    assert_int_equal(sft_calibration_of(model, &calibration), SFT_OK);
    assert_int_equal(sft_calibration_write(&calibration, path), SFT_OK);
    sft_calibration_free(&calibration);
    return path;
}

static void names_travel(void **state)
{
    static const char *const names[] = {"ant", "caf\xe9", "caf\\xE9"};
    struct sft_model *model = make((const float[]){0.5f, 0.4f, 0.3f});
    struct sft_calibration calibration;
    int first;
    (void)state;
    for (int c = 0; c < 3; c++) assert_int_equal(sft_class_names_add(&model->class_names, names[c]), SFT_OK);
    assert_int_equal(sft_calibration_read(write_one(model), model, &calibration), SFT_OK);
    assert_int_equal(calibration.class_names.n, 3);
    assert_int_equal(sft_class_names_compare(&calibration.class_names, &model->class_names, &first),
                     SFT_CLASSES_SAME);
    sft_calibration_free(&calibration);
    sft_model_destroy(&model);
}

/* Scores of images that are normalised in another way have another threshold. */
static void other_normalisation_is_refused(void **state)
{
    struct sft_model *model = make((const float[]){0.5f, 0.4f, 0.3f});
    struct sft_model *other = make((const float[]){0.5f, 0.4f, 0.35f});
    const char *path = write_one(model);
    struct sft_calibration calibration;
    (void)state;
    assert_int_equal(sft_calibration_read(path, model, &calibration), SFT_OK);
    assert_int_equal(calibration.class_names.n, 0);
    sft_calibration_free(&calibration);
    assert_int_equal(sft_calibration_read(path, other, &calibration), SFT_DATA);
    test_expect_last("a mean of 0.300000012 for channel 2, where the model has 0.349999994");
    sft_calibration_free(&calibration);
    sft_model_destroy(&other);
    sft_model_destroy(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_travel),
        cmocka_unit_test(other_normalisation_is_refused),
    };
    return cmocka_run_group_tests_name("calibration", tests, setup, teardown);
}
