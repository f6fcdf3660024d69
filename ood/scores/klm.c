/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KL matching: Hendrycks et al., "Scaling out-of-distribution detection for real-world settings", ICML 2022.
 * S = -min_c KL(p || d_c), where d_c is the mean softmax of images of class c.
 *
 * mos:       d_c from the ID images that are scored themselves, by their labels: what the paper's tables have
 * (the code of MOS), and optimistic, as it uses test labels. train:     from --fit images, by predicted class
 * (the code of ViM). val:       the same, and a class that no image is predicted to be has its one-hot
 * distribution (OpenOOD). pred-only: from --fit images, by label; and the distance to the predicted class
 * only (pytorch-ood). Terms with p_k = 0 count 0; where d_ck = 0 < p_k the distance is infinite.
 *
 * The statistic is log d, and all is in double precision: near 0 the divergence is a difference of nearly
 * equal numbers.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "ood/scores/rows.h"
#include "runtime/base/alloc.h"
#include "runtime/base/words.h"

enum kind { MOS, TRAIN, VAL, PRED_ONLY };
static const char *const kinds[] = {"mos", "train", "val", "pred-only", NULL};
SFT_ASSERT_WORDS(kinds, PRED_ONLY);

enum { KIND };
static const struct sft_knob knobs[] = {
    [KIND] =
        {"klm", SFT_KNOB_CHOICE, "NAME", "mos", 0, 0, kinds,
         "klm: where the class means come from: the scored ID images' labels (mos, as published), or --fit"},
    {0},
};

static unsigned needs_with(const union sft_knob_value *knob, const struct sft_variant *variant)
{
    static const unsigned source[] = {[MOS] = SFT_NEEDS_FIT_ON_ID | SFT_NEEDS_LABELS,
                                      [TRAIN] = SFT_NEEDS_FIT,
                                      [VAL] = SFT_NEEDS_FIT,
                                      [PRED_ONLY] = SFT_NEEDS_FIT | SFT_NEEDS_LABELS};
    (void)variant;
    return SFT_NEEDS_LOGITS | source[knob[KIND].choice];
}

/* Adds the softmax of every image to the sum (classes, classes) of its class. */
static enum sft_status add_up(const struct sft_score_input *in, double *sums, int64_t *counts)
{
    const struct sft_outputs *outputs = in->outputs;
    bool by_label = in->knobs[KIND].choice == MOS || in->knobs[KIND].choice == PRED_ONLY;
    double *log_p = sft_calloc((size_t)outputs->classes, sizeof(*log_p));
    if (!log_p) return SFT_MEMORY;
    for (int64_t i = 0; i < outputs->n; i++) {
        const float *logits = sft_logits_of(in, i);
        int of = by_label ? outputs->labels[i] : sft_row_argmax(logits, outputs->classes);
        sft_row_log_softmax(logits, outputs->classes, log_p);
        for (int k = 0; k < outputs->classes; k++) sums[(int64_t)of * outputs->classes + k] += exp(log_p[k]);
        counts[of]++;
    }
    free(log_p);
    return SFT_OK;
}

static enum sft_status fill(const struct sft_score_input *in, double *sums, const int64_t *counts,
                            float *log_mean)
{
    int classes = in->outputs->classes;
    for (int c = 0; c < classes; c++) {
        double *sum = sums + (int64_t)c * classes;
        if (counts[c] == 0 && in->knobs[KIND].choice != VAL)
            return sft_fail(SFT_DATA,
                            "klm: class %d has none of the %" PRId64 " images to fit on; take more of them",
                            c, in->outputs->n);
        if (counts[c] == 0) sum[c] = 1;
        for (int k = 0; k < classes; k++)
            log_mean[(int64_t)c * classes + k] = (float)log(counts[c] ? sum[k] / (double)counts[c] : sum[k]);
    }
    return SFT_OK;
}

static enum sft_status fit(const struct sft_score_input *in, struct sft_statistics *statistics)
{
    int classes = in->outputs->classes;
    double *sums = sft_calloc((size_t)classes * (size_t)classes, sizeof(*sums));
    int64_t *counts = sft_calloc((size_t)classes, sizeof(*counts));
    float *log_mean;
    enum sft_status status = sums && counts ? add_up(in, sums, counts) : SFT_MEMORY;
    if (status == SFT_OK)
        status = sft_statistics_add(statistics, "log_mean", SFT_SHAPE(classes, classes), &log_mean);
    if (status == SFT_OK) status = fill(in, sums, counts, log_mean);
    free(sums);
    free(counts);
    return status;
}

/* sum_k p_k (log p_k - log d_k). */
static double divergence(const double *p, const double *log_p, int classes, const float *log_mean)
{
    double sum = 0;
    for (int k = 0; k < classes; k++)
        if (p[k] != 0) sum += p[k] * (log_p[k] - (double)log_mean[k]);
    return sum;
}

static double klm(const struct sft_score_input *in, int64_t i, double *scratch)
{
    int classes = in->outputs->classes, only = -1;
    const float *log_means = sft_statistics_get(in->statistics, "log_mean", SFT_SHAPE(classes, classes));
    double *log_p = scratch, *p = scratch + classes;
    double least = INFINITY;
    sft_row_log_softmax(sft_logits_of(in, i), classes, log_p);
    if (isnan(log_p[0])) return NAN;
    if (in->knobs[KIND].choice == PRED_ONLY) only = sft_row_argmax(sft_logits_of(in, i), classes);
    for (int k = 0; k < classes; k++) p[k] = exp(log_p[k]);
    for (int c = 0; c < classes; c++)
        if (only < 0 || c == only)
            least = fmin(least, divergence(p, log_p, classes, log_means + (int64_t)c * classes));
    return -least;
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    return sft_score_rows_with(klm, 2 * in->outputs->classes, in, scores);
}

const struct sft_score sft_score_klm = {
    .name = "klm",
    .title = "KL Matching",
    .summary = "-min KL(p || mean p of a class) (Hendrycks et al., ICML 2022)",
    .needs = SFT_NEEDS_LOGITS | SFT_NEEDS_FIT_ON_ID | SFT_NEEDS_LABELS,
    .knobs = knobs,
    .needs_with = needs_with,
    .statistics = (const struct sft_statistic_rule[]){{"log_mean", "CC"}, {0}},
    .fit = fit,
    .compute = compute,
};
