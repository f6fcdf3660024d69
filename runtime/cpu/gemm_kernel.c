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
enum { AHEAD = 8 * COLUMNS }; /* floats between what is read and what is fetched into the nearest cache */

static __attribute__((noinline)) void store_edge(const float block[][COLUMNS],
                                                 const struct sft_block_store *s)
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

/* Unrolled, and without an address of acc, so that the sums stay in registers up to here. */
static inline __attribute__((always_inline)) void store_block(vector acc[ROWS][2], int rows,
                                                              const struct sft_block_store *s)
{
    if (s->rows < rows || s->columns < COLUMNS || s->bias || s->relu) {
        float block[ROWS][COLUMNS];
#pragma GCC unroll 16
        for (int m = 0; m < ROWS; m++) {
            store(block[m], acc[m][0]);
            store(block[m] + LANES, acc[m][1]);
        }
        store_edge((const float(*)[COLUMNS])block, s);
        return;
    }
    if (s->accumulate)
#pragma GCC unroll 16
        for (int m = 0; m < rows; m++) {
            acc[m][0] += load(s->row[m] + s->column);
            acc[m][1] += load(s->row[m] + s->column + LANES);
        }
#pragma GCC unroll 16
    for (int m = 0; m < rows; m++) {
        store(s->row[m] + s->column, acc[m][0]);
        store(s->row[m] + s->column + LANES, acc[m][1]);
    }
}

static inline __attribute__((always_inline)) void clear(vector acc[ROWS][2])
{
#pragma GCC unroll 16
    for (int m = 0; m < ROWS; m++) acc[m][0] = acc[m][1] = (vector){0};
}

/* The result's lines come from memory while the sums are made. */
static inline void expect_rows(const struct sft_block_store *s)
{
    for (int m = 0; m < s->rows; m++) {
        __builtin_prefetch(s->row[m] + s->column, 1);
        if (LANES == 16) __builtin_prefetch(s->row[m] + s->column + LANES, 1);
    }
}

static void indirect(int64_t taps, int64_t channels, const float *const *a, const float *const *w,
                     const struct sft_block_store *store)
{
    vector acc[ROWS][2];
    clear(acc);
    expect_rows(store);
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
    store_block(acc, ROWS, store);
}

typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

/* Four elements each of four lines, `stride` apart, to four places that are `width` apart. */
static inline void transpose_four(const float *from, int64_t stride, float *to, int width)
{
    four a = *(const four *)from, b = *(const four *)(from + stride);
    four c = *(const four *)(from + 2 * stride), d = *(const four *)(from + 3 * stride);
    four ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    four cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd1 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(four *)to = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5);
    *(four *)(to + width) = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
    *(four *)(to + 2 * width) = __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5);
    *(four *)(to + 3 * width) = __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7);
}

static inline __attribute__((always_inline)) void pack_panel(const float *from, int64_t step, int64_t stride,
                                                             int valid, int64_t depth, int width, float *to)
{
    int whole = step == 1 ? valid / 4 * 4 : 0;
    if (valid == width && stride == 1) {
        for (int64_t i = 0; i < depth; i++)
            memcpy(to + i * width, from + i * step, (size_t)width * sizeof(float));
        return;
    }
    for (int64_t i = 0; i < depth; i += 4)
        for (int j = 0; i + 4 <= depth && j < whole; j += 4)
            transpose_four(from + i + j * stride, stride, to + i * width + j, width);
    for (int64_t i = 0; i < depth; i++) {
        int first = i < depth / 4 * 4 ? whole : 0;
        for (int j = first; j < width; j++)
            to[i * width + j] = j < valid ? from[i * step + j * stride] : 0.0f;
    }
}

static inline __attribute__((always_inline)) void pack(const float *from, int64_t step, int64_t stride,
                                                       int64_t count, int64_t depth, int width, float *to)
{
    for (int64_t line = 0; line < count; line += width, to += depth * width)
        pack_panel(from + line * stride, step, stride, (int)(count - line < width ? count - line : width),
                   depth, width, to);
}

