/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCALE: Xu et al., "Scaling for training time and post-hoc out-of-distribution detection enhancement", ICLR
 * 2024. All features of an image are multiplied by exp(s1 / s2), with s1 the sum of all and s2 that of the
 * largest; nothing becomes 0. S = LSE(W h' + b).
 */
#include <math.h>

#include "ood/scores/shaping.h"

enum { PERCENTILE };
static const struct sft_knob knobs[] = {
    [PERCENTILE] = {"scale-percentile", SFT_KNOB_REAL, "P", "85", 0, 100, NULL,
                    "scale: percent of the features that s2 leaves out"},
    {0},
};

static void shape(const struct sft_score_input *in, float *features, float *scratch)
{
    int n = in->outputs->width;
    struct sft_shaping shaping = sft_shaping_of(features, n, in->knobs[PERCENTILE].real, scratch);
    float factor = (float)exp(shaping.all / shaping.of_kept);
    for (int j = 0; j < n; j++) features[j] *= factor;
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    return sft_score_changed_features(shape, NULL, in, scores);
}

const struct sft_score sft_score_scale = {
    .name = "scale",
    .title = "SCALE",
    .summary = "energy with features scaled by exp(sum / sum of the largest) (Xu et al., ICLR 2024)",
    .needs = SFT_NEEDS_FEATURES | SFT_NEEDS_HEAD,
    .knobs = knobs,
    .compute = compute,
};
