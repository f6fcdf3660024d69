/* SPDX-License-Identifier: Apache-2.0 */
/* Gaussians of one covariance, one a class: what Mahalanobis' distance is measured with. Private to
 * ood/scores. */
#ifndef SFT_GAUSSIANS_H
#define SFT_GAUSSIANS_H

#include <stdint.h>

#include "runtime/base/status.h"

struct sft_gaussians {
    int classes, width;
    const float *means;     /* (classes, width) */
    const float *whitening; /* (width, width): R, with R^T R the pseudo-inverse of the covariance */
};

/* From rows (n, width) with labels: the class means, and R of the biased covariance of rows minus their
 * class's mean, the mean of the differences removed. SFT_DATA for a class without a row; `who` says whose
 * they are. */
enum sft_status sft_gaussians_fit(const char *who, int64_t n, int width, int classes, const float *rows,
                                  const int32_t *labels, float *means, float *whitening) SFT_MUST_CHECK;

/* min_c (row - mu_c)^T R^T R (row - mu_c); NaN where the row has one. */
double sft_gaussians_nearest(const struct sft_gaussians *gaussians, const float *row);

/* The same in coordinates around the mean of the means: origin (width), centres c (classes, width), R (mu_c -
 * origin), and half_squares (classes), |c|^2 / 2, which are zero before. */
void sft_gaussians_centre(const struct sft_gaussians *gaussians, float *origin, float *centres,
                          float *half_squares);

#endif
