/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PNG through libpng. Only the chunks that make the pixels reach it: texts, profiles and times, damaged or
 * endless as they may be, are passed over here. A file that ends behind its pixels is whole, with or without
 * the chunk that ends every PNG.
 */
#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "datasets/decoders.h"
#include "runtime/base/alloc.h"

enum { SIGNATURE = 8, CHUNK_HEAD = 8, CHUNK_SUM = 4, COLOUR_TYPE_AT = 25, PIECES = 3 };

struct piece {
    const uint8_t *data;
    size_t size;
};

/* What libpng reads from: the signature, then one chunk after the other in three pieces. */
struct png_input {
    const uint8_t *data;
    size_t size, next; /* of the file; where the next chunk begins */
    struct piece pieces[PIECES];
    int piece; /* the one that is being read */
    uint8_t head[CHUNK_HEAD];
    bool ended;   /* the chunk that is being read is the last */
    bool cut_off; /* the file ends within a chunk that makes no pixels */
    bool doubt;   /* a chunk of pixels has a wrong checksum: the one in the packed data decides */
    bool memory;  /* an allocation failed */
    char reason[128];
};

static uint32_t u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* ---- chunks of the file ---- */

struct chunk {
    const uint8_t *type, *data;
    size_t length; /* of what is there of its data */
    bool whole;    /* all of it is */
    bool wrong;    /* its checksum is there and is not its data's */
};

/* Takes the next chunk off the file; false where there is none. */
static bool take_chunk(struct png_input *input, struct chunk *chunk)
{
    const uint8_t *at = input->data + input->next;
    size_t left = input->size - input->next, length;
    if (left < CHUNK_HEAD) return false;
    left -= CHUNK_HEAD;
    length = u32(at);
    *chunk = (struct chunk){.type = at + 4, .data = at + CHUNK_HEAD, .whole = left >= length};
    chunk->length = chunk->whole ? length : left;
    left -= chunk->length;
    if (chunk->whole && left >= CHUNK_SUM)
        chunk->wrong = crc32_z(0, chunk->type, length + 4) != u32(chunk->data + length);
    input->next += CHUNK_HEAD + chunk->length + (left < CHUNK_SUM ? left : CHUNK_SUM);
    return true;
}

static bool is_type(const struct chunk *chunk, const char *type) { return memcmp(chunk->type, type, 4) == 0; }

/* Does the chunk make pixels? A palette of a picture in full colour is a hint for old screens. */
static bool is_needed(const struct png_input *input, const struct chunk *chunk)
{
    if (is_type(chunk, "PLTE"))
        return input->size > COLOUR_TYPE_AT && input->data[COLOUR_TYPE_AT] == PNG_COLOR_TYPE_PALETTE;
    return is_type(chunk, "IHDR") || is_type(chunk, "IDAT");
}

/* Finds the next chunk that libpng has to see; false where there is none. */
static bool find_needed(struct png_input *input, struct chunk *chunk)
{
    while (take_chunk(input, chunk) && !is_type(chunk, "IEND")) {
        if (is_needed(input, chunk)) return true;
        input->cut_off |= !chunk->whole;
    }
    input->next = input->size;
    return false;
}

/* ---- libpng's side ---- */

static void on_error(png_structp png, png_const_charp message)
{
    struct png_input *input = png_get_error_ptr(png);
    snprintf(input->reason, sizeof(input->reason), "%s", message);
    png_longjmp(png, 1);
}

/* What libpng warns of costs no pixel. */
static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static png_voidp on_allocate(png_structp png, png_alloc_size_t size)
{
    struct png_input *input = png_get_mem_ptr(png);
    void *memory = malloc(size);
    if (!memory) input->memory = true;
    return memory;
}

static void on_free(png_structp png, png_voidp memory)
{
    (void)png;
    free(memory);
}

/* Puts the next chunk into pieces: its head, which tells what is there of it, its data, and a checksum that
 * libpng does not look at, because it was compared here. */
static void next_chunk(png_structp png, struct png_input *input)
{
    static const uint8_t no_sum[CHUNK_SUM];
    struct chunk chunk = {.type = (const uint8_t *)"IEND"};
    if (input->ended) png_error(png, "it is cut off");
    input->ended = !find_needed(input, &chunk);
    if (input->ended) chunk = (struct chunk){.type = (const uint8_t *)"IEND"};
    if (chunk.wrong && !is_type(&chunk, "IDAT")) png_error(png, "its head has a wrong checksum");
    if (chunk.wrong) {
        input->doubt = true;
        png_set_benign_errors(png, 0); /* the checksum of the packed data is to be an error now */
    }
    for (int i = 0; i < 4; i++) input->head[i] = (uint8_t)(chunk.length >> (24 - 8 * i));
    memcpy(input->head + 4, chunk.type, 4);
    input->pieces[0] = (struct piece){input->head, CHUNK_HEAD};
    input->pieces[1] = (struct piece){chunk.data, chunk.length};
    input->pieces[2] = (struct piece){no_sum, CHUNK_SUM};
    input->piece = 0;
}

