/* SPDX-License-Identifier: Apache-2.0 */
/* Densities of scores over common bins, as in the paper's Figures 2 to 4. */
#ifndef SFT_HISTOGRAM_H
#define SFT_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/status.h"

enum { SFT_HISTOGRAM_BINS = 100, SFT_KERNEL_POINTS = 512 };

/* A sample that shares its bins with others; `n` may be 0. */
struct sft_sample {
    int64_t n;
    const float *values;
};

/* Share of the sample in each bin, divided by the bin's width; what lies outside the range is in no bin but
 * counts in the total, so that the area is at most 1. */
struct sft_histogram {
    double low, high;
    double density[SFT_HISTOGRAM_BINS];
};

/* The common range of several samples: the 0.1 and 99.9 percentiles of their pooled finite values,
 * interpolated as numpy.percentile() does; widened where they coincide. SFT_DATA where no value is finite. */
enum sft_status sft_histogram_range(int samples, const struct sft_sample *sample, double *low,
                                    double *high) SFT_MUST_CHECK;

/* Fills histogram->density for histogram->low and ->high. The upper edge belongs to the last bin. */
void sft_histogram_fill(struct sft_histogram *histogram, struct sft_sample sample);

/* Mean and standard deviation (divisor n - 1) of the finite values; NaN where there are too few. */
struct sft_moments {
    int64_t n;
    double mean, std;
};
struct sft_moments sft_sample_moments(struct sft_sample sample);

/* Gaussian kernel density of the finite values at 512 equally spaced points from `low` to `high`, with
 * Scott's bandwidth std n^(-1/5) (D. W. Scott, Multivariate Density Estimation, Wiley 1992, section 6.3), as
 * scipy.stats.gaussian_kde() has it, to about 1e-12 of the highest peak. False, and zeros, where all values
 * are equal or fewer than two. */
bool sft_kernel_density(struct sft_sample sample, double low, double high, double density[SFT_KERNEL_POINTS]);

/* The values below which the shares q[0 .. count-1] (0 .. 1) of the pooled finite values of several samples
 * lie, interpolated linearly as numpy.percentile() does. SFT_DATA where no value is finite. */
enum sft_status sft_quantiles(int samples, const struct sft_sample *sample, int count, const double *q,
                              double *quantiles) SFT_MUST_CHECK;

#endif
