/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Antialiased resizing, byte for byte as Pillow does it on 8-bit RGB (Pillow's src/libImaging/Resample.c): a
 * separable filter whose support grows with the scale, 22-bit fixed-point weights, the horizontal pass first
 * and rounded to 8 bits. (So does every Pillow up to 12.2. Later ones take some tall pictures vertically
 * first, which rounds a few values to their neighbours.) Which resize a network was trained with is worth
 * tenths of a point of accuracy, so there is exactly this one.
 */
#ifndef SFT_RESIZE_H
#define SFT_RESIZE_H

#include "datasets/image.h"
#include "runtime/base/framing.h"

/* Makes *out the whole of *in at width x height pixels; the aspect ratio is not kept. *out must be another
 * image than *in. `filter` is not AUTO. SFT_DATA for a size that is none, SFT_MEMORY. */
enum sft_status sft_resize(const struct sft_image *in, int width, int height, enum sft_filter filter,
                           struct sft_image *out) SFT_MUST_CHECK;

/* A part of width x height pixels at (left, top) of a picture that has full_width x full_height of them. */
struct sft_resized_part {
    int64_t full_width, full_height, left, top;
    int width, height;
};

/* Makes *out that part of *in resized to the full size, which is never made as a whole: its sides may be of
 * any length. The part lies inside and is not empty. */
enum sft_status sft_resize_part(const struct sft_image *in, const struct sft_resized_part *part,
                                enum sft_filter filter, struct sft_image *out) SFT_MUST_CHECK;

#endif
