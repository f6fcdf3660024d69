/* SPDX-License-Identifier: Apache-2.0 */
/* Scores against their definitions in double precision, and the reading of lists of names. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ood/scores/score.h"
#include "runtime/base/rng.h"
#include "tests/support/fixture.h"

enum { N = 1000, CLASSES = 37 };

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

static double msp(const float *z, double t)
{
    (void)t;
    return exp(max_of(z) - lse(z, 1));
}

static double msp_log(const float *z, double t)
{
    (void)t;
    return max_of(z) - lse(z, 1);
}

static double maxlogit(const float *z, double t)
{
    (void)t;
    return max_of(z);
}

static double energy(const float *z, double t) { return t * lse(z, t); }

static const struct {
    const char *name, *knob, *text; /* a knob to turn, or NULL */
    double temperature;
    double (*reference)(const float *z, double temperature);
} cases[] = {
    {"msp", NULL, NULL, 1, msp},
    {"msp", "msp-log", "yes", 1, msp_log},
    {"maxlogit", NULL, NULL, 1, maxlogit},
    {"energy", NULL, NULL, 1, energy},
    {"energy", "temperature", "0.25", 0.25, energy},
    {"energy", "temperature", "1000", 1000, energy},
    {"energy", "temperature", "0.0001", 1e-4, energy},
    {"energy", "temperature", "1e6", 1e6, energy},
};

static struct sft_scorer scorer_of(const char *name)
{
    struct sft_scorer scorer;
    assert_non_null(sft_score_find(name));
    assert_int_equal(sft_scorer_init(sft_score_find(name), &scorer), SFT_OK);
    return scorer;
}

static enum sft_status turn(struct sft_scorer *scorer, const char *knob, const char *text)
{
    for (int i = 0; i < sft_score_knobs(scorer->score); i++)
        if (strcmp(scorer->score->knobs[i].name, knob) == 0)
            return sft_knob_read(&scorer->score->knobs[i], text, &scorer->knobs[i]);
    fail_msg("%s has no knob %s", scorer->score->name, knob);
    return SFT_FAILED;
}

static void equal_to_their_definitions(void **state)
{
    float *logits = malloc(sizeof(float) * N * CLASSES), *scores = malloc(sizeof(float) * N);
    const struct sft_outputs in = {.n = N, .classes = CLASSES, .logits = logits};
    struct sft_rng rng;
    (void)state;
    sft_rng_init(&rng, 1, SFT_STREAM_TEST, 0);
    for (int i = 0; i < N * CLASSES; i++) logits[i] = sft_rng_normal(&rng) * (i % 3 == 0 ? 90.0f : 4.0f);
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        struct sft_scorer scorer = scorer_of(cases[k].name);
        if (cases[k].knob) assert_int_equal(turn(&scorer, cases[k].knob, cases[k].text), SFT_OK);
        assert_int_equal(sft_scorer_compute(&scorer, &in, NULL, scores), SFT_OK);
        for (int i = 0; i < N; i++) {
            double want = cases[k].reference(logits + i * CLASSES, cases[k].temperature);
            if (!(fabs((double)scores[i] - want) <= 4e-6 * fmax(1.0, fabs(want))))
                fail_msg("%s, case %zu, image %d: got %.9g, want %.9g", cases[k].name, k, i,
                         (double)scores[i], want);
        }
    }
    free(logits);
    free(scores);
}

static void confident_images_tie_at_one(void **state)
{
    static const float logits[] = {50, 0, 0, /**/ 80, 0, 0};
    const struct sft_outputs in = {.n = 2, .classes = 3, .logits = logits};
    struct sft_scorer scorer = scorer_of("msp");
    float scores[2];
    (void)state;
    assert_int_equal(sft_scorer_compute(&scorer, &in, NULL, scores), SFT_OK);
    assert_true(scores[0] == 1.0f && scores[1] == 1.0f);
}

static void damaged_logits_never_give_a_number(void **state)
{
    static const char *const names[] = {"msp", "maxlogit", "energy", "odin", "gen"};
    (void)state;
    for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
        for (int at = 0; at < 3; at++) {
            float logits[] = {1, 2, 3}, score = 0;
            const struct sft_outputs in = {.n = 1, .classes = 3, .logits = logits};
            struct sft_scorer scorer = scorer_of(names[k]);
            logits[at] = NAN;
            assert_int_equal(sft_scorer_compute(&scorer, &in, NULL, &score), SFT_OK);
            if (!isnan(score)) fail_msg("%s: %g for a damaged logit", names[k], (double)score);
        }
}

static void missing_inputs_and_wild_knobs_are_refused(void **state)
{
    static const float logits[] = {1, 2};
    const struct sft_outputs in = {.n = 1, .classes = 2, .logits = logits}, none = {.n = 1};
    struct sft_scorer energy_scorer = scorer_of("energy"), react = scorer_of("react");
    struct sft_scorer knn = scorer_of("knn"), msp = scorer_of("msp");
    float score;
    (void)state;
    assert_int_equal(sft_scorer_compute(&energy_scorer, &none, NULL, &score), SFT_USAGE);
    assert_int_equal(sft_scorer_compute(&react, &in, NULL, &score), SFT_USAGE);
    assert_int_equal(turn(&energy_scorer, "temperature", "0"), SFT_USAGE);
    assert_int_equal(turn(&energy_scorer, "temperature", "nan"), SFT_USAGE);
    assert_int_equal(turn(&energy_scorer, "temperature", "1x"), SFT_USAGE);
    assert_int_equal(turn(&knn, "knn-k", "50.5"), SFT_USAGE);
    assert_int_equal(turn(&msp, "msp-log", "maybe"), SFT_USAGE);
}

