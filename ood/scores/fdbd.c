/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fDBD: Liu and Qin, "Fast decision boundary based out-of-distribution detector", ICML 2024. The distances of
 * the features h to the decision boundaries between the predicted class m and every other one, over the
 * distance to the mean training feature: S = sum over c of (z_m - z_c) / |w_m - w_c| / |h - mean h|.
 */
#include <math.h>

#include "ood/scores/rows.h"

static enum sft_status fit(const struct sft_score_input *in, struct sft_statistics *statistics)
{
    float *mean;
    SFT_TRY(sft_statistics_add(statistics, "mean", SFT_SHAPE(in->outputs->width), &mean));
    return sft_mean_features(in->outputs, mean);
}

/* |a - b|. */
static double distance(const float *a, const float *b, int n)
{
    double sum = 0;
    for (int j = 0; j < n; j++) sum += ((double)a[j] - (double)b[j]) * ((double)a[j] - (double)b[j]);
    return sqrt(sum);
}

static float fdbd(const struct sft_score_input *in, int64_t i)
{
    int classes = in->outputs->classes, width = in->outputs->width;
    const float *z = sft_logits_of(in, i), *weight = in->head->weight;
    int m = sft_row_argmax(z, classes);
    double sum = 0;
    for (int c = 0; c < classes; c++)
        if (c != m)
            sum += ((double)z[m] - (double)z[c]) /
                   distance(weight + (int64_t)m * width, weight + (int64_t)c * width, width);
    return (float)(sum / distance(sft_features_of(in, i), sft_statistics_find(in->statistics, "mean")->values,
                                  width));
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    return sft_score_rows(fdbd, in, scores);
}

const struct sft_score sft_score_fdbd = {
    .name = "fdbd",
    .title = "fDBD",
    .summary = "distances to the decision boundaries over that to the mean feature (Liu and Qin, ICML 2024)",
    .needs = SFT_NEEDS_LOGITS | SFT_NEEDS_FEATURES | SFT_NEEDS_HEAD | SFT_NEEDS_FIT,
    .statistics = (const struct sft_statistic_rule[]){{"mean", "D"}, {0}},
    .fit = fit,
    .compute = compute,
};
