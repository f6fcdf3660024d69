/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/scores/gaussians.h"

#include <math.h>
#include <stdlib.h>

#include "ood/scores/rows.h"
#include "runtime/base/alloc.h"
#include "runtime/base/linalg.h"

/* R with R^T R the pseudo-inverse of a covariance, whose eigenvalues up to 1e-12 of the largest count as 0;
 * the covariance is used up. R is what is kept: far from all means d^T P d is a small difference of large
 * numbers, and |R d|^2 is not. */
static enum sft_status invert_root(int width, double *covariance, float *root)
{
    double *values = sft_calloc((size_t)width, sizeof(*values));
    enum sft_status status = values ? sft_symmetric_eigen(width, covariance, values) : SFT_MEMORY;
    for (int i = 0; status == SFT_OK && i < width; i++) {
        double scale = values[i] > 1e-12 * values[0] ? 1 / sqrt(values[i]) : 0;
        for (int j = 0; j < width; j++) root[i * width + j] = (float)(scale * covariance[i * width + j]);
    }
    free(values);
    return status;
}

static enum sft_status find_whitening(int64_t n, int width, const float *rows, const int32_t *labels,
                                      const float *means, float *whitening)
{
    double *off = sft_calloc((size_t)(n * width), sizeof(*off)), *covariance;
    enum sft_status status;
    if (!off) return SFT_MEMORY;
    covariance = sft_calloc((size_t)width * (size_t)width, sizeof(*covariance));
    for (int j = 0; j < width; j++) {
        double mean = 0;
        for (int64_t i = 0; i < n; i++) {
            off[i * width + j] = (double)rows[i * width + j] - (double)means[(int64_t)labels[i] * width + j];
            mean += off[i * width + j] / (double)n;
        }
        for (int64_t i = 0; i < n; i++) off[i * width + j] -= mean;
    }
    status = covariance ? sft_gram(n, width, off, covariance) : SFT_MEMORY;
    for (int i = 0; status == SFT_OK && i < width * width; i++) covariance[i] /= (double)n;
    if (status == SFT_OK) status = invert_root(width, covariance, whitening);
    free(covariance);
    free(off);
    return status;
}

enum sft_status sft_gaussians_fit(const char *who, int64_t n, int width, int classes, const float *rows,
                                  const int32_t *labels, float *means, float *whitening)
{
    SFT_TRY(sft_class_means(who, n, width, classes, rows, labels, means));
    return find_whitening(n, width, rows, labels, means, whitening);
}

/* Element a of R (row - mean). */
static double whitened(const float *whitening, int width, int a, const float *row, const float *mean)
{
    double sum = 0;
    for (int b = 0; b < width; b++)
        sum += (double)whitening[a * width + b] * ((double)row[b] - (double)mean[b]);
    return sum;
}

double sft_gaussians_nearest(const struct sft_gaussians *gaussians, const float *row)
{
    int width = gaussians->width;
    double best = INFINITY;
    for (int c = 0; c < gaussians->classes; c++) {
        double distance = 0;
        for (int a = 0; a < width; a++) {
            double inner =
                whitened(gaussians->whitening, width, a, row, gaussians->means + (int64_t)c * width);
            distance += inner * inner;
        }
        if (!(distance >= best)) best = distance;
        if (isnan(best)) break;
    }
    return best;
}

void sft_gaussians_centre(const struct sft_gaussians *gaussians, float *origin, float *centres,
                          float *half_squares)
{
    int width = gaussians->width;
    for (int j = 0; j < width; j++) {
        double sum = 0;
        for (int c = 0; c < gaussians->classes; c++) sum += (double)gaussians->means[(int64_t)c * width + j];
        origin[j] = (float)(sum / gaussians->classes);
    }
    for (int c = 0; c < gaussians->classes; c++)
        for (int a = 0; a < width; a++) {
            const float *mean = gaussians->means + (int64_t)c * width;
            float element = (float)whitened(gaussians->whitening, width, a, mean, origin);
            centres[(int64_t)c * width + a] = element;
            half_squares[c] += element * element / 2;
        }
}
