/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ReAct: Sun, Guo and Li, "ReAct: out-of-distribution detection with rectified activations", NeurIPS 2021.
 * S = LSE(W min(h, t) + b). The threshold t is a percentile of all entries of the fitted features, or a
 * number: the paper's tables have 1.25 for BiT and T2T.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ood/scores/rows.h"
#include "runtime/base/alloc.h"
#include "runtime/base/order.h"

enum { CLIP, PERCENTILE };
static const struct sft_knob knobs[] = {
    [CLIP] = {"react-clip", SFT_KNOB_REAL, "X", "0", 0, 1e9, NULL,
              "react: largest feature; 0: by --react-percentile"},
    [PERCENTILE] = {"react-percentile", SFT_KNOB_REAL, "P", "90", 0, 100, NULL,
                    "react: percentile of the --fit features to clip at"},
    {0},
};

static unsigned needs_with(const union sft_knob_value *knob, const struct sft_variant *variant)
{
    (void)variant;
    return SFT_NEEDS_FEATURES | SFT_NEEDS_HEAD | (knob[CLIP].real > 0 ? 0u : (unsigned)SFT_NEEDS_FIT);
}

static enum sft_status fit(const struct sft_score_input *in, struct sft_statistics *statistics)
{
    int64_t count = in->outputs->n * in->outputs->width;
    float *sorted, *clip;
    SFT_TRY(sft_statistics_add(statistics, "clip", SFT_SHAPE(1), &clip));
    sorted = sft_calloc((size_t)count, sizeof(*sorted));
    if (!sorted) return SFT_MEMORY;
    memcpy(sorted, in->outputs->features, (size_t)count * sizeof(*sorted));
    sft_sort_ascending(count, sorted);
    *clip = (float)sft_sorted_quantile(count, sorted, in->knobs[PERCENTILE].real / 100);
    free(sorted);
    return SFT_OK;
}

static void clip_features(const struct sft_score_input *in, float *features, float *scratch)
{
    float clip = in->knobs[CLIP].real > 0 ? (float)in->knobs[CLIP].real
                                          : *sft_statistics_get(in->statistics, "clip", SFT_SHAPE(1));
    (void)scratch;
    for (int j = 0; j < in->outputs->width; j++)
        if (features[j] > clip) features[j] = clip;
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    return sft_score_changed_features(clip_features, NULL, in, scores);
}

const struct sft_score sft_score_react = {
    .name = "react",
    .title = "ReAct",
    .summary = "energy with features clipped above (Sun et al., NeurIPS 2021)",
    .needs = SFT_NEEDS_FEATURES | SFT_NEEDS_HEAD | SFT_NEEDS_FIT,
    .knobs = knobs,
    .needs_with = needs_with,
    .statistics = (const struct sft_statistic_rule[]){{"clip", "1"}, {0}},
    .fit = fit,
    .compute = compute,
};
