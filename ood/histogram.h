/* SPDX-License-Identifier: Apache-2.0 */
/* Densities of scores over common bins, as in the paper's Figures 2 to 4 (methods.md 7.1). */
#ifndef SFT_HISTOGRAM_H
#define SFT_HISTOGRAM_H

#include <stdint.h>

#include "runtime/status.h"

enum { SFT_HISTOGRAM_BINS = 100 };

/* A sample that shares its bins with others; `n` may be 0. */
struct sft_sample {
    int64_t n;
    const float *values;
};

/* Share of the sample in each bin, divided by the bin's width; what lies outside the range is in no bin but counts in
 * the total, so that the area is at most 1. */
struct sft_histogram {
    double low, high;
    double density[SFT_HISTOGRAM_BINS];
};

/* The common range of several samples: the 0.1 and 99.9 percentiles of their pooled finite values, interpolated as
 * numpy.percentile() does; widened where they coincide. SFT_DATA where no value is finite. */
enum sft_status sft_histogram_range(int samples, const struct sft_sample *sample, double *low,
                                    double *high) SFT_MUST_CHECK;

/* Fills histogram->density for histogram->low and ->high. The upper edge belongs to the last bin. */
void sft_histogram_fill(struct sft_histogram *histogram, struct sft_sample sample);

/* The values below which the shares q[0 .. count-1] (0 .. 1) of the pooled finite values of several samples lie,
 * interpolated linearly as numpy.percentile() does. SFT_DATA where no value is finite. */
enum sft_status sft_quantiles(int samples, const struct sft_sample *sample, int count, const double *q,
                              double *quantiles) SFT_MUST_CHECK;

#endif
