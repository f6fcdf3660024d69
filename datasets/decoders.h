/* SPDX-License-Identifier: Apache-2.0 */
/* The decoders behind sft_image_decode() (private to datasets/); statuses and pixels as it says. */
#ifndef SFT_DECODERS_H
#define SFT_DECODERS_H

#include "datasets/image.h"

enum sft_status sft_decode_png(const uint8_t *data, size_t size, const char *name,
                               struct sft_image *image) SFT_MUST_CHECK;
enum sft_status sft_decode_jpeg(const uint8_t *data, size_t size, const char *name,
                                struct sft_image *image) SFT_MUST_CHECK;

enum sft_status sft_decode_webp(const uint8_t *data, size_t size, const char *name,
                                struct sft_image *image) SFT_MUST_CHECK;
/* These two are asked for content that begins as theirs does (datasets/kinds.h). */
enum sft_status sft_decode_bmp(const uint8_t *data, size_t size, const char *name,
                               struct sft_image *image) SFT_MUST_CHECK;
enum sft_status sft_decode_pnm(const uint8_t *data, size_t size, const char *name,
                               struct sft_image *image) SFT_MUST_CHECK;

#endif
