/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ASH-S: Djurisic, Bozanic, Ashok and Liu, "Extremely simple activation shaping for out-of-distribution
 * detection", ICLR 2023. Of the features of an image the largest are kept and the others become 0; the kept
 * ones are multiplied by exp(s1 / s2), with s1 the sum before and s2 after. S = LSE(W h' + b).
 */
#include <math.h>

#include "ood/scores/shaping.h"

enum { PERCENTILE };
static const struct sft_knob knobs[] = {
    [PERCENTILE] = {"ash-s-percentile", SFT_KNOB_REAL, "P", "90", 0, 100, NULL,
                    "ash_s: percent of the features to drop"},
    {0},
};

static void shape(const struct sft_score_input *in, float *features, float *scratch)
{
    int n = in->outputs->width;
    struct sft_shaping shaping = sft_shaping_of(features, n, in->knobs[PERCENTILE].real, scratch);
    float factor = (float)exp(shaping.all / shaping.of_kept);
    for (int j = 0; j < n; j++)
        features[j] = sft_shaping_keeps(&shaping, features[j]) ? factor * features[j] : 0.0f;
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    return sft_score_changed_features(shape, NULL, in, scores);
}

const struct sft_score sft_score_ash_s = {
    .name = "ash_s",
    .title = "ASH-S",
    .summary = "energy with the largest features scaled up (Djurisic et al., ICLR 2023)",
    .needs = SFT_NEEDS_FEATURES | SFT_NEEDS_HEAD,
    .knobs = knobs,
    .compute = compute,
};
