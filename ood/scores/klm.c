/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KL matching: Hendrycks et al., "Scaling out-of-distribution detection for real-world settings", ICML 2022.
 * S = -min_c KL(p || d_c), where d_c is the mean softmax of images of class c.
 *
 * mos:       d_c from the ID images that are scored themselves, by their labels: what the paper's tables have (the code
 *            of MOS), and optimistic, as it uses test labels.
 * train:     from --fit images, by label.
 * val:       from --fit images, by predicted class.
 * pred-only: from --fit images, by label; and the distance to the predicted class only.
 * Terms with p_k = 0 count 0; where d_ck = 0 < p_k the distance is infinite.
 */
#include <math.h>
#include <stdlib.h>

#include "ood/scores/rows.h"
#include "runtime/alloc.h"

enum kind { MOS, TRAIN, VAL, PRED_ONLY };
static const char *const kinds[] = {"mos", "train", "val", "pred-only", NULL};

enum { KIND };
static const struct sft_knob knobs[] = {
    {"klm", SFT_KNOB_CHOICE, "NAME", "mos", 0, 0, kinds,
     "klm: where the class means come from: the scored ID images' labels (mos, as published), or --fit"},
    {0},
};

static unsigned needs_with(const union sft_knob_value *knob)
{
    static const unsigned source[] = {[MOS] = SFT_NEEDS_FIT_ON_ID | SFT_NEEDS_LABELS,
                                      [TRAIN] = SFT_NEEDS_FIT | SFT_NEEDS_LABELS,
                                      [VAL] = SFT_NEEDS_FIT,
                                      [PRED_ONLY] = SFT_NEEDS_FIT | SFT_NEEDS_LABELS};
    return SFT_NEEDS_LOGITS | source[knob[KIND].choice];
}

static enum sft_status fit(const struct sft_score_input *in, struct sft_statistics *statistics)
{
    const struct sft_outputs *outputs = in->outputs;
    int classes = outputs->classes;
    float *p = sft_calloc((size_t)outputs->n * (size_t)classes, sizeof(*p)), *means;
    int32_t *predicted = sft_calloc((size_t)outputs->n, sizeof(*predicted));
    enum sft_status status = p && predicted ? SFT_OK : SFT_MEMORY;
    for (int64_t i = 0; status == SFT_OK && i < outputs->n; i++) {
        sft_row_softmax(sft_logits_of(in, i), classes, 1.0f, p + i * classes);
        predicted[i] = sft_row_argmax(sft_logits_of(in, i), classes);
    }
    if (status == SFT_OK) status = sft_statistics_add(statistics, "mean", SFT_SHAPE(classes, classes), &means);
    if (status == SFT_OK)
        status = sft_class_means("klm", outputs->n, classes, classes, p,
                                 in->knobs[KIND].choice == VAL ? predicted : outputs->labels, means);
    free(p);
    free(predicted);
    return status;
}

static float divergence(const float *logits, int classes, float log_sum, const float *mean)
{
    double sum = 0;
    for (int k = 0; k < classes; k++) {
        float log_p = logits[k] - log_sum, p = expf(log_p);
        if (p != 0.0f) sum += (double)p * ((double)log_p - log((double)mean[k]));
    }
    return (float)sum;
}

static float klm(const struct sft_score_input *in, int64_t i)
{
    int classes = in->outputs->classes;
    const float *logits = sft_logits_of(in, i);
    const float *means = sft_statistics_get(in->statistics, "mean", SFT_SHAPE(classes, classes));
    float log_sum = sft_row_log_sum_exp(logits, classes), least = INFINITY;
    if (isnan(log_sum)) return NAN;
    if (in->knobs[KIND].choice == PRED_ONLY)
        return -divergence(logits, classes, log_sum, means + (int64_t)sft_row_argmax(logits, classes) * classes);
    for (int c = 0; c < classes; c++)
        least = fminf(least, divergence(logits, classes, log_sum, means + (int64_t)c * classes));
    return -least;
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    return sft_score_rows(klm, in, scores);
}

const struct sft_score sft_score_klm = {
    .name = "klm",
    .title = "KL Matching",
    .summary = "-min KL(p || mean p of a class) (Hendrycks et al., ICML 2022)",
    .needs = SFT_NEEDS_LOGITS | SFT_NEEDS_FIT_ON_ID | SFT_NEEDS_LABELS,
    .knobs = knobs,
    .needs_with = needs_with,
    .statistics = (const struct sft_statistic_rule[]){{"mean", "CC"}, {0}},
    .fit = fit,
    .compute = compute,
};
