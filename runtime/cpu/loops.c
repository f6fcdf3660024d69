/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cpu/loops.h"

#include "runtime/base/parallel.h"

enum { RANGE_ELEMENTS = 16384, SUM_LANES = 8, SUM_RUN = 256 };

struct ranges {
    sft_cpu_range body;
    void *context;
    int64_t count, step;
};

static void range_task(void *context, int64_t task, int slot)
{
    const struct ranges *r = context;
    int64_t first = task * r->step, last = first + r->step < r->count ? first + r->step : r->count;
    (void)slot;
    r->body(r->context, first, last);
}

void sft_cpu_ranges(int64_t count, int64_t unit, sft_cpu_range body, void *context)
{
    struct ranges r = {body, context, count, sft_round_up(RANGE_ELEMENTS, unit)};
    sft_parallel_for(sft_divide_up(count, r.step), range_task, &r);
}

int64_t sft_cpu_broadcast_strides(const struct sft_shape *small, const struct sft_shape *big, int64_t *stride)
{
    struct sft_shape padded;
    int64_t step = 1;
    sft_shape_broadcasts(small, big, &padded);
    for (int i = big->rank - 1; i >= 0; i--) {
        stride[i] = padded.dim[i] == 1 ? 0 : step;
        step *= padded.dim[i];
    }
    return step;
}

/* Lanes of float32 over short runs, runs added in float64: fast, and exact to about 1e-7 however long the
 * array. */
#define SFT_SUM(name, term)                                                                                  \
    double name(const float *x, int64_t n)                                                                   \
    {                                                                                                        \
        double total = 0.0;                                                                                  \
        while (n >= SUM_LANES) {                                                                             \
            float lane[SUM_LANES] = {0};                                                                     \
            int64_t run = n < SUM_RUN ? n / SUM_LANES * SUM_LANES : SUM_RUN;                                 \
            for (int64_t i = 0; i < run; i += SUM_LANES)                                                     \
                for (int j = 0; j < SUM_LANES; j++) lane[j] += term(x[i + j]);                               \
            for (int j = 0; j < SUM_LANES; j++) total += (double)lane[j];                                    \
            x += run;                                                                                        \
            n -= run;                                                                                        \
        }                                                                                                    \
        for (int64_t i = 0; i < n; i++) total += (double)(term(x[i]));                                       \
        return total;                                                                                        \
    }

#define SFT_PLAIN(v) (v)
#define SFT_SQUARE(v) ((v) * (v))
SFT_SUM(sft_cpu_sum, SFT_PLAIN)
SFT_SUM(sft_cpu_sum_squares, SFT_SQUARE)
