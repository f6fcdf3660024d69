/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/metrics/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/order.h"

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
    sft_sort_ascending(n, pool);
    for (int i = 0; n > 0 && i < count; i++) quantiles[i] = sft_sorted_quantile(n, pool, q[i]);
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

struct sft_moments sft_sample_moments(struct sft_sample sample)
{
    struct sft_moments m = {0, 0.0, 0.0};
    double squares = 0.0;
    for (int64_t i = 0; i < sample.n; i++) {
        if (!isfinite(sample.values[i])) continue;
        m.mean += (double)sample.values[i];
        m.n++;
    }
    m.mean = m.n > 0 ? m.mean / (double)m.n : NAN;
    for (int64_t i = 0; i < sample.n; i++) {
        double off = (double)sample.values[i] - m.mean;
        if (isfinite(sample.values[i])) squares += off * off;
    }
    m.std = m.n > 1 ? sqrt(squares / (double)(m.n - 1)) : NAN;
    return m;
}

/* Adds exp(-(d + j step)^2 / 2) for j = 0, 1, ... to *at, at[stride], ..., `count` of them at most.
 * Neighbours differ by a factor that itself changes by a constant one, so that only three exponentials are
 * needed. */
static void add_tail(double *at, int stride, int count, double d, double step)
{
    const double change = exp(-step * step);
    double value = exp(-0.5 * d * d);
    double ratio = exp(-step * d - 0.5 * step * step);
    for (int j = 0; j < count && value > 1e-13; j++) {
        at[j * stride] += value;
        value *= ratio;
        ratio *= change;
    }
}

bool sft_kernel_density(struct sft_sample sample, double low, double high, double density[SFT_KERNEL_POINTS])
{
    const struct sft_moments m = sft_sample_moments(sample);
    const double bandwidth = m.std * pow((double)m.n, -0.2), spacing = (high - low) / (SFT_KERNEL_POINTS - 1);
    const double step = spacing / bandwidth;
    memset(density, 0, SFT_KERNEL_POINTS * sizeof(*density));
    if (!(bandwidth > 0.0) || isinf(bandwidth)) return false;
    for (int64_t i = 0; i < sample.n; i++) {
        double value = (double)sample.values[i],
               place = fmin(fmax((value - low) / spacing, 0), SFT_KERNEL_POINTS - 1);
        int nearest = (int)(place + 0.5);
        double d = (low + nearest * spacing - value) / bandwidth;
        if (!isfinite(value)) continue;
        add_tail(density + nearest, 1, SFT_KERNEL_POINTS - nearest, d, step);
        if (nearest > 0) add_tail(density + nearest - 1, -1, nearest, step - d, step);
    }
    for (int i = 0; i < SFT_KERNEL_POINTS; i++)
        density[i] /= (double)m.n * bandwidth * sqrt(2.0 * acos(-1.0));
    return true;
}