static void on_read(png_structp png, png_bytep to, size_t size)
{
    struct png_input *input = png_get_io_ptr(png);
    while (size > 0) {
        struct piece *piece = &input->pieces[input->piece];
        size_t part = size < piece->size ? size : piece->size;
        /* The data of an empty piece may be NULL, from which C allows no step at all. */
        if (part > 0) {
            memcpy(to, piece->data, part);
            piece->data += part;
        }
        to += part;
        size -= part;
        piece->size -= part;
        if (size > 0 && ++input->piece == PIECES) next_chunk(png, input);
    }
}

/* Anything to 8-bit RGB, without gamma and without blending alpha, as Pillow does. */
static void set_rgb(png_structp png, png_infop info)
{
    int colour = png_get_color_type(png, info);
    if (png_get_bit_depth(png, info) == 16) png_set_strip_16(png);
    if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (!(colour & PNG_COLOR_MASK_COLOR)) {
        png_set_expand_gray_1_2_4_to_8(png);
        png_set_gray_to_rgb(png);
    }
    if (colour & PNG_COLOR_MASK_ALPHA) png_set_strip_alpha(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

/* ---- decoding ---- */

/* Are all pixels out, although libpng found something wrong behind them? */
static bool is_complete(png_structp png, png_infop info)
{
    enum { INTERLACE_PASSES = 7 };
    if (!png_get_rowbytes(png, info)) return false;
    if (png_get_interlace_type(png, info) != PNG_INTERLACE_NONE)
        return png_get_current_pass_number(png) >= INTERLACE_PASSES;
    return png_get_current_row_number(png) >= png_get_image_height(png, info);
}

static enum sft_status report(const struct png_input *input, const char *name)
{
    if (input->memory) return sft_fail(SFT_MEMORY, "%s: out of memory while decoding", name);
    return sft_fail(SFT_DATA, "%s: damaged PNG: %s", name,
                    input->reason[0] ? input->reason : "it does not decode");
}

/* The part that libpng may jump out of: no local variable is read after a jump. */
static enum sft_status read_pixels(png_structp png, png_infop info, struct png_input *input, const char *name,
                                   struct sft_image *image, png_bytep **rows)
{
    if (setjmp(png_jmpbuf(png))) {
        bool kept = is_complete(png, info) && !input->doubt && !input->memory;
        return kept ? SFT_OK : report(input, name);
    }
    png_set_read_fn(png, input, on_read);
    png_set_crc_action(png, PNG_CRC_QUIET_USE, PNG_CRC_DEFAULT);
    png_set_user_limits(png, SFT_IMAGE_MAX_PIXELS, SFT_IMAGE_MAX_PIXELS);
    png_read_info(png, info);
    SFT_TRY(sft_image_reserve(image, png_get_image_width(png, info), png_get_image_height(png, info), name));
    set_rgb(png, info);
    if (png_get_rowbytes(png, info) != (size_t)image->width * 3)
        png_error(png, "a pixel format that is none");
    *rows = sft_calloc((size_t)image->height, sizeof(png_bytep));
    if (!*rows) return SFT_MEMORY;
    for (int y = 0; y < image->height; y++) (*rows)[y] = image->rgb + (size_t)y * (size_t)image->width * 3;
    png_read_image(png, *rows);
    return SFT_OK;
}

enum sft_status sft_decode_png(const uint8_t *data, size_t size, const char *name, struct sft_image *image)
{
    enum sft_status status = SFT_OK;
    struct png_input input = {.data = data, .size = size};
    struct chunk rest;
    png_bytep *rows = NULL;
    png_structp png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &input, on_error, on_warning, &input,
                                               on_allocate, on_free);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    input.next = size < SIGNATURE ? size : SIGNATURE;
    input.pieces[0] = (struct piece){data, input.next};
    if (info)
        status = read_pixels(png, info, &input, name, image, &rows);
    else
        status = sft_fail(SFT_MEMORY, "%s: out of memory while decoding", name);
    while (status == SFT_OK && find_needed(&input, &rest)) continue;
    if (status == SFT_OK && input.cut_off)
        status = sft_fail(SFT_DATA, "%s: damaged PNG: it is cut off", name);
    png_destroy_read_struct(&png, &info, NULL);
    free(rows);
    return status;
}
