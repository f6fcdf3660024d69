/* SPDX-License-Identifier: Apache-2.0 */
/* Shared shapes of CPU loops. Cuts depend on sizes only, never on the number of threads. */
#ifndef SFT_CPU_LOOPS_H
#define SFT_CPU_LOOPS_H

#include "runtime/base/divide.h"
#include "runtime/cpu/kernel.h"

/* A hot loop compiled for several instruction sets, the best of which is taken when the program starts.
 * Contraction is off everywhere, so they give the same bits. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__linux__) &&                 \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SFT_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define SFT_CLONES
#endif

static inline int64_t sft_min64(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t sft_max64(int64_t a, int64_t b) { return a > b ? a : b; }

typedef void (*sft_cpu_range)(void *context, int64_t first, int64_t last);

/* Calls body for ranges that cover 0 .. count-1, each a multiple of `unit` elements long (count is one too).
 */
void sft_cpu_ranges(int64_t count, int64_t unit, sft_cpu_range body, void *context);

/* Strides, in elements of `small`, with which a walk over `big` reads it: 0 along the axes where it is
 * repeated. Returns small's number of elements. `small` must broadcast to `big`. */
int64_t sft_cpu_broadcast_strides(const struct sft_shape *small, const struct sft_shape *big,
                                  int64_t *stride);

/* Sum in float64 of n floats; and of their squares. */
double sft_cpu_sum(const float *x, int64_t n);
double sft_cpu_sum_squares(const float *x, int64_t n);

#endif
