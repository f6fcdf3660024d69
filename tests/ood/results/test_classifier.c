/* SPDX-License-Identifier: Apache-2.0 */
/* Accuracy and calibration error against cases worked by hand and NumPy (golden file). */
#include "ood/results/classifier.h"
#include "tests/ood/numbers.h"

#define OUTPUTS(number, n_classes, of_logits, of_labels)                                                     \
    (struct sft_outputs) { .n = number, .classes = n_classes, .logits = of_logits, .labels = of_labels }

static void accuracy(void **state)
{
    static const float logits[] = {1, 2, 0, /**/ 3, 3, 1, /**/ 0, 0, 5}, bad[] = {0, NAN, 1};
    static const int32_t labels[] = {1, 1, 2}, first_wins[] = {1, 0, 2}, outside[] = {1, 3, 2};
    double value = -1;
    (void)state;
    assert_int_equal(sft_classifier_accuracy(&OUTPUTS(3, 3, logits, labels), &value), SFT_OK);
    assert_near(value, 2.0 / 3, 1e-15);
    assert_int_equal(sft_classifier_accuracy(&OUTPUTS(3, 3, logits, first_wins), &value), SFT_OK);
    assert_near(value, 1.0, 0);
    assert_int_equal(sft_classifier_accuracy(&OUTPUTS(3, 3, logits, outside), &value), SFT_DATA);
    assert_int_equal(sft_classifier_accuracy(&OUTPUTS(0, 3, logits, labels), &value), SFT_DATA);
    assert_int_equal(sft_classifier_accuracy(&OUTPUTS(1, 3, bad, labels), &value), SFT_FAILED);
}

/* By hand: confidences 1/2 (right), 1/2 (wrong) and 9/10 (right) lie in the bins (7/15, 8/15] and (13/15,
 * 14/15]. */
static void calibration_error_by_hand(void **state)
{
    static const float infinite[] = {INFINITY, INFINITY};
    const float logits[] = {0, 0, /**/ 0, 0, /**/ 0, logf(9.0f)};
    static const int32_t labels[] = {0, 1, 1}, outside[] = {2};
    double error = -1;
    (void)state;
    assert_int_equal(sft_classifier_calibration_error(&OUTPUTS(3, 2, logits, labels), &error), SFT_OK);
    assert_near(error, 0.1 / 3, 1e-7);
    assert_int_equal(sft_classifier_calibration_error(&OUTPUTS(2, 2, logits, labels), &error), SFT_OK);
    assert_near(error, 0, 1e-15);
    assert_int_equal(sft_classifier_calibration_error(&OUTPUTS(1, 2, infinite, labels), &error), SFT_OK);
    assert_true(isnan(error));
    assert_int_equal(sft_classifier_calibration_error(&OUTPUTS(1, 2, logits, outside), &error), SFT_DATA);
    assert_int_equal(sft_classifier_calibration_error(&OUTPUTS(0, 2, logits, labels), &error), SFT_DATA);
}

static void calibration_error_as_numpy_has_it(void **state)
{
    json_error_t json_error;
    json_t *golden = json_load_file(SFT_TEST_DATA "/golden/ood_metrics.json", 0, &json_error), *item;
    size_t index;
    (void)state;
    assert_true(json_array_size(json_object_get(golden, "calibration")) >= 4);
    json_array_foreach(json_object_get(golden, "calibration"), index, item)
    {
        int64_t n, n_logits;
        float *label_numbers = numbers(json_object_get(item, "labels"), &n);
        float *logits = numbers(json_object_get(item, "logits"), &n_logits);
        int32_t *labels = calloc((size_t)n, sizeof(*labels));
        double error;
        assert_non_null(labels);
        for (int64_t i = 0; i < n; i++) labels[i] = (int32_t)label_numbers[i];
        assert_int_equal(sft_classifier_calibration_error(
                             &OUTPUTS(n, (int)number(item, "classes"), logits, labels), &error),
                         SFT_OK);
        assert_near(error, number(item, "ece"), 1e-9);
        free(label_numbers);
        free(logits);
        free(labels);
    }
    json_decref(golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accuracy),
        cmocka_unit_test(calibration_error_by_hand),
        cmocka_unit_test(calibration_error_as_numpy_has_it),
    };
    return cmocka_run_group_tests_name("classifier", tests, test_setup_log, NULL);
}
