/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/decoders.h"
#include "datasets/kinds.h"
#include "runtime/base/stand_in.h"

static enum sft_status (*const decoders[SFT_PICTURES_READ])(const uint8_t *data, size_t size,
                                                            const char *name, struct sft_image *image) = {
    [SFT_PNG] = sft_decode_png, [SFT_JPEG] = sft_decode_jpeg, [SFT_WEBP] = sft_decode_webp,
    [SFT_BMP] = sft_decode_bmp, [SFT_PNM] = sft_decode_pnm,
};

/* What is none of them, and may be something else altogether. */
static enum sft_status no_picture(const uint8_t *data, size_t size, const char *name)
{
    const struct sft_bytes bytes = {.data = data, .size = size};
    const struct sft_foreign *foreign = sft_stand_in_find(&bytes);
    if (foreign)
        return sft_fail(SFT_DATA, "%s: no picture that is read; it is %s; %s", name, foreign->what,
                        foreign->advice);
    return sft_fail(SFT_DATA, "%s: no picture that is read (" SFT_PICTURES_READ_WORDS ")", name);
}

enum sft_status sft_image_decode(const uint8_t *data, size_t size, const char *name, struct sft_image *image)
{
    enum sft_picture_kind kind = sft_picture_by_content(data, size);
    image->turned = false;
    if (size == 0) return sft_fail(SFT_DATA, "%s: the file is empty", name);
    if (sft_picture_is_read(kind)) return decoders[kind](data, size, name, image);
    if (kind != SFT_PICTURE_NONE)
        return sft_fail(SFT_DATA, "%s: a %s picture; only " SFT_PICTURES_READ_WORDS " are read, convert it",
                        name, sft_picture_name(kind));
    return no_picture(data, size, name);
}

enum sft_status sft_image_load(const char *path, struct sft_image *image)
{
    struct sft_bytes bytes;
    enum sft_status status;
    SFT_TRY(sft_file_open(path, &bytes));
    status = sft_image_decode(bytes.data, bytes.size, path, image);
    sft_file_close(&bytes);
    return status;
}
