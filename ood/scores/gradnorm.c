/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GradNorm: Huang, Geng and Li, "On the importance of gradients for detecting distributional shifts in the
 * wild", NeurIPS 2021. The L1 norm of the gradient, with respect to the classifier's weight, of the cross
 * entropy between softmax(z / T) and an all-ones target (its sum over classes, not the mean).
 *
 * That gradient is the outer product of dL/dz = (C p - 1) / T and the features h, so that
 * S = |h|_1 * sum_c |C p_c - 1| / T, and no backward pass is needed.
 */
#include <math.h>

#include "ood/scores/rows.h"

enum { TEMPERATURE };
static const struct sft_knob knobs[] = {
    [TEMPERATURE] = {"gradnorm-temperature", SFT_KNOB_REAL, "T", "1", 1e-6, 1e6, NULL,
                     "gradnorm: temperature"},
    {0},
};

static float gradnorm(const struct sft_score_input *in, int64_t i)
{
    const float *logits = sft_logits_of(in, i), *features = sft_features_of(in, i);
    int classes = in->outputs->classes;
    float t = (float)in->knobs[TEMPERATURE].real, max = sft_row_max(logits, classes);
    float sum = sft_row_sum_exp(logits, classes, max, t);
    double logit_part = 0, feature_part = 0;
    for (int c = 0; c < classes; c++)
        logit_part += (double)fabsf((float)classes * (expf(logits[c] / t - max / t) / sum) - 1.0f);
    for (int j = 0; j < in->outputs->width; j++) feature_part += (double)fabsf(features[j]);
    return (float)(feature_part * logit_part / (double)t);
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    return sft_score_rows(gradnorm, in, scores);
}

const struct sft_score sft_score_gradnorm = {
    .name = "gradnorm",
    .title = "GradNorm",
    .summary = "L1 norm of the classifier's gradient towards uniform (Huang et al., NeurIPS 2021)",
    .needs = SFT_NEEDS_LOGITS | SFT_NEEDS_FEATURES,
    .knobs = knobs,
    .compute = compute,
};
