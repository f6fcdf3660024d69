/* SPDX-License-Identifier: Apache-2.0 */
/* The bootstrap against literal resampling: the images are drawn, the metrics of what was drawn computed. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ood/metrics/bootstrap.h"
#include "runtime/base/clock.h"
#include "runtime/base/parallel.h"
#include "runtime/base/rng.h"
#include "tests/support/fixture.h"

enum { N_ID = 57, N_OOD = 31, REPLICATES = 40 };

/* Scores with `levels` distinct values, ID images higher; sorted, the highest first. */
static int descending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

static void make(uint32_t levels, int n, float shift, uint64_t index, float *scores)
{
    struct sft_rng rng;
    sft_rng_init(&rng, 21, SFT_STREAM_TEST, index);
    for (int i = 0; i < n; i++)
        scores[i] = floorf((sft_rng_normal(&rng) + shift) * (float)levels / 4.0f) * 4.0f / (float)levels;
    qsort(scores, (size_t)n, sizeof(*scores), descending);
}

/* Where OOD is positive the curve, and with it the numbering of images, runs from the lowest score up. */
static void draw_again(const float *from, int n, bool from_lowest, uint64_t index, float *to)
{
    struct sft_rng rng;
    sft_rng_init(&rng, 5, SFT_STREAM_BOOTSTRAP, index);
    for (int i = 0; i < n; i++) {
        uint32_t at = sft_rng_below(&rng, (uint32_t)n);
        to[i] = from[from_lowest ? (uint32_t)n - 1 - at : at];
    }
}

static void check(const struct sft_convention *convention, uint32_t levels, double recall, int set)
{
    const struct sft_bootstrap bootstrap = {REPLICATES, 5, set};
    bool mirrored = strcmp(convention->positive, "ood") == 0;
    double fpr[REPLICATES], auroc[REPLICATES];
    float id[N_ID], ood[N_OOD], id_again[N_ID], ood_again[N_OOD];
    make(levels, N_ID, 1.0f, 0, id);
    make(levels, N_OOD, 0.0f, 1, ood);
    assert_int_equal(sft_bootstrap_run(&bootstrap, convention, recall, N_ID, id, N_OOD, ood, fpr, auroc),
                     SFT_OK);
    for (int r = 0; r < REPLICATES; r++) {
        struct sft_metrics m;
        draw_again(id, N_ID, mirrored, (uint64_t)r << 32, id_again);
        draw_again(ood, N_OOD, mirrored, (uint64_t)r << 32 | (uint64_t)(set + 1), ood_again);
        assert_int_equal(sft_metrics_compute(convention, recall, N_ID, id_again, N_OOD, ood_again, &m),
                         SFT_OK);
        if (m.fpr != fpr[r] || m.auroc != auroc[r])
            fail_msg("%s, %u levels, replicate %d: FPR %.9g instead of %.9g, AUROC %.9g instead of %.9g",
                     convention->name, levels, r, fpr[r], m.fpr, auroc[r], m.auroc);
    }
}

static void replicates_are_metrics_of_what_was_drawn(void **state)
{
    static const uint32_t levels[] = {1000000, 8, 2};
    (void)state;
    for (int c = 0; c < SFT_CONVENTIONS; c++)
        for (int l = 0; l < 3; l++) {
            check(&sft_conventions[c], levels[l], 0.95, l);
            check(&sft_conventions[c], levels[l], 0.3, l);
        }
}

static void threads_do_not_matter_and_seeds_do(void **state)
{
    const struct sft_bootstrap seed5 = {REPLICATES, 5, 0}, seed6 = {REPLICATES, 6, 0};
    double fpr[3][REPLICATES], auroc[3][REPLICATES];
    float id[N_ID], ood[N_OOD];
    (void)state;
    make(1000, N_ID, 1.0f, 0, id);
    make(1000, N_OOD, 0.0f, 1, ood);
    for (int run = 0; run < 3; run++) {
        assert_int_equal(sft_parallel_set_threads(run == 1 ? 1 : 3), SFT_OK);
        assert_int_equal(sft_bootstrap_run(run == 2 ? &seed6 : &seed5, &sft_conventions[0], 0.95, N_ID, id,
                                           N_OOD, ood, fpr[run], auroc[run]),
                         SFT_OK);
    }
    assert_memory_equal(auroc[0], auroc[1], sizeof(auroc[0]));
    assert_memory_equal(fpr[0], fpr[1], sizeof(fpr[0]));
    assert_memory_not_equal(auroc[0], auroc[2], sizeof(auroc[0]));
    assert_int_equal(sft_parallel_set_threads(0), SFT_OK);
}

