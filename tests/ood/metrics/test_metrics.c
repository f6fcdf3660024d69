/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics against hand-worked vectors, scikit-learn (golden file) and a literal transcription of the
 * reference code. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ood/metrics/metrics.h"
#include "runtime/base/rng.h"
#include "tests/ood/numbers.h"
#include "tests/support/fixture.h"

struct expected {
    const char *convention;
    double fpr;
};

static void check_vector(int n_id, const float *id, int n_ood, const float *ood, double auroc, double aupr_in,
                         double aupr_out, const struct expected *fpr)
{
    for (; fpr->convention; fpr++) {
        const struct sft_convention *convention;
        struct sft_metrics m;
        assert_int_equal(sft_convention_find(fpr->convention, &convention), SFT_OK);
        assert_int_equal(sft_metrics_compute(convention, 0.95, n_id, id, n_ood, ood, &m), SFT_OK);
        assert_near(m.fpr, fpr->fpr, 1e-10);
        assert_near(m.auroc, auroc, 1e-12);
        if (strcmp(fpr->convention, "ref") != 0) continue;
        assert_near(m.aupr_in, aupr_in, 1e-12);
        assert_near(m.aupr_out, aupr_out, 1e-12);
        assert_int_equal(m.n_id, n_id);
        assert_int_equal(m.n_ood, n_ood);
    }
}

static void vector_with_ties(void **state)
{
    static const float id[] = {9, 8, 7, 7, 6, 5, 5, 4, 3, 2, 2, 1, 8, 6, 7, 9, 5, 4, 6, 3};
    static const float ood[] = {7, 6, 6, 4, 3, 3, 2, 1, 0, 0, 1, 2, 5};
    static const struct expected fpr[] = {{"ref", 9.0 / 13}, {"id", 9.0 / 13},   {"sk-roc", 9.0 / 13},
                                          {"openood", 0.8},  {"ood", 0.8},       {"pytorch-ood", 0.8},
                                          {"vim", 9.0 / 13}, {"dice", 7.0 / 13}, {NULL, 0}};
    (void)state;
    check_vector(20, id, 13, ood, 0.75, 0.8072890384441618, 0.6642214173978099, fpr);
}

static void vector_without_ties(void **state)
{
    static const float ood[] = {0.025f, 0.06f, 0.075f, 0.5f, 0.11f, 0.02f};
    static const struct expected fpr[] = {{"ref", 2.0 / 3}, {"sk-roc", 1.0 / 3}, {"openood", 0.5},
                                          {"vim", 1.0 / 3}, {"dice", 1.0 / 3},   {NULL, 0}};
    float id[20];
    (void)state;
    for (int i = 0; i < 20; i++) id[i] = (float)((i + 1) / 20.0);
    check_vector(20, id, 6, ood, 0.8875, 0.9605116462914451, 0.7732142857142856, fpr);
}

/* At other recalls, for the two conventions that scikit-learn has a word for. */
static void check_other_recalls(const json_t *rows, int64_t n_id, const float *id, int64_t n_ood,
                                const float *ood)
{
    static const char *const names[] = {"sk-roc", "openood"};
    const json_t *row;
    size_t index;
    json_array_foreach(rows, index, row) for (size_t i = 0; i < 2; i++)
    {
        double recall = json_number_value(json_array_get(row, 0));
        const struct sft_convention *convention;
        struct sft_metrics m;
        assert_int_equal(sft_convention_find(names[i], &convention), SFT_OK);
        assert_int_equal(sft_metrics_compute(convention, recall, n_id, id, n_ood, ood, &m), SFT_OK);
        assert_near(m.fpr, json_number_value(json_array_get(row, i + 1)), 1e-12);
    }
}

