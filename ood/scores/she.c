/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHE: Zhang et al., "Out-of-distribution detection based on in-distribution data patterns memorization with
 * modern Hopfield energy", ICLR 2023. S = h . m_c with c the predicted class and m_c the mean feature of the
 * training images of class c that are predicted rightly.
 */
#include <stdlib.h>

#include "ood/scores/rows.h"
#include "runtime/base/alloc.h"

static enum sft_status fit(const struct sft_score_input *in, struct sft_statistics *statistics)
{
    const struct sft_outputs *outputs = in->outputs;
    int32_t *right = sft_calloc((size_t)outputs->n, sizeof(*right));
    float *means;
    enum sft_status status = right ? SFT_OK : SFT_MEMORY;
    for (int64_t i = 0; right && i < outputs->n; i++)
        right[i] = sft_row_argmax(sft_logits_of(in, i), outputs->classes) == outputs->labels[i]
                       ? outputs->labels[i]
                       : -1;
    if (status == SFT_OK)
        status = sft_statistics_add(statistics, "mean", SFT_SHAPE(outputs->classes, outputs->width), &means);
    if (status == SFT_OK)
        status = sft_class_means("she (images predicted rightly)", outputs->n, outputs->width,
                                 outputs->classes, outputs->features, right, means);
    free(right);
    return status;
}

static float she(const struct sft_score_input *in, int64_t i)
{
    int classes = in->outputs->classes, width = in->outputs->width;
    const float *means = sft_statistics_get(in->statistics, "mean", SFT_SHAPE(classes, width));
    const float *mean = means + (int64_t)sft_row_argmax(sft_logits_of(in, i), classes) * width;
    const float *features = sft_features_of(in, i);
    double sum = 0;
    for (int j = 0; j < width; j++) sum += (double)features[j] * (double)mean[j];
    return (float)sum;
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    return sft_score_rows(she, in, scores);
}

const struct sft_score sft_score_she = {
    .name = "she",
    .title = "SHE",
    .summary = "h . mean h of the predicted class (Zhang et al., ICLR 2023)",
    .needs = SFT_NEEDS_LOGITS | SFT_NEEDS_FEATURES | SFT_NEEDS_FIT | SFT_NEEDS_LABELS,
    .statistics = (const struct sft_statistic_rule[]){{"mean", "CD"}, {0}},
    .fit = fit,
    .compute = compute,
};
