/* SPDX-License-Identifier: Apache-2.0 */
/* MOS, and the accuracy of a grouped classifier, against PyTorch in float64 (tests/golden/mos.py); and which
 * scores look at which kind of classifier. */
#include <string.h>

#include "ood/results/classifier.h"
#include "ood/scores/score.h"
#include "tests/nn/mos.h"
#include "tests/support/fixture.h"

static struct mos mos;

static struct sft_outputs outputs(void)
{
    return (struct sft_outputs){.n = MOS_ROWS,
                                .classes = MOS_CLASSES,
                                .groups = mos.groups,
                                .logits = mos.logits,
                                .labels = mos.labels};
}

static struct sft_scorer scorer_of(const char *name)
{
    struct sft_scorer scorer;
    assert_non_null(sft_score_find(name));
    assert_int_equal(sft_scorer_init(sft_score_find(name), &scorer), SFT_OK);
    return scorer;
}

static void test_score(void **state)
{
    const struct sft_scorer scorer = scorer_of("mos");
    const struct sft_outputs images = outputs();
    const json_t *expected = json_object_get(mos.golden, "scores");
    float scores[MOS_ROWS];
    (void)state;
    assert_int_equal(sft_scorer_compute(&scorer, &images, NULL, scores), SFT_OK);
    for (size_t i = 0; i < MOS_ROWS; i++)
        if (!(fabs((double)scores[i] / golden_number(expected, i) - 1) < 1e-5))
            fail_msg("image %zu: %.9g instead of %.9g", i, (double)scores[i], golden_number(expected, i));
}

/* Two groups of one class: "others" has 1/4 in the first and 1/2 in the second. */
static void test_score_by_hand(void **state)
{
    const float logits[] = {0, logf(3), 5, 5, /**/ 0, 0, NAN, 0};
    const struct sft_scorer scorer = scorer_of("mos");
    struct sft_outputs images = {.n = 2, .classes = 2, .logits = logits};
    struct sft_groups *groups;
    float scores[2];
    (void)state;
    assert_int_equal(sft_groups_create("1;0", 2, "test", &groups), SFT_OK);
    images.groups = groups;
    assert_int_equal(sft_scorer_compute(&scorer, &images, NULL, scores), SFT_OK);
    assert_true(fabsf(scores[0] + 0.25f) < 1e-7f);
    assert_true(isnan(scores[1]));
    sft_groups_destroy(&groups);
}

static void test_accuracy(void **state)
{
    const struct sft_outputs images = outputs();
    const json_t *predicted = json_object_get(mos.golden, "predicted");
    double accuracy, error;
    int right = 0;
    (void)state;
    for (size_t i = 0; i < MOS_ROWS; i++) right += mos.labels[i] == golden_number(predicted, i);
    assert_int_equal(sft_classifier_accuracy(&images, &accuracy), SFT_OK);
    assert_true(accuracy == (double)right / MOS_ROWS);
    assert_int_equal(sft_classifier_calibration_error(&images, &error), SFT_OK);
    assert_true(error > 0 && error < 1);
}

static void test_kinds_of_classifiers(void **state)
{
    struct sft_outputs grouped = outputs(), plain = {.n = 1, .classes = MOS_CLASSES, .logits = mos.logits};
    const struct sft_model flat_model = {.classes = MOS_CLASSES},
                           grouped_model = {.classes = MOS_CLASSES, .groups = mos.groups};
    float scores[MOS_ROWS];
    (void)state;
    for (int i = 0; i < sft_score_count(); i++) {
        struct sft_scorer scorer;
        assert_int_equal(sft_scorer_init(sft_score_at(i), &scorer), SFT_OK);
        if (sft_scorer_needs(&scorer) & SFT_NEEDS_GROUPS) {
            assert_int_equal(sft_scorer_compute(&scorer, &plain, NULL, scores), SFT_USAGE);
            assert_non_null(strstr(sft_scorer_misfit(&scorer, &flat_model), "--mos-groups"));
            assert_null(sft_scorer_misfit(&scorer, &grouped_model));
        } else if (sft_scorer_needs(&scorer) & (SFT_NEEDS_LOGITS | SFT_NEEDS_HEAD)) {
            assert_int_equal(sft_scorer_compute(&scorer, &grouped, NULL, scores), SFT_USAGE);
            assert_non_null(
                strstr(sft_scorer_misfit(&scorer, &grouped_model), "one softmax over all classes"));
        }
    }
}

static int setup(void **state)
{
    (void)state;
    test_catch_log();
    mos_open(&mos);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mos_close(&mos);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_score),
        cmocka_unit_test(test_score_by_hand),
        cmocka_unit_test(test_accuracy),
        cmocka_unit_test(test_kinds_of_classifiers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