/* Three classes, and images predicted to be of the first two only. */
static void klm_says_which_class_is_missing(void **state)
{
    static const float logits[] = {4, 0, 1, /**/ 0, 5, 1};
    static const int32_t labels[] = {0, 1};
    const struct sft_outputs in = {.n = 2, .classes = 3, .logits = logits, .labels = labels};
    float scores[2];
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        static const char *const kinds[] = {"mos", "train", "pred-only", "val"};
        struct sft_scorer scorer = scorer_of("klm");
        assert_int_equal(turn(&scorer, "klm", kinds[kind]), SFT_OK);
        assert_int_equal(sft_scorer_fit(&scorer, &in, NULL), kind < 3 ? SFT_DATA : SFT_OK);
        if (kind < 3) test_expect_last("class 2 has none");
        if (kind == 3) assert_int_equal(sft_scorer_compute(&scorer, &in, NULL, scores), SFT_OK);
        sft_scorer_free(&scorer);
    }
    assert_true(fabs((double)scores[0]) < 1e-6 &&
                fabs((double)scores[1]) < 1e-6); /* each its class's only image */
}

/* A feature map of one channel, 0 or 10 by class. Adversarial copies lie between the classes for the third
 * and the fifth of the seven steps that the search tries, 0.005 and 0.0014, and where the clean images are
 * for the others. */
static void mahalanobis_keeps_the_first_step_that_separates_best(void **state)
{
    enum { IMAGES = 20, STEPS = 7 };
    float logits[IMAGES][2] = {{0}}, features[IMAGES] = {0}, clean[IMAGES], tuned[IMAGES][2][STEPS],
          scores[IMAGES];
    int32_t labels[IMAGES];
    const struct sft_head head = {.classes = 2, .width = 1, .n_taps = 1, .tap_widths = {1}};
    struct sft_outputs out = {.n = IMAGES,
                              .classes = 2,
                              .logits = logits[0],
                              .width = 1,
                              .features = features,
                              .extra_width = 1,
                              .extra = clean,
                              .labels = labels};
    struct sft_scorer scorer = scorer_of("mahalanobis");
    (void)state;
    for (int i = 0; i < IMAGES; i++) {
        labels[i] = i % 2;
        clean[i] = 10.0f * (float)(i % 2) + 0.1f * (float)(i % 5);
        for (int s = 0; s < STEPS; s++) {
            tuned[i][0][s] = clean[i];
            tuned[i][1][s] = s == 2 || s == 4 ? 5 : clean[i];
        }
    }
    assert_int_equal(turn(&scorer, "maha-search", "yes"), SFT_OK);
    assert_int_equal(sft_scorer_fit(&scorer, &out, &head), SFT_OK);
    assert_int_equal(sft_scorer_compute(&scorer, &out, &head, scores), SFT_USAGE); /* not tuned */
    out.extra = tuned[0][0];
    out.extra_width = 2 * STEPS;
    assert_int_equal(sft_scorer_tune(&scorer, &out, &head), SFT_OK);
    assert_true(*sft_statistics_get(&scorer.statistics, "eps", SFT_SHAPE(1)) == 0.005f);
    out.extra = clean;
    out.extra_width = 1;
    clean[1] = 5;
    assert_int_equal(sft_scorer_compute(&scorer, &out, &head, scores), SFT_OK);
    for (int i = 0; i < IMAGES; i++) assert_true(i == 1 || scores[i] > scores[1]);
    sft_scorer_free(&scorer);
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

static void names_are_read_as_people_write_them(void **state)
{
    static const char *const lists[] = {"MSP,Energy,KL matching,ASH-B", " msp , energy,klm,ash_b",
                                        "Msp,ENERGY,KL-Matching,AshB"};
    static const char *const names[] = {"msp", "energy", "klm", "ash_b"};
    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const struct sft_score **scores;
        int count;
        assert_int_equal(sft_score_parse(lists[i], &scores, &count), SFT_OK);
        assert_int_equal(count, 4);
        for (int s = 0; s < count; s++) assert_string_equal(scores[s]->name, names[s]);
        free(scores);
    }
    assert_true(sft_score_is_named("all, MSP", sft_score_find("msp")));
    assert_false(sft_score_is_named("all, MSP", sft_score_find("energy")));
}

static void unknown_names_get_a_hint(void **state)
{
    static const struct {
        const char *list, *message;
    } bad[] = {
        {"enrgy", "did you mean 'energy'"},
        {"msp,max-logits", "did you mean 'maxlogit'"},
        {"MSP, Enrgy", "did you mean 'energy'"},
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
        test_expect_last(bad[i].message);
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
        cmocka_unit_test(missing_inputs_and_wild_knobs_are_refused),
        cmocka_unit_test(klm_says_which_class_is_missing),
        cmocka_unit_test(mahalanobis_keeps_the_first_step_that_separates_best),
        cmocka_unit_test(lists_are_read_in_order_without_repeats),
        cmocka_unit_test(names_are_read_as_people_write_them),
        cmocka_unit_test(unknown_names_get_a_hint),
        cmocka_unit_test(every_score_describes_itself),
    };
    return cmocka_run_group_tests_name("scores", tests, test_setup_log, NULL);
}
