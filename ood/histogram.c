/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/alloc.h"

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double interpolate(int64_t n, const float *sorted, double q)
{
    double at = q * (double)(n - 1);
    int64_t below = (int64_t)floor(at), above = below + 1 < n ? below + 1 : n - 1;
    return (double)sorted[below] + (at - (double)below) * ((double)sorted[above] - (double)sorted[below]);
}

enum sft_status sft_quantiles(int samples, const struct sft_sample *sample, int count, const double *q,
                              double *quantiles)
{
    int64_t room = 0, n = 0;
    float *pool;
    for (int s = 0; s < samples; s++) room += sample[s].n;
    pool = sft_calloc((size_t)room, sizeof(*pool));
    if (!pool) return SFT_MEMORY;
    for (int s = 0; s < samples; s++)
        for (int64_t i = 0; i < sample[s].n; i++)
            if (isfinite(sample[s].values[i])) pool[n++] = sample[s].values[i];
    qsort(pool, (size_t)n, sizeof(*pool), ascending);
    for (int i = 0; n > 0 && i < count; i++) quantiles[i] = interpolate(n, pool, q[i]);
    free(pool);
    if (n == 0) return sft_fail(SFT_DATA, "none of %lld scores is a finite number", (long long)room);
    return SFT_OK;
}

enum sft_status sft_histogram_range(int samples, const struct sft_sample *sample, double *low, double *high)
{
    static const double ends[2] = {0.001, 0.999};
    double at[2];
    SFT_TRY(sft_quantiles(samples, sample, 2, ends, at));
    *low = at[0];
    *high = at[1];
    if (*high - *low >= 1e-6 * fmax(1.0, fabs(*low))) return SFT_OK;
    *low -= 0.5;
    *high += 0.5;
    return SFT_OK;
}

void sft_histogram_fill(struct sft_histogram *histogram, struct sft_sample sample)
{
    double width = (histogram->high - histogram->low) / SFT_HISTOGRAM_BINS;
    memset(histogram->density, 0, sizeof(histogram->density));
    for (int64_t i = 0; i < sample.n; i++) {
        double value = (double)sample.values[i];
        int bin;
        if (!(value >= histogram->low && value <= histogram->high)) continue;
        bin = (int)((value - histogram->low) / width);
        if (bin >= SFT_HISTOGRAM_BINS) bin = SFT_HISTOGRAM_BINS - 1;
        histogram->density[bin] += 1.0 / ((double)sample.n * width);
    }
}
