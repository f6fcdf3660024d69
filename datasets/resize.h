/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Antialiased resizing, byte for byte as Pillow does it on 8-bit RGB (Pillow's src/libImaging/Resample.c): a
 * separable filter whose support grows with the scale, 22-bit fixed-point weights, the horizontal pass first
 * and rounded to 8 bits. Which resize a network was trained with is worth tenths of a point of accuracy, so
 * there is exactly this one.
 */
#ifndef SFT_RESIZE_H
#define SFT_RESIZE_H

#include "datasets/image.h"

enum sft_filter {
    SFT_FILTER_BILINEAR, /* triangle, support 1 */
    SFT_FILTER_BICUBIC,  /* Keys' kernel with a = -0.5, support 2 */
};

/* Makes *out the whole of *in at width x height pixels; the aspect ratio is not kept. *out must be another
 * image than *in. SFT_DATA for a size that is none, SFT_MEMORY. */
enum sft_status sft_resize(const struct sft_image *in, int width, int height, enum sft_filter filter,
                           struct sft_image *out) SFT_MUST_CHECK;

#endif
