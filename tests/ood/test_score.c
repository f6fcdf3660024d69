/* SPDX-License-Identifier: Apache-2.0 */
/* Scores against their definitions in double precision, and the reading of lists of names. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ood/score.h"
#include "runtime/log.h"
#include "runtime/rng.h"

enum { N = 1000, CLASSES = 37 };

static char logged[512];

static void keep(void *context, enum sft_log_level level, const char *message)
{
    (void)context, (void)level;
    snprintf(logged, sizeof(logged), "%s", message);
}

static int setup(void **state)
{
    (void)state;
    sft_log_set_sink(keep, NULL);
    return 0;
}

static double max_of(const float *z)
{
    double max = -INFINITY;
    for (int c = 0; c < CLASSES; c++) max = fmax(max, (double)z[c]);
    return max;
}

static double lse(const float *z, double t)
{
    double sum = 0, max = max_of(z);
    for (int c = 0; c < CLASSES; c++) sum += exp(((double)z[c] - max) / t);
    return max / t + log(sum);
}

static double msp(const float *z, const struct sft_score_params *p)
{
    (void)p;
    return exp(max_of(z) - lse(z, 1));
}

static double msp_log(const float *z, const struct sft_score_params *p)
{
    (void)p;
    return max_of(z) - lse(z, 1);
}

static double maxlogit(const float *z, const struct sft_score_params *p)
{
    (void)p;
    return max_of(z);
}

static double energy(const float *z, const struct sft_score_params *p)
{
    return (double)p->temperature * lse(z, (double)p->temperature);
}

static const struct {
    const char *name;
    struct sft_score_params params;
    double (*reference)(const float *z, const struct sft_score_params *params);
} cases[] = {
    {"msp", {1.0f, false}, msp},       {"msp", {1.0f, true}, msp_log},     {"maxlogit", {1.0f, false}, maxlogit},
    {"energy", {1.0f, false}, energy}, {"energy", {0.25f, false}, energy}, {"energy", {1000.0f, false}, energy},
};

static void equal_to_their_definitions(void **state)
{
    float *logits = malloc(sizeof(float) * N * CLASSES), *scores = malloc(sizeof(float) * N);
    const struct sft_outputs in = {.n = N, .classes = CLASSES, .logits = logits};
    struct sft_rng rng;
    (void)state;
    sft_rng_init(&rng, 1, SFT_STREAM_TEST, 0);
    for (int i = 0; i < N * CLASSES; i++) logits[i] = sft_rng_normal(&rng) * (i % 3 == 0 ? 90.0f : 4.0f);
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        const struct sft_score *score = sft_score_find(cases[k].name);
        assert_non_null(score);
        assert_int_equal(sft_score_compute(score, &cases[k].params, &in, scores), SFT_OK);
        for (int i = 0; i < N; i++) {
            double want = cases[k].reference(logits + i * CLASSES, &cases[k].params);
            if (!(fabs((double)scores[i] - want) <= 4e-6 * fmax(1.0, fabs(want))))
                fail_msg("%s, case %zu, image %d: got %.9g, want %.9g", cases[k].name, k, i, (double)scores[i], want);
        }
    }
    free(logits);
    free(scores);
}

static void confident_images_tie_at_one(void **state)
{
    static const float logits[] = {50, 0, 0, /**/ 80, 0, 0};
    const struct sft_outputs in = {.n = 2, .classes = 3, .logits = logits};
    const struct sft_score_params params = sft_score_params_default();
    float scores[2];
    (void)state;
    assert_int_equal(sft_score_compute(sft_score_find("msp"), &params, &in, scores), SFT_OK);
    assert_true(scores[0] == 1.0f && scores[1] == 1.0f);
}

static void damaged_logits_never_give_a_number(void **state)
{
    const struct sft_score_params params = sft_score_params_default();
    (void)state;
    for (int k = 0; k < sft_score_count(); k++)
        for (int at = 0; at < 3; at++) {
            float logits[] = {1, 2, 3}, score = 0;
            const struct sft_outputs in = {.n = 1, .classes = 3, .logits = logits};
            logits[at] = NAN;
            assert_int_equal(sft_score_compute(sft_score_at(k), &params, &in, &score), SFT_OK);
            assert_true(isnan(score));
        }
}

static void missing_inputs_and_wild_parameters_are_refused(void **state)
{
    static const float logits[] = {1, 2};
    const struct sft_outputs in = {.n = 1, .classes = 2, .logits = logits}, none = {.n = 1};
    struct sft_score_params params = sft_score_params_default();
    float score;
    (void)state;
    assert_int_equal(sft_score_compute(sft_score_find("energy"), &params, &none, &score), SFT_USAGE);
    params.temperature = 0;
    assert_int_equal(sft_score_compute(sft_score_find("energy"), &params, &in, &score), SFT_USAGE);
    params.temperature = NAN;
    assert_int_equal(sft_score_compute(sft_score_find("energy"), &params, &in, &score), SFT_USAGE);
}

static void lists_are_read_in_order_without_repeats(void **state)
{
    const struct sft_score **scores;
    int count;
    (void)state;
    assert_int_equal(sft_score_parse("energy,msp,energy", &scores, &count), SFT_OK);
    assert_int_equal(count, 2);
    assert_string_equal(scores[0]->name, "energy");
    assert_string_equal(scores[1]->name, "msp");
    free(scores);
    assert_int_equal(sft_score_parse("all", &scores, &count), SFT_OK);
    assert_int_equal(count, sft_score_count());
    free(scores);
}

static void unknown_names_get_a_hint(void **state)
{
    static const struct {
        const char *list, *message;
    } bad[] = {
        {"enrgy", "did you mean 'energy'"},
        {"msp,max-logit", "did you mean 'maxlogit'"},
        {"zzzzzzzzzz", "--help"},
        {"", "empty name"},
        {"msp,", "empty name"},
        {"a-name-that-is-much-longer-than-any-score-could-be-and-then-some", "--help"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct sft_score **scores;
        int count;
        assert_int_equal(sft_score_parse(bad[i].list, &scores, &count), SFT_USAGE);
        assert_null(scores);
        if (!strstr(logged, bad[i].message)) fail_msg("'%s': %s", bad[i].list, logged);
    }
}

static void every_score_describes_itself(void **state)
{
    (void)state;
    for (int i = 0; i < sft_score_count(); i++) {
        const struct sft_score *score = sft_score_at(i);
        assert_true(score->name && score->title && score->summary && score->compute && score->needs);
        assert_true(strlen(score->name) <= 32);
        assert_ptr_equal(sft_score_find(score->name), score);
    }
    assert_null(sft_score_at(sft_score_count()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_to_their_definitions),
        cmocka_unit_test(confident_images_tie_at_one),
        cmocka_unit_test(damaged_logits_never_give_a_number),
        cmocka_unit_test(missing_inputs_and_wild_parameters_are_refused),
        cmocka_unit_test(lists_are_read_in_order_without_repeats),
        cmocka_unit_test(unknown_names_get_a_hint),
        cmocka_unit_test(every_score_describes_itself),
    };
    return cmocka_run_group_tests_name("scores", tests, setup, NULL);
}
