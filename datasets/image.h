/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures in memory: 8-bit RGB, and the decoders that make them.
 */
#ifndef SFT_IMAGE_H
#define SFT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/status.h"

/* No picture may have more pixels: a few bytes of a hostile file could otherwise ask for gigabytes. */
#define SFT_IMAGE_MAX_PIXELS ((int64_t)64 << 20)

/* rgb is (height, width, 3), top row first, without padding. Start from {0}; the buffer is reused from
 * picture to picture and grows as needed. */
struct sft_image {
    int width, height;
    uint8_t *rgb;
    bool turned;     /* its EXIF data say that it is to be turned or mirrored, which was not done */
    size_t capacity; /* private: bytes at rgb */
};

/* Makes room for width x height pixels and sets both; the pixels are undefined. `name` is for the message
 * when the size is no size or above SFT_IMAGE_MAX_PIXELS (SFT_DATA). */
enum sft_status sft_image_reserve(struct sft_image *image, int64_t width, int64_t height,
                                  const char *name) SFT_MUST_CHECK;
void sft_image_free(struct sft_image *image);

/* Decodes a picture of a kind that is read (datasets/kinds.h), told apart by content, to what Pillow's
 * convert("RGB") gives: grey is replicated, a palette looked up, alpha dropped, CMYK converted; 16-bit
 * samples keep their high byte; of an animation the first picture is taken; an EXIF orientation and colour
 * profiles are not applied. JPEGs go through the accurate integer IDCT and smooth chroma upsampling. A
 * picture that is damaged or cut off is SFT_DATA with `name` and the reason, never a grey rest. Thread safe.
 */
enum sft_status sft_image_decode(const uint8_t *data, size_t size, const char *name,
                                 struct sft_image *image) SFT_MUST_CHECK;

/* The same for the file at `path`. */
enum sft_status sft_image_load(const char *path, struct sft_image *image) SFT_MUST_CHECK;

#endif
