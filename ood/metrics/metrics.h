/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics of OOD detection, exact, with ties, in double precision.
 *
 * All of them are read off the curve of a score. What differs between publications is the rule that reads
 * "FPR at 95 % recall" and the area under the precision-recall curve off it; those rules are a table of named
 * conventions.
 */
#ifndef SFT_METRICS_H
#define SFT_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ood/metrics/curve.h"
#include "runtime/base/status.h"

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

/* Whether the convention holds the recall of ID images. */
bool sft_id_is_positive(const struct sft_convention *convention);

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

/* ---- by name ---- */

/* The metrics in the order in which files and tables have them. The main ones have an average over the OOD
 * sets, and an interval. */
enum sft_metric {
    SFT_FPR,
    SFT_AUROC,
    SFT_AUPR_IN,
    SFT_AUPR_OUT,
    SFT_METRICS,
    SFT_MAIN_METRICS = SFT_AUPR_IN
};

struct sft_metric_row {
    const char *key;         /* in files; FPR has the same at any recall */
    const char *title;       /* for readers; of FPR without the recall */
    int sign;                /* +1 where more is better, -1 where less is */
    size_t offset, interval; /* in struct sft_metrics; the interval of main metrics only */
};
extern const struct sft_metric_row sft_metric_rows[SFT_METRICS];

/* Where the metric, or the interval of a main one, lies in `metrics`. */
double *sft_metric_in(struct sft_metrics *metrics, enum sft_metric metric);
struct sft_interval *sft_metric_interval_in(struct sft_metrics *metrics, enum sft_metric metric);

/* "FPR95" where `recall` is 0.95 ("FPR99.5"), or another metric's title; into text[16], which is returned. */
const char *sft_metric_title(enum sft_metric metric, double recall, char *text);

#endif