static void pack_rows(const float *from, int64_t step, int64_t stride, int64_t count, int64_t depth,
                      float *to)
{
    pack(from, step, stride, count, depth, ROWS, to);
}

static void pack_columns(const float *from, int64_t step, int64_t stride, int64_t count, int64_t depth,
                         float *to)
{
    pack(from, step, stride, count, depth, COLUMNS, to);
}

static void packed(int64_t depth, const float *a, const float *b, const struct sft_block_store *store)
{
    vector acc[ROWS][2];
    clear(acc);
    for (int64_t i = 0; i < depth; i++, a += ROWS, b += COLUMNS) {
        vector b0 = load(b), b1 = load(b + LANES);
        __builtin_prefetch(b + AHEAD);
        __builtin_prefetch(b + AHEAD + LANES);
#pragma GCC unroll 16
        for (int m = 0; m < ROWS; m++) {
            acc[m][0] += a[m] * b0;
            acc[m][1] += a[m] * b1;
        }
    }
    store_block(acc, ROWS, store);
}

static inline __attribute__((always_inline)) void outer_rows(int rows, int64_t pixels, const float *const *x,
                                                             int64_t channel, const float *const *y,
                                                             int64_t first,
                                                             const struct sft_block_store *store)
{
    vector acc[ROWS][2];
    clear(acc);
    for (int64_t p = 0; p < pixels; p++) {
        const float *row = x[p] + channel, *column = y[p] + first;
        __asm__("" : "+r"(row), "+r"(column)); /* or GCC keeps `channel` + m in a register for each m */
        vector y0 = load(column), y1 = load(column + LANES);
#pragma GCC unroll 16
        for (int m = 0; m < rows; m++) {
            acc[m][0] += row[m] * y0;
            acc[m][1] += row[m] * y1;
        }
    }
    store_block(acc, rows, store);
}

/* A block with fewer rows must not read the channels that follow: each number of rows is a loop of its own.
 */
#define SFT_OUTER(rows)                                                                                      \
    static void outer_##rows(int64_t pixels, const float *const *x, int64_t channel, const float *const *y,  \
                             int64_t first, const struct sft_block_store *store)                             \
    {                                                                                                        \
        outer_rows(rows, pixels, x, channel, y, first, store);                                               \
    }
SFT_OUTER(1)
SFT_OUTER(2)
SFT_OUTER(3)
SFT_OUTER(4)
SFT_OUTER(5)
SFT_OUTER(6)
#if SFT_ROWS > 6
SFT_OUTER(7)
SFT_OUTER(8)
SFT_OUTER(9)
SFT_OUTER(10)
SFT_OUTER(11)
SFT_OUTER(12)
#endif

static void outer(int64_t pixels, const float *const *x, int64_t channel, const float *const *y,
                  int64_t first, const struct sft_block_store *store)
{
    static void (*const by_rows[ROWS])(int64_t, const float *const *, int64_t, const float *const *, int64_t,
                                       const struct sft_block_store *) = {
        outer_1,
        outer_2,
        outer_3,
        outer_4,
        outer_5,
        outer_6,
#if SFT_ROWS > 6
        outer_7,
        outer_8,
        outer_9,
        outer_10,
        outer_11,
        outer_12,
#endif
    };
    by_rows[store->rows - 1](pixels, x, channel, y, first, store);
}

extern const struct sft_gemm_kernel SFT_PASTE(sft_gemm_kernel_, SFT_ISA);
const struct sft_gemm_kernel SFT_PASTE(sft_gemm_kernel_, SFT_ISA) = {
    .isa = SFT_STRING(SFT_ISA),
    .rows = ROWS,
    .columns = COLUMNS,
    .indirect = indirect,
    .pack_rows = pack_rows,
    .pack_columns = pack_columns,
    .packed = packed,
    .outer = outer,
};
