/* SPDX-License-Identifier: Apache-2.0 */
/* Division of sizes, rounded up. */
#ifndef SFT_DIVIDE_H
#define SFT_DIVIDE_H

#include <stdint.h>

/* How many parts of `b` cover `a`; a is not negative, b is positive. */
static inline int64_t sft_divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* The least multiple of `to` that is not below `n`. */
static inline int64_t sft_round_up(int64_t n, int64_t to) { return sft_divide_up(n, to) * to; }

#endif
