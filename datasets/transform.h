/* SPDX-License-Identifier: Apache-2.0 */
/* From a decoded picture to the square that a model sees, still 8-bit. */
#ifndef SFT_TRANSFORM_H
#define SFT_TRANSFORM_H

#include <stdint.h>

#include "datasets/image.h"
#include "runtime/base/framing.h"

enum sft_augment {
    SFT_AUGMENT_NONE,      /* framing only: the transform of evaluation */
    SFT_AUGMENT_FLIP,      /* framing, horizontal flip with probability 1/2 */
    SFT_AUGMENT_CROP_FLIP, /* CIFAR's recipe: framing, flip, black border of 4 pixels, random crop */
    SFT_AUGMENT_BIT,       /* BiT's: framing of 512/480 of the side without its crop, random crop, flip */
};

/* Their names in words, in the order of the enum and up to a NULL. */
extern const char *const sft_augment_words[];

/* Buffers of one thread; start from {0}. */
struct sft_transform_scratch {
    struct sft_image decoded, resized;
};

/* Frames scratch->decoded (runtime/base/framing.h; Pillow's filters) and augments it into `out`, (side, side,
 * 3). What is drawn is a function of (seed, number), number being the running number of the image in a run.
 */
enum sft_status sft_transform(struct sft_transform_scratch *scratch, int side,
                              const struct sft_framing *framing, enum sft_augment augment, uint64_t seed,
                              uint64_t number, uint8_t *out) SFT_MUST_CHECK;

void sft_transform_scratch_free(struct sft_transform_scratch *scratch);

#endif
