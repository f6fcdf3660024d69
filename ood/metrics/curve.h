/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The curve of a score: for every distinct score, from the highest to the lowest, how many ID and how many
 * OOD images score at least that much. Every metric is read off it (ood/metrics/metrics.h).
 */
#ifndef SFT_CURVE_H
#define SFT_CURVE_H

#include <stdint.h>

#include "runtime/base/status.h"

/* Counts at the distinct thresholds, descending. counts[i] belongs to the decision "positive if score >=
 * t_i"; the last one equals both totals. */
struct sft_counts {
    int64_t positive, negative;
};

struct sft_curve {
    int64_t points;             /* distinct scores, at least 1 */
    int64_t positive, negative; /* images of each kind, at least 1 */
    struct sft_counts *counts;  /* (points), owned */
};

/* The curve of n_id in-distribution scores (positive) against n_ood others (negative). SFT_DATA for an empty
 * set, SFT_FAILED for a score that is no number; infinities are ordered as usual. Release with
 * sft_curve_free(). */
enum sft_status sft_curve_build(int64_t n_id, const float *id, int64_t n_ood, const float *ood,
                                struct sft_curve *curve) SFT_MUST_CHECK;

/* The same scores negated, with the kinds exchanged: OOD positive. */
enum sft_status sft_curve_mirror(const struct sft_curve *curve, struct sft_curve *mirrored) SFT_MUST_CHECK;

void sft_curve_free(struct sft_curve *curve);

/* (#(ID > OOD) + #(ID = OOD) / 2) / (N_id N_ood): the area under the ROC with ties as straight segments.
 * Counted in integers up to 2^62 pairs, so that it is exact but for the division. The same for a mirrored
 * curve. */
double sft_curve_auroc(const struct sft_curve *curve);

/* Average precision of the positive kind: sum of (R_k - R_k-1) P_k over the distinct thresholds, R_0 = 0. */
double sft_curve_average_precision(const struct sft_curve *curve);

/* The trapezoid under the precision-recall points, from (recall 0, precision `start`). */
double sft_curve_pr_trapezoid(const struct sft_curve *curve, double start);

#endif
