/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/image.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum sft_status sft_image_reserve(struct sft_image *image, int64_t width, int64_t height, const char *name)
{
    size_t needed;
    if (width < 1 || height < 1 || width > SFT_IMAGE_MAX_PIXELS || height > SFT_IMAGE_MAX_PIXELS / width)
        return sft_fail(SFT_DATA,
                        "%s: %" PRId64 " x %" PRId64 " pixels; a picture has 1 to %" PRId64 " pixels", name,
                        width, height, SFT_IMAGE_MAX_PIXELS);
    needed = (size_t)width * (size_t)height * 3;
    if (needed > image->capacity) {
        uint8_t *grown = malloc(needed);
        if (!grown) return sft_fail(SFT_MEMORY, "%s: out of memory: %zu bytes for the picture", name, needed);
        free(image->rgb);
        image->rgb = grown;
        image->capacity = needed;
    }
    image->width = (int)width;
    image->height = (int)height;
    return SFT_OK;
}

void sft_image_free(struct sft_image *image)
{
    free(image->rgb);
    memset(image, 0, sizeof(*image));
}
