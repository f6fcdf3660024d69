/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 3x3 convolutions of stride 1 by Winograd's minimal filtering (winograd_kernel.h): 2.25 times fewer products
 * than conv2d.c and conv2d_dw.c, which hand over what it takes. Whether it does depends on the size of an
 * image and its channels only, so an image's result does not depend on the batch it is in.
 */
#ifndef SFT_CPU_WINOGRAD_H
#define SFT_CPU_WINOGRAD_H

#include <stdbool.h>

#include "runtime/cpu/kernel.h"
#include "runtime/ops.h"

/* y = conv(x, w) + bias, or the gradient with respect to x, which is such a convolution of dy. Images are
 * (N,H,W,C). */
struct sft_winograd {
    int64_t images, channels, columns; /* of the source and of the result */
    int64_t source_size[2], out_size[2], pad[2];
    int64_t tap_stride, row_stride, column_stride; /* of the weight of a tap, channel and column, in floats */
    bool flipped;                                  /* taps from last to first */
    int relu;
    const float *bias; /* NULL: none; the rest of the operands is the call's */
    const float *source, *weight;
    float *out;
};

/* Whether it is the faster way for the convolution x -> y, and for its gradient with respect to w; describes
 * that convolution in `conv`. */
bool sft_winograd_takes(const struct sft_conv2d_params *params, const struct sft_shape *x,
                        const struct sft_shape *y, const struct sft_shape *w, struct sft_winograd *conv);

/* Whether it is the faster way for the gradient with respect to x, a convolution of dy by the kernel turned
 * around; describes that one in `conv`. */
bool sft_winograd_takes_dx(const struct sft_conv2d_params *params, const struct sft_shape *dx,
                           const struct sft_shape *dy, const struct sft_shape *w, struct sft_winograd *conv);

/* The convolution in[0] by in[1] gives out[0], and the bytes of scratch memory that it needs. */
size_t sft_winograd_scratch(const struct sft_winograd *conv);
enum sft_status sft_winograd_run(struct sft_winograd *conv, const struct sft_call *call);

/* The gradient with respect to w, in[0] = x by in[1] = dy gives out[0], and the bytes that it needs. */
size_t sft_winograd_dw_scratch(const struct sft_winograd *conv);
enum sft_status sft_winograd_dw_run(struct sft_winograd *conv, const struct sft_call *call);

#endif
