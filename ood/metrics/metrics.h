/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics of OOD detection, exact, with ties, in double precision.
 *
 * Everything is derived from one object, the curve: for every distinct score, from the highest to the lowest,
 * how many ID and how many OOD images score at least that much. What differs between publications is the rule
 * that reads "FPR at 95 % recall" and the area under the precision-recall curve off it; those rules are a
 * table of named conventions.
 */
#ifndef SFT_METRICS_H
#define SFT_METRICS_H

#include <stdint.h>

#include "ood/scores/score.h"
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

/* One way to read FPR and AUPR off a curve. */
struct sft_convention {
    const char *name;
    const char *alias;    /* a second name on the command line, or NULL */
    const char *positive; /* "id" or "ood": the kind whose recall is held; FPR is of the other kind */
    const char *summary;  /* the rule and who uses it, one line, for --help and reports */

    /* The share of negatives taken for positives at `recall`; from a curve whose positives are the `positive`
     * kind. */
    double (*fpr)(const struct sft_curve *curve, double recall);
    double (*aupr)(const struct sft_curve *curve);
};

enum { SFT_CONVENTIONS = 7 };

/* The table; its first row ("ref", also called "id") is the default and the only one comparable with the SFT
 * paper. */
extern const struct sft_convention sft_conventions[SFT_CONVENTIONS];

/* By name or alias: ref (id), openood (ood), ood-pos-oe, sk-roc, pytorch-ood, vim, dice. SFT_USAGE with the
 * list of names where there is none. */
enum sft_status sft_convention_find(const char *name,
                                    const struct sft_convention **convention) SFT_MUST_CHECK;

/* What a metric lies in, with some confidence; NaN: not computed. */
struct sft_interval {
    double low, high;
};

/* Fractions, not percents. */
struct sft_metrics {
    double fpr;      /* at the asked-for recall, in the asked-for convention */
    double auroc;    /* the same in every convention */
    double aupr_in;  /* ID positive */
    double aupr_out; /* OOD positive */
    int64_t n_id, n_ood;
    struct sft_interval fpr_interval, auroc_interval; /* by bootstrap: ood/metrics/bootstrap.h */
};

/* All metrics but the intervals of one score on one pair of sets; `recall` in (0, 1], usually 0.95. Statuses
 * as sft_curve_build(), and SFT_USAGE for a recall out of range. */
enum sft_status sft_metrics_compute(const struct sft_convention *convention, double recall, int64_t n_id,
                                    const float *id, int64_t n_ood, const float *ood,
                                    struct sft_metrics *metrics) SFT_MUST_CHECK;

/* Top-1 accuracy of logits against labels, by nn/prediction.h. SFT_DATA for an empty set or a label out of
 * range, SFT_FAILED for a logit that is no number. */
enum sft_status sft_metrics_accuracy(const struct sft_outputs *outputs, double *accuracy) SFT_MUST_CHECK;

/* Expected calibration error (Guo et al., "On calibration of modern neural networks", ICML 2017, equation 3):
 * images fall into SFT_CALIBRATION_BINS equal bins (low, high] by confidence, the probability of the
 * predicted class, and the differences between the bins' accuracy and mean confidence are averaged, weighted
 * by images. Statuses as sft_metrics_accuracy(). */
enum { SFT_CALIBRATION_BINS = 15 };
enum sft_status sft_metrics_calibration_error(const struct sft_outputs *outputs,
                                              double *error) SFT_MUST_CHECK;

#endif