/* Of 0, 1, ..., 40 in any order: places 0.025 * 40 = 1 and 39; of four values the ends are interpolated. */
static void intervals_by_hand(void **state)
{
    double values[41], few[] = {3, 1, 0, 2};
    struct sft_interval interval;
    (void)state;
    for (int i = 0; i < 41; i++) values[i] = (i * 17) % 41;
    interval = sft_interval_of(values, 41, 0.95);
    assert_true(fabs(interval.low - 1) < 1e-12 && fabs(interval.high - 39) < 1e-12);
    interval = sft_interval_of(few, 4, 0.5);
    assert_true(interval.low == 0.75 && interval.high == 2.25);
}

/* The AUROC's standard error by Hanley and McNeil (1982) is that of the replicates, within the noise of both.
 */
static void spread_is_that_of_the_auroc(void **state)
{
    enum { N = 10000, R = 1000 };
    const struct sft_bootstrap bootstrap = {R, 1, 0};
    float *id = malloc(N * sizeof(*id)), *ood = malloc(N * sizeof(*ood));
    double *fpr = malloc(R * sizeof(*fpr)), *auroc = malloc(R * sizeof(*auroc)), error, q1, q2, a, seconds;
    struct sft_metrics m;
    struct sft_interval interval;
    (void)state;
    make(100000000, N, 1.0f, 0, id);
    make(100000000, N, 0.0f, 1, ood);
    assert_int_equal(sft_metrics_compute(&sft_conventions[0], 0.95, N, id, N, ood, &m), SFT_OK);
    seconds = sft_now();
    assert_int_equal(sft_bootstrap_run(&bootstrap, &sft_conventions[0], 0.95, N, id, N, ood, fpr, auroc),
                     SFT_OK);
    seconds = sft_now() - seconds;
    print_message("    %d replicates of %d + %d images: %.2f s\n", R, N, N, seconds);
    a = m.auroc;
    q1 = a / (2 - a);
    q2 = 2 * a * a / (1 + a);
    error = sqrt((a * (1 - a) + (N - 1) * (q1 - a * a) + (N - 1) * (q2 - a * a)) / ((double)N * N));
    interval = sft_interval_of(auroc, R, 0.95);
    assert_true(interval.low < a && a < interval.high);
    assert_true(fabs((interval.high - interval.low) / (2 * 1.96 * error) - 1) < 0.15);
    interval = sft_interval_of(fpr, R, 0.95);
    assert_true(interval.low < m.fpr && m.fpr < interval.high && interval.high - interval.low < 0.05);
    free(id);
    free(ood);
    free(fpr);
    free(auroc);
}

static void bad_input_is_refused(void **state)
{
    static const float good[] = {1, 2}, bad[] = {1, NAN};
    double fpr[4], auroc[4];
    const struct sft_convention *ref = &sft_conventions[0];
    (void)state;
    assert_int_equal(
        sft_bootstrap_run(&(struct sft_bootstrap){1, 0, 0}, ref, 0.95, 2, good, 2, good, fpr, auroc),
        SFT_USAGE);
    assert_int_equal(
        sft_bootstrap_run(&(struct sft_bootstrap){4, 0, 0}, ref, 0.95, 2, bad, 2, good, fpr, auroc),
        SFT_FAILED);
    assert_int_equal(
        sft_bootstrap_run(&(struct sft_bootstrap){4, 0, 0}, ref, 0.95, 0, good, 2, good, fpr, auroc),
        SFT_DATA);
    assert_int_equal(
        sft_bootstrap_run(&(struct sft_bootstrap){4, 0, 0}, ref, 0.95, 1, good, 1, good, fpr, auroc), SFT_OK);
    assert_true(auroc[0] == 0.5 && auroc[3] == 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replicates_are_metrics_of_what_was_drawn),
        cmocka_unit_test(threads_do_not_matter_and_seeds_do),
        cmocka_unit_test(intervals_by_hand),
        cmocka_unit_test(spread_is_that_of_the_auroc),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests_name("bootstrap", tests, test_setup_log, NULL);
}
