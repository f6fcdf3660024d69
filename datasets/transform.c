/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/transform.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "datasets/resize.h"
#include "runtime/base/rng.h"
#include "runtime/base/words.h"

enum { BORDER = 4 };

const char *const sft_augment_words[] = {"none", "flip", "crop-flip", "bit", NULL};
SFT_ASSERT_WORDS(sft_augment_words, SFT_AUGMENT_BIT);

/* Crops side x side pixels at (left, top), which may lie up to `side` pixels outside (black there), and
 * mirrors. */
static void crop(const struct sft_image *in, int left, int top, bool mirror, int side, uint8_t *out)
{
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++, out += 3) {
            int from_x = left + (mirror ? side - 1 - x : x), from_y = top + y;
            if (from_x < 0 || from_y < 0 || from_x >= in->width || from_y >= in->height)
                memset(out, 0, 3);
            else
                memcpy(out, in->rgb + ((size_t)from_y * (size_t)in->width + (size_t)from_x) * 3, 3);
        }
}

/* Pixels before a part of `side` in the middle of `full`: half of the rest, as Python's round() has it. */
static int64_t margin(int64_t full, int side)
{
    const int64_t rest = full - side, half = rest / 2;
    return rest % 2 && half % 2 ? half + 1 : half;
}

/* The square that torchvision's Resize and CenterCrop cut out of a picture of width x height pixels. */
static struct sft_resized_part frame(const struct sft_framing *framing, int width, int height, int side)
{
    const int64_t short_side = width < height ? width : height;
    const int64_t edge = (int64_t)floor((double)side / framing->crop);
    struct sft_resized_part part = {edge, edge, 0, 0, side, side};
    if (framing->resize == SFT_RESIZE_SHORT_SIDE) {
        part.full_width = edge * width / short_side;
        part.full_height = edge * height / short_side;
    }
    part.left = margin(part.full_width, side);
    part.top = margin(part.full_height, side);
    return part;
}

/* BiT's training looks at a random part of a square of 512 for 480 pixels. */
static struct sft_framing framing_for(const struct sft_framing *framing, enum sft_augment augment)
{
    struct sft_framing used = *framing;
    if (augment == SFT_AUGMENT_BIT) used.crop = 1;
    return used;
}

enum sft_status sft_transform(struct sft_transform_scratch *scratch, int side,
                              const struct sft_framing *framing, enum sft_augment augment, uint64_t seed,
                              uint64_t number, uint8_t *out)
{
    const struct sft_image *image = &scratch->decoded;
    const struct sft_framing used = framing_for(framing, augment);
    int wanted = augment == SFT_AUGMENT_BIT ? (side * 16 + 7) / 15 : side;
    int left = 0, top = 0;
    bool mirror = false;
    struct sft_rng rng;
    const struct sft_resized_part part = frame(&used, image->width, image->height, wanted);
    if (image->width != wanted || image->height != wanted || part.full_width != wanted ||
        part.full_height != wanted) {
        SFT_TRY(sft_resize_part(image, &part, used.interpolation, &scratch->resized));
        image = &scratch->resized;
    }
    if (augment == SFT_AUGMENT_NONE) {
        memcpy(out, image->rgb, (size_t)side * (size_t)side * 3);
        return SFT_OK;
    }
    sft_rng_init(&rng, seed, SFT_STREAM_AUGMENT, number);
    mirror = sft_rng_below(&rng, 2);
    if (augment == SFT_AUGMENT_CROP_FLIP) {
        left = (int)sft_rng_below(&rng, 2 * BORDER + 1) - BORDER;
        top = (int)sft_rng_below(&rng, 2 * BORDER + 1) - BORDER;
    } else if (augment == SFT_AUGMENT_BIT) {
        left = (int)sft_rng_below(&rng, (uint32_t)(wanted - side + 1));
        top = (int)sft_rng_below(&rng, (uint32_t)(wanted - side + 1));
    }
    crop(image, left, top, mirror, side, out);
    return SFT_OK;
}

void sft_transform_scratch_free(struct sft_transform_scratch *scratch)
{
    sft_image_free(&scratch->decoded);
    sft_image_free(&scratch->resized);
}
