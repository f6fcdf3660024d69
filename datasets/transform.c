/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/transform.h"

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

enum sft_status sft_transform(struct sft_transform_scratch *scratch, int side, enum sft_augment augment,
                              uint64_t seed, uint64_t number, uint8_t *out)
{
    const struct sft_image *image = &scratch->decoded;
    int wanted = augment == SFT_AUGMENT_BIT ? (side * 16 + 7) / 15 : side; /* 512 for 480 */
    int left = 0, top = 0;
    bool mirror = false;
    struct sft_rng rng;
    if (image->width != wanted || image->height != wanted) {
        SFT_TRY(sft_resize(image, wanted, wanted, SFT_FILTER_BILINEAR, &scratch->resized));
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
