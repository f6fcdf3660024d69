/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inner loops of convolution and matrix products, one set for each instruction set (gemm_kernel.c is
 * compiled once for each). Each keeps a block of `rows` x `columns` sums in registers.
 */
#ifndef SFT_CPU_GEMM_KERNEL_H
#define SFT_CPU_GEMM_KERNEL_H

#include <stdint.h>

enum { SFT_MAX_BLOCK_ROWS = 12, SFT_MAX_BLOCK_COLUMNS = 32 };

/* What a block of sums becomes when it leaves the registers. */
struct sft_block_store {
    float *const *row; /* where each row of the block's tensor starts */
    int64_t column;    /* of the block in those rows */
    int rows, columns; /* valid part of the block */
    const float *bias; /* one for each column of the tensor, or NULL */
    int relu;
    int accumulate; /* add to what is there */
};

struct sft_gemm_kernel {
    const char *isa;
    int rows, columns;

    /* sum over taps t and channels i of a[t*rows + row][i] * w[t][i*columns + column]. `a` holds a pointer
     * for each tap and row, so that padding is a pointer to zeros and no image is ever unfolded. */
    void (*indirect)(int64_t taps, int64_t channels, const float *const *a, const float *const *w,
                     const struct sft_block_store *store);

    /* Packs `count` lines (rows of A, columns of B) of `depth` elements for `packed`: panels of `rows` or
     * `columns` lines, in which the i-th elements of all lines lie side by side. `step` is from element to
     * element and `stride` from line to line, one of them 1. Lines missing in the last panel are zeros. */
    void (*pack_rows)(const float *from, int64_t step, int64_t stride, int64_t count, int64_t depth,
                      float *to);
    void (*pack_columns)(const float *from, int64_t step, int64_t stride, int64_t count, int64_t depth,
                         float *to);

    /* sum over i of a[i*rows + row] * b[i*columns + column], `depth` of them. */
    void (*packed)(int64_t depth, const float *a, const float *b, const struct sft_block_store *store);

    /* sum over pixels p of x[p][channel + row] * y[p][first + column] for store->rows rows. */
    void (*outer)(int64_t pixels, const float *const *x, int64_t channel, const float *const *y,
                  int64_t first, const struct sft_block_store *store);
};

/* The set for this machine. */
const struct sft_gemm_kernel *sft_gemm_kernel(void);

/* The instruction set that it was compiled for. */
const char *sft_cpu_isa(void);

#endif
