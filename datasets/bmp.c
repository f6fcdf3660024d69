/* SPDX-License-Identifier: Apache-2.0 */
/* BMP: Windows' and OS/2's headers; palettes, 16, 24 and 32 bits a pixel, not compressed; alpha is dropped.
 */
#include <stdbool.h>
#include <string.h>

#include "datasets/decoders.h"
#include "runtime/base/little_endian.h"

enum { FILE_HEAD = 14, CORE_HEAD = 12, INFO_HEAD = 40, MASKS_END = 52, RAW = 0, BITFIELDS = 3 };

struct bmp {
    const uint8_t *data;
    size_t size;
    const char *name;
    int64_t width, height;
    bool top_down;
    uint32_t bits, compression, colours;
    size_t head, pixels, row; /* bytes of the header; where pixels begin; of a row */
    size_t entry;             /* bytes of a palette's entry */
    uint32_t masks[3];
};

static enum sft_status damaged(const struct bmp *bmp, const char *what)
{
    return sft_fail(SFT_DATA, "%s: damaged BMP: %s", bmp->name, what);
}

static enum sft_status unread(const struct bmp *bmp, const char *what)
{
    return sft_fail(SFT_DATA, "%s: a BMP picture with %s, which is not read; convert it", bmp->name, what);
}

static uint32_t u32(const struct bmp *bmp, size_t at)
{
    return (uint32_t)sft_little_endian(bmp->data + at, 4);
}

static uint32_t u16(const struct bmp *bmp, size_t at)
{
    return (uint32_t)sft_little_endian(bmp->data + at, 2);
}

static enum sft_status read_info_head(struct bmp *bmp)
{
    static const uint32_t of_five[] = {0x7c00, 0x3e0, 0x1f}, of_eight[] = {0xff0000, 0xff00, 0xff};
    const int32_t height = (int32_t)u32(bmp, FILE_HEAD + 8);
    bmp->width = (int32_t)u32(bmp, FILE_HEAD + 4);
    bmp->top_down = height < 0;
    bmp->height = height < 0 ? -(int64_t)height : height;
    bmp->bits = u16(bmp, FILE_HEAD + 14);
    bmp->compression = u32(bmp, FILE_HEAD + 16);
    bmp->colours = u32(bmp, FILE_HEAD + 32);
    bmp->entry = 4;
    memcpy(bmp->masks, bmp->bits == 16 ? of_five : of_eight, sizeof(bmp->masks));
    if (bmp->compression == RAW) return SFT_OK;
    if (bmp->compression != BITFIELDS) return unread(bmp, "compression");
    if (bmp->size < FILE_HEAD + MASKS_END) return damaged(bmp, "it is cut off");
    for (size_t c = 0; c < 3; c++) bmp->masks[c] = u32(bmp, FILE_HEAD + INFO_HEAD + 4 * c);
    return SFT_OK;
}

static enum sft_status read_head(struct bmp *bmp)
{
    if (bmp->size < FILE_HEAD + CORE_HEAD) return damaged(bmp, "it is cut off");
    bmp->pixels = u32(bmp, 10);
    bmp->head = u32(bmp, FILE_HEAD);
    if (bmp->head == CORE_HEAD) {
        bmp->width = u16(bmp, FILE_HEAD + 4);
        bmp->height = u16(bmp, FILE_HEAD + 6);
        bmp->bits = u16(bmp, FILE_HEAD + 10);
        bmp->entry = 3;
        memcpy(bmp->masks, (const uint32_t[]){0xff0000, 0xff00, 0xff}, sizeof(bmp->masks));
    } else if (bmp->head < INFO_HEAD || bmp->head > 124) {
        return damaged(bmp, "its head is of no known kind");
    } else {
        if (bmp->size < FILE_HEAD + INFO_HEAD) return damaged(bmp, "it is cut off");
        SFT_TRY(read_info_head(bmp));
    }
    if (bmp->bits <= 8 && bmp->colours == 0) bmp->colours = 1u << bmp->bits;
    return SFT_OK;
}

/* Are there that many pixels, and a palette in front of them? */
static enum sft_status check_layout(struct bmp *bmp)
{
    const bool palette = bmp->bits == 1 || bmp->bits == 4 || bmp->bits == 8;
    if (!palette && bmp->bits != 16 && bmp->bits != 24 && bmp->bits != 32)
        return unread(bmp, "such a number of bits a pixel");
    if (palette && bmp->colours > 256) return damaged(bmp, "its palette is too large");
    bmp->row = ((size_t)bmp->width * bmp->bits + 31) / 32 * 4;
    if (bmp->pixels < FILE_HEAD + bmp->head || bmp->pixels > bmp->size ||
        bmp->row * (size_t)bmp->height > bmp->size - bmp->pixels)
        return damaged(bmp, "it is cut off");
    if (palette && FILE_HEAD + bmp->head + bmp->colours * bmp->entry > bmp->pixels)
        return damaged(bmp, "its palette is cut off");
    return SFT_OK;
}

/* ---- pixels ---- */

static enum sft_status read_palette_row(const struct bmp *bmp, const uint8_t *from, uint8_t *rgb)
{
    const uint8_t *palette = bmp->data + FILE_HEAD + bmp->head;
    const unsigned each = 8 / bmp->bits, mask = (1u << bmp->bits) - 1;
    for (size_t x = 0; x < (size_t)bmp->width; x++, rgb += 3) {
        const unsigned place = from[x / each] >> (8 - bmp->bits - x % each * bmp->bits) & mask;
        const uint8_t *colour = palette + place * bmp->entry;
        if (place >= bmp->colours) return damaged(bmp, "a pixel has a colour that its palette lacks");
        for (int c = 0; c < 3; c++) rgb[c] = colour[2 - c];
    }
    return SFT_OK;
}

/* A sample of a pixel, scaled to 0 .. 255 and rounded down, as Pillow does it. */
static uint8_t sample(uint32_t pixel, uint32_t mask)
{
    int shift = 0;
    if (!mask) return 0;
    while (!(mask >> shift & 1)) shift++;
    return (uint8_t)((uint64_t)((pixel & mask) >> shift) * 255 / (mask >> shift));
}

static enum sft_status read_colour_row(const struct bmp *bmp, const uint8_t *from, uint8_t *rgb)
{
    const size_t bytes = bmp->bits / 8;
    for (size_t x = 0; x < (size_t)bmp->width; x++, rgb += 3, from += bytes) {
        uint32_t pixel = 0;
        for (size_t i = 0; i < bytes; i++) pixel |= (uint32_t)from[i] << (8 * i);
        for (int c = 0; c < 3; c++) rgb[c] = sample(pixel, bmp->masks[c]);
    }
    return SFT_OK;
}

enum sft_status sft_decode_bmp(const uint8_t *data, size_t size, const char *name, struct sft_image *image)
{
    struct bmp bmp = {.data = data, .size = size, .name = name};
    SFT_TRY(read_head(&bmp));
    SFT_TRY(sft_image_reserve(image, bmp.width, bmp.height, name));
    SFT_TRY(check_layout(&bmp));
    for (int64_t y = 0; y < bmp.height; y++) {
        const uint8_t *from = data + bmp.pixels + (size_t)y * bmp.row;
        const int64_t to = bmp.top_down ? y : bmp.height - 1 - y;
        uint8_t *rgb = image->rgb + (size_t)to * (size_t)bmp.width * 3;
        if (bmp.bits <= 8)
            SFT_TRY(read_palette_row(&bmp, from, rgb));
        else
            SFT_TRY(read_colour_row(&bmp, from, rgb));
    }
    return SFT_OK;
}