static void check_golden(const json_t *item)
{
    static const char *const names[] = {"ref",         "ood-pos-oe", "sk-roc", "openood",
                                        "pytorch-ood", "vim",        "dice"};
    int64_t n_id, n_ood;
    float *id = numbers(json_object_get(item, "id"), &n_id),
          *ood = numbers(json_object_get(item, "ood"), &n_ood);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *area = i < 2 ? "ap" : strcmp(names[i], "dice") == 0 ? "dice" : "trapezoid";
        const json_t *fpr = json_object_get(json_object_get(item, "fpr"), names[i]);
        const struct sft_convention *convention;
        struct sft_metrics m;
        char key[32];
        assert_int_equal(sft_convention_find(names[i], &convention), SFT_OK);
        assert_int_equal(sft_metrics_compute(convention, 0.95, n_id, id, n_ood, ood, &m), SFT_OK);
        assert_near(m.auroc, number(item, "auroc"), 1e-9);
        snprintf(key, sizeof(key), "%s_in", area);
        assert_near(m.aupr_in, number(item, key), 1e-9);
        snprintf(key, sizeof(key), "%s_out", area);
        assert_near(m.aupr_out, number(item, key), 1e-9);
        if (fpr) assert_near(m.fpr, json_number_value(fpr), 1e-12);
    }
    check_other_recalls(json_object_get(item, "first_fpr_at"), n_id, id, n_ood, ood);
    free(id);
    free(ood);
}

static void equal_to_scikit_learn(void **state)
{
    json_error_t error;
    json_t *golden = json_load_file(SFT_TEST_DATA "/golden/ood_metrics.json", 0, &error), *item;
    size_t index;
    (void)state;
    assert_non_null(golden);
    assert_true(json_array_size(json_object_get(golden, "cases")) >= 24);
    json_array_foreach(json_object_get(golden, "cases"), index, item) check_golden(item);
    json_decref(golden);
}

/* FPR95 as the reference code of docs/methods.md, "Metrics", finds it, step by step and without its closed
 * form: positives p, negatives q. */

struct labelled {
    float score;
    int positive;
};

static int by_score_descending(const void *a, const void *b)
{
    float x = ((const struct labelled *)a)->score, y = ((const struct labelled *)b)->score;
    return (x < y) - (x > y);
}

static double reference_fpr(double target, int n, const float *p, int m, const float *q)
{
    struct labelled all[128];
    double recall[128], fps[128], best = 2.0, result = -1.0;
    int points = 0, last = 0;
    int tp = 0, fp = 0;
    for (int i = 0; i < n; i++) all[i] = (struct labelled){p[i], 1};
    for (int i = 0; i < m; i++) all[n + i] = (struct labelled){q[i], 0};
    qsort(all, (size_t)(n + m), sizeof(all[0]), by_score_descending);
    for (int i = 0; i < n + m; i++) {
        tp += all[i].positive;
        fp += !all[i].positive;
        if (i + 1 < n + m && all[i + 1].score == all[i].score) continue;
        recall[points] = (double)tp / n;
        fps[points++] = fp;
    }
    while (recall[last] < 1.0) last++;
    for (int i = last; i >= 0; i--) {
        if (fabs(recall[i] - target) >= best) continue;
        best = fabs(recall[i] - target);
        result = fps[i] / m;
    }
    return result;
}

static void equal_to_the_reference_procedure(void **state)
{
    struct sft_rng rng;
    (void)state;
    sft_rng_init(&rng, 3, SFT_STREAM_TEST, 0);
    for (int round = 0; round < 8000; round++) {
        int n = 1 + (int)sft_rng_below(&rng, 60), m = 1 + (int)sft_rng_below(&rng, 60);
        uint32_t levels = round % 3 == 0 ? 1u << 24 : 1 + sft_rng_below(&rng, 12);
        double recall = round % 2 ? 0.95 : (1 + sft_rng_below(&rng, 100)) / 100.0;
        float id[64], ood[64], negated_id[64], negated_ood[64];
        struct sft_metrics ref, mirrored;
        for (int i = 0; i < n; i++) negated_id[i] = -(id[i] = (float)sft_rng_below(&rng, levels));
        for (int i = 0; i < m; i++) negated_ood[i] = -(ood[i] = (float)sft_rng_below(&rng, levels));
        assert_int_equal(sft_metrics_compute(&sft_conventions[0], recall, n, id, m, ood, &ref), SFT_OK);
        assert_true(ref.fpr == reference_fpr(recall, n, id, m, ood));
        assert_int_equal(sft_metrics_compute(&sft_conventions[2], recall, n, id, m, ood, &mirrored), SFT_OK);
        assert_true(mirrored.fpr == reference_fpr(recall, m, negated_ood, n, negated_id));
        assert_true(ref.auroc == mirrored.auroc);
    }
}

