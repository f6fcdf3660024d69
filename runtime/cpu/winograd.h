/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 3x3 convolutions of stride 1 by Winograd's minimal filtering (winograd_kernel.h): 2.25 times fewer products than
 * conv2d.c, which hands over what fits. Whether it does depends on the size of an image and its channels only, so an
 * image's result does not depend on the batch it is in.
 */
#ifndef SFT_CPU_WINOGRAD_H
#define SFT_CPU_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* y = conv(x, w) + bias, or the gradient with respect to x, which is such a convolution of dy. Images are (N,H,W,C). */
struct sft_winograd {
    int64_t images, channels, columns; /* of the source and of the result */
    int64_t source_size[2], out_size[2], pad[2];
    const float *source, *weight, *bias; /* bias may be NULL */
    float *out;
    int64_t tap_stride, row_stride, column_stride; /* of the weight of a tap, channel and column, in floats */
    bool flipped;                                  /* taps from last to first */
    int relu;
};

/* Whether it is the faster way; looks at sizes only. */
bool sft_winograd_fits(const struct sft_winograd *conv);

size_t sft_winograd_scratch(const struct sft_winograd *conv);
void sft_winograd_run(const struct sft_winograd *conv, void *scratch);

/* The gradient with respect to the weight of a convolution x -> y: `source` is x, `weight` is dy, `out` is dw (3,3,C,K)
 * with its strides; bias, relu and flipped are not looked at. */
size_t sft_winograd_dw_scratch(const struct sft_winograd *conv);
void sft_winograd_dw_run(const struct sft_winograd *conv, void *scratch);

#endif
