/* SPDX-License-Identifier: Apache-2.0 */
/* The conventions under which FPR at a recall is published, and the metrics read off a curve under one of
 * them. */
#include "ood/metrics/metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/nearest.h"

static double false_share(const struct sft_curve *curve, int64_t negatives)
{
    return (double)negatives / (double)curve->negative;
}

/* How many negatives score above (`inclusive`: at least) the positive of rank `rank`, 0 being the highest. */
static int64_t negatives_over(const struct sft_curve *curve, int64_t rank, int inclusive)
{
    int64_t i = 0;
    while (curve->counts[i].positive <= rank) i++;
    if (inclusive) return curve->counts[i].negative;
    return i > 0 ? curve->counts[i - 1].negative : 0;
}

/* The reference procedure (RankFeat, GradNorm, MOS, Outlier Exposure): among all thresholds down to the first
 * that reaches full recall, the one of recall nearest to the target; of equally near ones the lowest
 * threshold, so that negatives between the last accepted and the first rejected positive count as mistakes.
 */
static double fpr_nearest(const struct sft_curve *curve, double recall)
{
    double nearest = INFINITY;
    int64_t negatives = 0;
    for (int64_t i = 0; i < curve->points; i++) {
        double off = fabs((double)curve->counts[i].positive / (double)curve->positive - recall);
        if (off <= nearest) {
            nearest = off;
            negatives = curve->counts[i].negative;
        }
        if (curve->counts[i].positive == curve->positive) break;
    }
    return false_share(curve, negatives);
}

/* The first threshold, from the highest, at which the recall is reached: what comes of roc_curve() of
 * scikit-learn when no point is dropped. */
static double fpr_first(const struct sft_curve *curve, double recall)
{
    int64_t i = 0;
    while (i < curve->points - 1 && (double)curve->counts[i].positive / (double)curve->positive < recall) i++;
    return false_share(curve, curve->counts[i].negative);
}

/* Threshold: the floor(recall n)-th largest positive; where that is the 0-th, the reference code indexes with
 * -0 and takes the smallest one. */
static double fpr_vim(const struct sft_curve *curve, double recall)
{
    int64_t accepted = (int64_t)floor(recall * (double)curve->positive);
    return false_share(curve, negatives_over(curve, (accepted > 0 ? accepted : curve->positive) - 1, 1));
}

/* Threshold: positive number round((1 - recall) n) from below, halves to even; negatives must exceed it
 * strictly. */
static double fpr_dice(const struct sft_curve *curve, double recall)
{
    double n = (double)curve->positive;
    int64_t rejected = (int64_t)nearbyint(n - recall * n);
    if (rejected >= curve->positive) rejected = curve->positive - 1;
    return false_share(curve, negatives_over(curve, curve->positive - 1 - rejected, 0));
}

static double trapezoid_from_1(const struct sft_curve *curve) { return sft_curve_pr_trapezoid(curve, 1.0); }

/* DICE's code closes its precision-recall curve at (recall 0, precision 0); its other end point, precision
 * 0.5, lies where the curve already ends and adds no area. */
static double trapezoid_from_0(const struct sft_curve *curve) { return sft_curve_pr_trapezoid(curve, 0.0); }

const struct sft_convention sft_conventions[SFT_CONVENTIONS] = {
    {"ref", "id", "id", "ID positive, recall nearest to the target (RankFeat, GradNorm, MOS, FeatureNorm)",
     fpr_nearest, sft_curve_average_precision},
    {"openood", "ood", "ood", "OOD positive, first threshold that reaches the recall (OpenOOD)", fpr_first,
     trapezoid_from_1},
    {"ood-pos-oe", NULL, "ood", "OOD positive, recall nearest to the target (Outlier Exposure)", fpr_nearest,
     sft_curve_average_precision},
    {"sk-roc", NULL, "id", "ID positive, first threshold that reaches the recall (scikit-learn snippets)",
     fpr_first, trapezoid_from_1},
    {"pytorch-ood", NULL, "ood", "OOD positive, first threshold that reaches the recall (pytorch-ood)",
     fpr_first, trapezoid_from_1},
    {"vim", NULL, "id", "ID positive, floor(recall n)-th largest ID score, OOD >= it (ViM)", fpr_vim,
     trapezoid_from_1},
    {"dice", NULL, "id",
     "ID positive, round((1 - recall) n)-th smallest ID score, OOD > it (DICE, ReAct, ASH)", fpr_dice,
     trapezoid_from_0},
};