/* With distinct scores and n = 20,000 exactly 95 % are accepted: the FPR is what lies above the first
 * rejected score.
 */
static void large_sets_accept_exactly_95_percent(void **state)
{
    enum { N = 20000 };
    float *id = malloc(N * sizeof(*id)), *ood = malloc(N * sizeof(*ood));
    struct sft_metrics m;
    (void)state;
    for (int i = 0; i < N; i++) {
        id[i] = (float)(2 * i);
        ood[i] = (float)(2 * i - 9999);
    }
    assert_int_equal(sft_metrics_compute(&sft_conventions[0], 0.95, N, id, N, ood, &m), SFT_OK);
    assert_near(m.fpr, (N - (1998 + 9999) / 2 - 1) / (double)N, 1e-12);
    free(id);
    free(ood);
}

static void refuses_what_is_no_number(void **state)
{
    static const float good[] = {1, 2}, nan_second[] = {1, NAN}, infinite[] = {-INFINITY, INFINITY};
    const struct sft_convention *ref = &sft_conventions[0], *none;
    struct sft_metrics m;
    (void)state;
    assert_int_equal(sft_metrics_compute(ref, 0.95, 2, nan_second, 2, good, &m), SFT_FAILED);
    assert_int_equal(sft_metrics_compute(ref, 0.95, 2, good, 2, nan_second, &m), SFT_FAILED);
    assert_int_equal(sft_metrics_compute(ref, 0.95, 0, good, 2, good, &m), SFT_DATA);
    assert_int_equal(sft_metrics_compute(ref, 0.95, 2, good, 0, good, &m), SFT_DATA);
    assert_int_equal(sft_metrics_compute(ref, 0.0, 2, good, 2, good, &m), SFT_USAGE);
    assert_int_equal(sft_metrics_compute(ref, NAN, 2, good, 2, good, &m), SFT_USAGE);
    assert_int_equal(sft_convention_find("both", &none), SFT_USAGE);
    assert_null(none);
    assert_int_equal(sft_metrics_compute(ref, 0.95, 2, infinite, 2, good, &m), SFT_OK);
    assert_near(m.auroc, 0.5, 0);
}

static void one_image_of_each_kind(void **state)
{
    static const float low[] = {0}, high[] = {1};
    (void)state;
    for (int i = 0; i < SFT_CONVENTIONS; i++) {
        struct sft_metrics m;
        assert_int_equal(sft_metrics_compute(&sft_conventions[i], 0.95, 1, high, 1, low, &m), SFT_OK);
        assert_true(m.auroc == 1.0 && m.fpr == 0.0);
        assert_int_equal(sft_metrics_compute(&sft_conventions[i], 0.95, 1, low, 1, high, &m), SFT_OK);
        assert_true(m.auroc == 0.0 && m.fpr == 1.0);
    }
}

static void names_and_places(void **state)
{
    struct sft_metrics m = {.fpr = 1, .auroc = 2, .aupr_in = 3, .aupr_out = 4, .auroc_interval = {5, 6}};
    char title[16];
    (void)state;
    for (int metric = 0; metric < SFT_METRICS; metric++)
        assert_true(*sft_metric_in(&m, (enum sft_metric)metric) == metric + 1);
    assert_true(sft_metric_interval_in(&m, SFT_AUROC)->high == 6);
    assert_string_equal(sft_metric_title(SFT_FPR, 0.95, title), "FPR95");
    assert_string_equal(sft_metric_title(SFT_FPR, 0.995, title), "FPR99.5");
    assert_string_equal(sft_metric_title(SFT_AUROC, 0.95, title), "AUROC");
    assert_string_equal(sft_metric_rows[SFT_AUPR_OUT].key, "aupr_out");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vector_with_ties),
        cmocka_unit_test(vector_without_ties),
        cmocka_unit_test(equal_to_scikit_learn),
        cmocka_unit_test(equal_to_the_reference_procedure),
        cmocka_unit_test(large_sets_accept_exactly_95_percent),
        cmocka_unit_test(refuses_what_is_no_number),
        cmocka_unit_test(one_image_of_each_kind),
        cmocka_unit_test(names_and_places),
    };
    return cmocka_run_group_tests_name("metrics", tests, test_setup_log, NULL);
}
