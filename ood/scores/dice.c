/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DICE: Sun and Li, "DICE: leveraging sparsification for out-of-distribution detection", ECCV 2022. Of the
 * products V_cj = mean_j * W_cj of mean training feature and weight only the largest keep their weight; S =
 * LSE(W' h + b).
 */
#include <stdlib.h>
#include <string.h>

#include "ood/scores/rows.h"
#include "runtime/base/alloc.h"
#include "runtime/base/order.h"

enum { PERCENTILE, MANY_CLASSES = 101 };
static const struct sft_knob knobs[] = {
    [PERCENTILE] = {"dice-p", SFT_KNOB_REAL, "P", "-1", -1, 100, NULL,
                    "dice: percent of the weights to drop; -1: 90, or 70 from 101 classes on"},
    {0},
};

static enum sft_status mask(const struct sft_head *head, const float *means, double percentile, float *weight)
{
    int64_t count = (int64_t)head->classes * head->width;
    float *products = sft_calloc(2 * (size_t)count, sizeof(*products)), *sorted = products + count, threshold;
    if (!products) return SFT_MEMORY;
    for (int64_t i = 0; i < count; i++) products[i] = means[i % head->width] * head->weight[i];
    memcpy(sorted, products, (size_t)count * sizeof(*sorted));
    sft_sort_ascending(count, sorted);
    threshold = (float)sft_sorted_quantile(count, sorted, percentile / 100);
    for (int64_t i = 0; i < count; i++) weight[i] = products[i] > threshold ? head->weight[i] : 0.0f;
    free(products);
    return SFT_OK;
}

static enum sft_status fit(const struct sft_score_input *in, struct sft_statistics *statistics)
{
    const struct sft_head *head = in->head;
    double percentile = in->knobs[PERCENTILE].real;
    float *weight, *means;
    enum sft_status status;
    if (percentile < 0) percentile = head->classes >= MANY_CLASSES ? 70 : 90;
    SFT_TRY(sft_statistics_add(statistics, "weight", SFT_SHAPE(head->classes, head->width), &weight));
    means = sft_calloc((size_t)head->width, sizeof(*means));
    if (!means) return SFT_MEMORY;
    status = sft_mean_features(in->outputs, means);
    if (status == SFT_OK) status = mask(head, means, percentile, weight);
    free(means);
    return status;
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    const float *weight =
        sft_statistics_get(in->statistics, "weight", SFT_SHAPE(in->head->classes, in->head->width));
    return sft_score_changed_features(NULL, weight, in, scores);
}

const struct sft_score sft_score_dice = {
    .name = "dice",
    .title = "DICE",
    .summary = "energy with a sparse classifier (Sun and Li, ECCV 2022)",
    .needs = SFT_NEEDS_FEATURES | SFT_NEEDS_HEAD | SFT_NEEDS_FIT,
    .knobs = knobs,
    .statistics = (const struct sft_statistic_rule[]){{"weight", "CD"}, {0}},
    .fit = fit,
    .compute = compute,
};