enum sft_status sft_convention_find(const char *name, const struct sft_convention **convention)
{
    *convention = NULL;
    for (int i = 0; i < SFT_CONVENTIONS; i++) {
        const struct sft_convention *row = &sft_conventions[i];
        const size_t length = strlen(name);
        if (sft_spells(name, length, row->name) || (row->alias && sft_spells(name, length, row->alias)))
            *convention = row;
    }
    if (*convention) return SFT_OK;
    return sft_fail(
        SFT_USAGE,
        "no convention for FPR is called '%s'; it may be id (ref), ood (openood), ood-pos-oe, sk-roc, "
        "pytorch-ood, vim or dice",
        name);
}

bool sft_id_is_positive(const struct sft_convention *convention)
{
    return strcmp(convention->positive, "id") == 0;
}

enum sft_status sft_metrics_compute(const struct sft_convention *convention, double recall, int64_t n_id,
                                    const float *id, int64_t n_ood, const float *ood,
                                    struct sft_metrics *metrics)
{
    enum sft_status status;
    struct sft_curve in = {0}, out = {0};
    if (!(recall > 0.0 && recall <= 1.0))
        return sft_fail(SFT_USAGE, "FPR at recall %g: the recall must be above 0 and at most 1", recall);
    SFT_TRY_OUT(sft_curve_build(n_id, id, n_ood, ood, &in));
    SFT_TRY_OUT(sft_curve_mirror(&in, &out));
    *metrics = (struct sft_metrics){
        .fpr = convention->fpr(sft_id_is_positive(convention) ? &in : &out, recall),
        .auroc = sft_curve_auroc(&in),
        .aupr_in = convention->aupr(&in),
        .aupr_out = convention->aupr(&out),
        .n_id = n_id,
        .n_ood = n_ood,
        .fpr_interval = {NAN, NAN},
        .auroc_interval = {NAN, NAN},
    };
out:
    sft_curve_free(&in);
    sft_curve_free(&out);
    return status;
}

/* ---- by name ---- */

#define METRIC(member) offsetof(struct sft_metrics, member)

const struct sft_metric_row sft_metric_rows[SFT_METRICS] = {
    [SFT_FPR] = {"fpr95", "FPR", -1, METRIC(fpr), METRIC(fpr_interval)},
    [SFT_AUROC] = {"auroc", "AUROC", 1, METRIC(auroc), METRIC(auroc_interval)},
    [SFT_AUPR_IN] = {"aupr_in", "AUPR-in", 1, METRIC(aupr_in), 0},
    [SFT_AUPR_OUT] = {"aupr_out", "AUPR-out", 1, METRIC(aupr_out), 0},
};

double *sft_metric_in(struct sft_metrics *metrics, enum sft_metric metric)
{
    return (double *)(void *)((char *)metrics + sft_metric_rows[metric].offset);
}

struct sft_interval *sft_metric_interval_in(struct sft_metrics *metrics, enum sft_metric metric)
{
    return (struct sft_interval *)(void *)((char *)metrics + sft_metric_rows[metric].interval);
}

const char *sft_metric_title(enum sft_metric metric, double recall, char *text)
{
    if (metric == SFT_FPR)
        snprintf(text, 16, "%s%.4g", sft_metric_rows[metric].title, 100 * recall);
    else
        snprintf(text, 16, "%s", sft_metric_rows[metric].title);
    return text;
}
