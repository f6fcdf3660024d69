/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transforms of Winograd's minimal filtering F(2x2, 3x3) (Lavin and Gray, 2016, section 4.1), one set for
 * each instruction set. A tile of 4x4 inputs d and a 3x3 filter g give 2x2 outputs by 16 products instead of
 * 36:
 *
 *     Y = A^T [ (G g G^T) . (B^T d B) ] A
 *
 * The products of one of the 16 elements, summed over channels, are a matrix product over tiles. A
 * transformed tensor is 16 such matrices; `stride` is how far apart they lie. Every pointer is to floats of
 * channels that lie together.
 */
#ifndef SFT_CPU_WINOGRAD_KERNEL_H
#define SFT_CPU_WINOGRAD_KERNEL_H

#include <stdint.h>

enum { SFT_WINOGRAD_ELEMENTS = 16 };

struct sft_winograd_kernel {
    /* B^T d B of `channels` channels (a multiple of 16) of the 16 pixels d[row*4 + column]. */
    void (*input)(const float *const *d, int64_t channels, float *v, int64_t stride);

    /* G g G^T and its transpose, for a panel of sft_gemm_kernel.columns filters: u is the panel of the first
     * element; g has the 9 taps, tap_stride apart. The gradient adds nothing: it writes. */
    void (*filter)(const float *g, int64_t tap_stride, float *u, int64_t stride);
    void (*filter_gradient)(const float *u, int64_t stride, float *g, int64_t tap_stride);

    /* A^T m A of a panel: y[row*2 + column] where that is not NULL. bias (one for each column) may be NULL.
     */
    void (*output)(const float *m, int64_t stride, const float *bias, int relu, float *const *y);

    /* A dy A^T of a panel of the 4 pixels dy[row*2 + column]. */
    void (*output_gradient)(const float *const *dy, float *z, int64_t stride);
};

/* The set for this machine; its panels are as wide as those of sft_gemm_kernel(). */
const struct sft_winograd_kernel *sft_winograd_kernel(void);

#endif
