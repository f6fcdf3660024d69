/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in order, and what is read off them. Numbers that are no number (NaN) have no place in it. */
#ifndef SFT_ORDER_H
#define SFT_ORDER_H

#include <stdint.h>

/* Sorts n values in place. */
void sft_sort_ascending(int64_t n, float *values);
void sft_sort_descending(int64_t n, float *values);
void sft_sort_ascending_double(int64_t n, double *values);

/* The value below which the share q of n >= 1 ascending values lies, interpolated linearly between
 * neighbours: NumPy's default. */
double sft_sorted_quantile(int64_t n, const float *ascending, double q);
double sft_sorted_quantile_double(int64_t n, const double *ascending, double q);

#endif
