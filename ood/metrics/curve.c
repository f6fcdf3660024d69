/* SPDX-License-Identifier: Apache-2.0 */
/* The curve of a score: sort both kinds, walk them together, count at every distinct value. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ood/metrics/curve.h"
#include "runtime/base/alloc.h"
#include "runtime/base/order.h"

static enum sft_status check_scores(const char *kind, int64_t n, const float *scores)
{
    if (n < 1)
        return sft_fail(SFT_DATA,
                        "no %s images to score: metrics need at least one; check the data set and --limit",
                        kind);
    for (int64_t i = 0; i < n; i++)
        if (isnan(scores[i]))
            return sft_fail(
                SFT_FAILED,
                "the score of %s image %lld is not a number (NaN): the weights or the logits are damaged, "
                "or the training diverged",
                kind, (long long)i);
    return SFT_OK;
}

static float *sorted_copy(int64_t n, const float *scores)
{
    float *copy = sft_calloc((size_t)n, sizeof(*copy));
    if (!copy) return NULL;
    memcpy(copy, scores, (size_t)n * sizeof(*copy));
    sft_sort_descending(n, copy);
    return copy;
}

static void count(const float *id, const float *ood, struct sft_curve *curve)
{
    struct sft_counts at = {0, 0};
    while (at.positive < curve->positive || at.negative < curve->negative) {
        int64_t next_is_id = at.negative == curve->negative ||
                             (at.positive < curve->positive && id[at.positive] >= ood[at.negative]);
        float threshold = next_is_id ? id[at.positive] : ood[at.negative];
        while (at.positive < curve->positive && id[at.positive] == threshold) at.positive++;
        while (at.negative < curve->negative && ood[at.negative] == threshold) at.negative++;
        curve->counts[curve->points++] = at;
    }
}

enum sft_status sft_curve_build(int64_t n_id, const float *id, int64_t n_ood, const float *ood,
                                struct sft_curve *curve)
{
    enum sft_status status = SFT_OK;
    float *sorted_id = NULL, *sorted_ood = NULL;
    memset(curve, 0, sizeof(*curve));
    SFT_TRY(check_scores("ID", n_id, id));
    SFT_TRY(check_scores("OOD", n_ood, ood));
    sorted_id = sorted_copy(n_id, id);
    sorted_ood = sorted_copy(n_ood, ood);
    curve->counts = sft_calloc((size_t)n_id + (size_t)n_ood, sizeof(*curve->counts));
    if (sorted_id && sorted_ood && curve->counts) {
        curve->positive = n_id;
        curve->negative = n_ood;
        count(sorted_id, sorted_ood, curve);
    } else {
        sft_curve_free(curve);
        status = SFT_MEMORY;
    }
    free(sorted_id);
    free(sorted_ood);
    return status;
}

/* Of the mirrored decision "OOD if score <= t_i" the counts are what the decision "ID if score >= t_i-1"
 * leaves out. */
enum sft_status sft_curve_mirror(const struct sft_curve *curve, struct sft_curve *mirrored)
{
    int64_t n = curve->points;
    *mirrored = (struct sft_curve){n, curve->negative, curve->positive, NULL};
    mirrored->counts = sft_calloc((size_t)n, sizeof(*mirrored->counts));
    if (!mirrored->counts) return SFT_MEMORY;
    for (int64_t i = 0; i < n; i++) {
        struct sft_counts above = {0, 0};
        if (i < n - 1) above = curve->counts[n - 2 - i];
        mirrored->counts[i].positive = curve->negative - above.negative;
        mirrored->counts[i].negative = curve->positive - above.positive;
    }
    return SFT_OK;
}

void sft_curve_free(struct sft_curve *curve)
{
    free(curve->counts);
    memset(curve, 0, sizeof(*curve));
}

double sft_curve_auroc(const struct sft_curve *curve)
{
    struct sft_counts last = {0, 0};
    uint64_t twice = 0;
    for (int64_t i = 0; i < curve->points; i++) {
        const struct sft_counts *at = &curve->counts[i];
        twice += (uint64_t)(at->negative - last.negative) * (uint64_t)(at->positive + last.positive);
        last = *at;
    }
    return (double)twice / 2.0 / ((double)curve->positive * (double)curve->negative);
}

static double precision(const struct sft_counts *at)
{
    return (double)at->positive / (double)(at->positive + at->negative);
}

double sft_curve_average_precision(const struct sft_curve *curve)
{
    double sum = 0.0;
    int64_t last = 0;
    for (int64_t i = 0; i < curve->points; i++) {
        const struct sft_counts *at = &curve->counts[i];
        sum += (double)(at->positive - last) * precision(at);
        last = at->positive;
    }
    return sum / (double)curve->positive;
}

double sft_curve_pr_trapezoid(const struct sft_curve *curve, double start)
{
    double sum = 0.0, last_precision = start;
    int64_t last = 0;
    for (int64_t i = 0; i < curve->points; i++) {
        const struct sft_counts *at = &curve->counts[i];
        sum += (double)(at->positive - last) * (precision(at) + last_precision) / 2.0;
        last = at->positive;
        last_precision = precision(at);
    }
    return sum / (double)curve->positive;
}
