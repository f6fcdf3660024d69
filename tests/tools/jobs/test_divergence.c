/* SPDX-License-Identifier: Apache-2.0 */
/* A training that goes wrong: what is said of it, and when it ends. */
#include <math.h>

#include "nn/model.h"
#include "runtime/open.h"
#include "tests/support/fixture.h"
#include "tools/jobs/divergence.h"

static enum sft_status look(struct sft_divergence *divergence, int64_t step, double loss, double loss_id)
{
    struct sft_fit_report report = {.step = step};
    report.result.loss = (float)loss;
    report.result.loss_id = (float)loss_id;
    test_catch_log();
    return sft_divergence_step(divergence, &report);
}

static const json_t *record(const struct sft_divergence *divergence, struct sft_json *json)
{
    sft_json_object(json, NULL);
    sft_divergence_json(divergence, json);
    sft_json_end(json);
    return json_object_get(json->root, "divergence");
}

static void growth_is_told_once(void **state)
{
    struct sft_divergence divergence = {.classes = 10};
    struct sft_json json = {0};
    (void)state;
    assert_int_equal(look(&divergence, 0, 1, 0.1), SFT_OK);
    assert_int_equal(look(&divergence, 1, 69, 69), SFT_OK); /* 30 times the loss of a guess */
    assert_string_equal(test_log(), "");
    assert_int_equal(look(&divergence, 2, 70, 70), SFT_OK);
    test_expect_log("step 3: the loss has grown from 1 (step 1) to 70");
    assert_int_equal(look(&divergence, 3, 1e9, 1e9), SFT_OK);
    assert_string_equal(test_log(), "");
    assert_int_equal(json_integer_value(json_object_get(record(&divergence, &json), "step")), 3);
    sft_json_free(&json);
}

static void what_is_no_number_ends_it(void **state)
{
    const double losses[] = {(double)NAN, (double)INFINITY};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct sft_divergence divergence = {.classes = 10};
        assert_int_equal(look(&divergence, 4, 2, 2), SFT_OK);
        assert_int_equal(look(&divergence, 5, losses[i], 2), SFT_FAILED);
        test_expect_log("step 6: the loss is no finite number");
    }
}

static void forgotten_classes_are_told(void **state)
{
    struct sft_divergence good = {.classes = 10}, bad = good, fresh = good;
    struct sft_json json = {0};
    (void)state;
    assert_int_equal(look(&good, 0, 1, 0.1), SFT_OK);
    assert_int_equal(look(&good, 1, 2, 1.5), SFT_OK);
    assert_int_equal(look(&bad, 0, 1, 0.1), SFT_OK);
    assert_int_equal(look(&bad, 1, 3, 2.3), SFT_OK);
    assert_int_equal(look(&fresh, 0, 3, 2.4), SFT_OK); /* it never knew them */
    assert_int_equal(look(&fresh, 1, 3, 2.4), SFT_OK);
    sft_divergence_end(&good);
    sft_divergence_end(&fresh);
    assert_string_equal(test_log(), "");
    assert_null(record(&good, &json));
    sft_json_free(&json);
    sft_divergence_end(&bad);
    test_expect_log("the model has forgotten its classes");
    assert_non_null(record(&bad, &json));
    sft_json_free(&json);
}

static void ruined_weights_are_found(void **state)
{
    const struct sft_model_config config = {.name = "resnetv2_20_gn", .classes = 3};
    const float ruin = INFINITY;
    struct sft_device *device;
    struct sft_model *model;
    (void)state;
    assert_int_equal(sft_device_open("cpu", 0, &device), SFT_OK);
    assert_int_equal(sft_model_create(device, &config, &model), SFT_OK);
    assert_int_equal(sft_parameters_init(&model->parameters, 1), SFT_OK);
    assert_int_equal(sft_check_finite(&model->parameters), SFT_OK);
    assert_int_equal(sft_tensor_upload(model->parameters.weights, 100, 1, &ruin), SFT_OK);
    test_catch_log();
    assert_int_equal(sft_check_finite(&model->parameters), SFT_FAILED);
    test_expect_log("no model is written");
    sft_model_destroy(&model);
    sft_device_close(&device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth_is_told_once),
        cmocka_unit_test(what_is_no_number_ends_it),
        cmocka_unit_test(forgotten_classes_are_told),
        cmocka_unit_test(ruined_weights_are_found),
    };
    return cmocka_run_group_tests_name("jobs/divergence", tests, test_setup_log, NULL);
}
