/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled once for each instruction set, with SFT_ISA (name of the table), SFT_LANES (floats in a vector)
 * and SFT_ROWS. Two vectors wide: rows x 2 accumulators, two loaded vectors and a broadcast fit the register
 * file.
 */
#include "runtime/cpu/gemm_kernel.h"

#include <string.h>

#include "runtime/cpu/vector.h"

enum { ROWS = SFT_ROWS, LANES = SFT_LANES, COLUMNS = 2 * SFT_LANES };

static void store_edge(const float block[][COLUMNS], const struct sft_block_store *s)
{
    for (int m = 0; m < s->rows; m++) {
        float *c = s->row[m] + s->column;
        for (int n = 0; n < s->columns; n++) {
            float sum = block[m][n] + (s->bias ? s->bias[s->column + n] : 0.0f);
            if (s->accumulate) sum += c[n];
            c[n] = s->relu && sum < 0.0f ? 0.0f : sum;
        }
    }
}

static inline void store_block(vector acc[ROWS][2], const struct sft_block_store *s)
{
    float block[ROWS][COLUMNS];
    if (s->columns < COLUMNS || s->bias || s->relu) {
        memcpy(block, acc, sizeof(block));
        store_edge((const float(*)[COLUMNS])block, s);
        return;
    }
    for (int m = 0; m < s->rows; m++) {
        vector *c0 = (vector *)(s->row[m] + s->column), *c1 = (vector *)(s->row[m] + s->column + LANES);
        if (s->accumulate) {
            acc[m][0] += *c0;
            acc[m][1] += *c1;
        }
        *c0 = acc[m][0];
        *c1 = acc[m][1];
    }
}

static void indirect(int64_t taps, int64_t channels, const float *const *a, const float *const *w,
                     const struct sft_block_store *store)
{
    vector acc[ROWS][2] = {{{0}}};
    for (int64_t t = 0; t < taps; t++) {
        const float *row[ROWS], *weight = w[t];
#pragma GCC unroll 16
        for (int m = 0; m < ROWS; m++) row[m] = a[t * ROWS + m];
        for (int64_t i = 0; i < channels; i++, weight += COLUMNS) {
            vector w0 = load(weight), w1 = load(weight + LANES);
#pragma GCC unroll 16
            for (int m = 0; m < ROWS; m++) {
                acc[m][0] += row[m][i] * w0;
                acc[m][1] += row[m][i] * w1;
            }
        }
    }
    store_block(acc, store);
}

static inline __attribute__((always_inline)) void outer_rows(int rows, int64_t pixels, const float *const *x,
                                                             int64_t channel, const float *const *y,
                                                             int64_t first,
                                                             const struct sft_block_store *store)
{
    vector acc[ROWS][2] = {{{0}}};
    for (int64_t p = 0; p < pixels; p++) {
        const float *row = x[p] + channel, *column = y[p] + first;
        vector y0 = load(column), y1 = load(column + LANES);
#pragma GCC unroll 16
        for (int m = 0; m < rows; m++) {
            acc[m][0] += row[m] * y0;
            acc[m][1] += row[m] * y1;
        }
    }
    store_block(acc, store);
}

/* A block with fewer rows must not read the channels that follow: each number of rows is a loop of its own.
 */
static void outer(int64_t pixels, const float *const *x, int64_t channel, const float *const *y,
                  int64_t first, const struct sft_block_store *store)
{
    switch (store->rows) {
    case 1:
        outer_rows(1, pixels, x, channel, y, first, store);
        return;
    case 2:
        outer_rows(2, pixels, x, channel, y, first, store);
        return;
    case 3:
        outer_rows(3, pixels, x, channel, y, first, store);
        return;
    case 4:
        outer_rows(4, pixels, x, channel, y, first, store);
        return;
    case 5:
        outer_rows(5, pixels, x, channel, y, first, store);
        return;
    case ROWS:
        outer_rows(ROWS, pixels, x, channel, y, first, store);
        return;
#if SFT_ROWS > 6
    case 6:
        outer_rows(6, pixels, x, channel, y, first, store);
        return;
    case 7:
        outer_rows(7, pixels, x, channel, y, first, store);
        return;
    case 8:
        outer_rows(8, pixels, x, channel, y, first, store);
        return;
    case 9:
        outer_rows(9, pixels, x, channel, y, first, store);
        return;
    case 10:
        outer_rows(10, pixels, x, channel, y, first, store);
        return;
    case 11:
        outer_rows(11, pixels, x, channel, y, first, store);
        return;
#endif
    default:
        return;
    }
}

extern const struct sft_gemm_kernel SFT_PASTE(sft_gemm_kernel_, SFT_ISA);
const struct sft_gemm_kernel SFT_PASTE(sft_gemm_kernel_, SFT_ISA) = {
    .isa = SFT_STRING(SFT_ISA),
    .rows = ROWS,
    .columns = COLUMNS,
    .indirect = indirect,
    .outer = outer,
};
