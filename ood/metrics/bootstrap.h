/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bootstrap: how far a metric would move with other images of the same kinds (Efron, "Bootstrap methods:
 * another look at the jackknife", Annals of Statistics 1979). A replicate draws, with replacement, as many ID
 * images as there are and as many OOD images as there are; an interval is what lies between percentiles of
 * the replicates' metrics.
 *
 * Which images a replicate draws is a function of (seed, replicate, set): the same at any number of threads,
 * and the same ID images for every OOD set of a score, so that the mean of a replicate over the sets is a
 * replicate of the mean.
 */
#ifndef SFT_BOOTSTRAP_H
#define SFT_BOOTSTRAP_H

#include "ood/metrics/metrics.h"

enum { SFT_MAX_REPLICATES = 1000000 };

struct sft_bootstrap {
    int replicates;
    uint64_t seed;
    int set; /* number of the OOD set, from 0 */
};

/* fpr[r] and auroc[r] of every replicate, on all threads. The convention, recall and scores as
 * sft_metrics_compute() takes them, and its statuses. Time grows with replicates * images; sorting happens
 * once. */
enum sft_status sft_bootstrap_run(const struct sft_bootstrap *bootstrap,
                                  const struct sft_convention *convention, double recall, int64_t n_id,
                                  const float *id, int64_t n_ood, const float *ood, double *fpr,
                                  double *auroc) SFT_MUST_CHECK;

/* The percentile interval that holds `share` (0.95) of the values, whose ends are interpolated linearly;
 * sorts them. */
struct sft_interval sft_interval_of(double *values, int n, double share);

#endif
