/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/order.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static int descending(const void *a, const void *b) { return ascending(b, a); }

static int ascending_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void sft_sort_ascending(int64_t n, float *values) { qsort(values, (size_t)n, sizeof(*values), ascending); }

void sft_sort_descending(int64_t n, float *values) { qsort(values, (size_t)n, sizeof(*values), descending); }

void sft_sort_ascending_double(int64_t n, double *values)
{
    qsort(values, (size_t)n, sizeof(*values), ascending_double);
}

/* Between which two of n values q lies, and how far from the first. */
static double find(int64_t n, double q, int64_t *below, int64_t *above)
{
    double at = q * (double)(n - 1);
    *below = (int64_t)floor(at);
    if (*below > n - 1) *below = n - 1;
    *above = *below + 1 < n ? *below + 1 : n - 1;
    return at - (double)*below;
}

/* Without a difference where there is none to take: infinite values have none. */
static double between(double low, double high, double share)
{
    return share > 0 ? low + share * (high - low) : low;
}

double sft_sorted_quantile(int64_t n, const float *values, double q)
{
    int64_t below, above;
    double share = find(n, q, &below, &above);
    return between((double)values[below], (double)values[above], share);
}

double sft_sorted_quantile_double(int64_t n, const double *values, double q)
{
    int64_t below, above;
    double share = find(n, q, &below, &above);
    return between(values[below], values[above], share);
}
