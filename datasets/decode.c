/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PNG through libpng and JPEG through libjpeg-turbo, set up so that the pixels are those of Pillow.
 */
#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include "datasets/image.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"

/* What libpng reads from, and where its complaint goes. */
struct png_input {
    const uint8_t *data;
    size_t left;
    char reason[128];
};

static void png_on_error(png_structp png, png_const_charp message)
{
    struct png_input *input = png_get_error_ptr(png);
    snprintf(input->reason, sizeof(input->reason), "%s", message);
    png_longjmp(png, 1);
}

static void png_on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    sft_log(SFT_LOG_DEBUG, "PNG: %s", message);
}

static void png_on_read(png_structp png, png_bytep to, size_t size)
{
    struct png_input *input = png_get_io_ptr(png);
    if (size > input->left) png_error(png, "it is cut off");
    memcpy(to, input->data, size);
    input->data += size;
    input->left -= size;
}

/* Anything to 8-bit RGB, without gamma and without blending alpha, as Pillow does. */
static void png_set_rgb(png_structp png, png_infop info)
{
    int colour = png_get_color_type(png, info);
    if (png_get_bit_depth(png, info) == 16) png_set_strip_16(png);
    if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (!(colour & PNG_COLOR_MASK_COLOR)) {
        png_set_expand_gray_1_2_4_to_8(png);
        png_set_gray_to_rgb(png);
    }
    /* Palette entries with transparency come out of the look-up as RGBA. */
    if ((colour & PNG_COLOR_MASK_ALPHA) || png_get_valid(png, info, PNG_INFO_tRNS)) png_set_strip_alpha(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

/* The part that libpng may jump out of: no local variable is read after a jump. */
static enum sft_status png_read(png_structp png, png_infop info, struct png_input *input, const char *name,
                                struct sft_image *image, png_bytep **rows)
{
    if (setjmp(png_jmpbuf(png)))
        return sft_fail(SFT_DATA, "%s: damaged PNG: %s", name,
                        input->reason[0] ? input->reason : "it does not decode");
    png_set_read_fn(png, input, png_on_read);
    png_set_user_limits(png, SFT_IMAGE_MAX_PIXELS, SFT_IMAGE_MAX_PIXELS);
    png_read_info(png, info);
    SFT_TRY(sft_image_reserve(image, png_get_image_width(png, info), png_get_image_height(png, info), name));
    png_set_rgb(png, info);
    if (png_get_rowbytes(png, info) != (size_t)image->width * 3)
        png_error(png, "a pixel format that is none");
    *rows = sft_calloc((size_t)image->height, sizeof(png_bytep));
    if (!*rows) return SFT_MEMORY;
    for (int y = 0; y < image->height; y++) (*rows)[y] = image->rgb + (size_t)y * (size_t)image->width * 3;
    png_read_image(png, *rows);
    png_read_end(png, NULL);
    return SFT_OK;
}

static enum sft_status decode_png(const uint8_t *data, size_t size, const char *name, struct sft_image *image)
{
    enum sft_status status;
    struct png_input input = {.data = data, .left = size};
    png_bytep *rows = NULL;
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &input, png_on_error, png_on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (info)
        status = png_read(png, info, &input, name, image, &rows);
    else
        status = sft_fail(SFT_MEMORY, "%s: out of memory while decoding", name);
    png_destroy_read_struct(&png, &info, NULL);
    free(rows);
    return status;
}

/* Pillow takes every CMYK JPEG for one with Adobe's inverted inks, and multiplies by the black. In place, 4
 * to 3. */
static void cmyk_to_rgb(uint8_t *pixels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *ink = pixels + 4 * i;
        int black = ink[3], rgb[3];
        for (int c = 0; c < 3; c++) {
            int product = (255 - ink[c]) * black + 128; /* x / 255, rounded */
            rgb[c] = black - (((product >> 8) + product) >> 8);
        }
        for (int c = 0; c < 3; c++) pixels[3 * i + (size_t)c] = (uint8_t)(rgb[c] < 0 ? 0 : rgb[c]);
    }
}

/* Bytes between the parts of a JPEG are sloppy, but lose nothing; every other complaint means lost pixels. */
static bool harmless(tjhandle handle)
{
    return tjGetErrorCode(handle) == TJERR_WARNING && strstr(tjGetErrorStr2(handle), "extraneous bytes");
}

static enum sft_status jpeg_pixels(tjhandle handle, const uint8_t *data, size_t size, const char *name,
                                   struct sft_image *image, int format, uint8_t *to)
{
    int flags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS, strict = flags | TJFLAG_STOPONWARNING;
    int failed = tjDecompress2(handle, data, size, to, image->width, 0, image->height, format, strict);
    if (failed && harmless(handle)) {
        sft_log(SFT_LOG_DEBUG, "%s: %s", name, tjGetErrorStr2(handle));
        failed = tjDecompress2(handle, data, size, to, image->width, 0, image->height, format, flags);
        failed = failed && !harmless(handle);
    }
    return failed ? sft_fail(SFT_DATA, "%s: damaged JPEG: %s", name, tjGetErrorStr2(handle)) : SFT_OK;
}

static enum sft_status jpeg_read(tjhandle handle, const uint8_t *data, size_t size, const char *name,
                                 struct sft_image *image)
{
    int width = 0, height = 0;
    int subsampling, colours = -1;
    struct sft_image inks = {0};
    enum sft_status status;
    if (tjDecompressHeader3(handle, data, size, &width, &height, &subsampling, &colours) != 0)
        return sft_fail(SFT_DATA, "%s: damaged JPEG: %s", name, tjGetErrorStr2(handle));
    if (colours < 0)
        return sft_fail(SFT_DATA, "%s: damaged JPEG: it is cut off before the picture",
                        name); /* tables only */
    SFT_TRY(sft_image_reserve(image, width, height, name));
    if (colours != TJCS_CMYK && colours != TJCS_YCCK)
        return jpeg_pixels(handle, data, size, name, image, TJPF_RGB, image->rgb);
    inks.rgb = sft_calloc((size_t)width * (size_t)height, 4);
    if (!inks.rgb) return SFT_MEMORY;
    status = jpeg_pixels(handle, data, size, name, image, TJPF_CMYK, inks.rgb);
    if (status == SFT_OK) {
        cmyk_to_rgb(inks.rgb, (size_t)width * (size_t)height);
        memcpy(image->rgb, inks.rgb, (size_t)width * (size_t)height * 3);
    }
    sft_image_free(&inks);
    return status;
}

static enum sft_status decode_jpeg(const uint8_t *data, size_t size, const char *name,
                                   struct sft_image *image)
{
    enum sft_status status;
    tjhandle handle = tjInitDecompress();
    if (!handle) return sft_fail(SFT_MEMORY, "%s: out of memory while decoding", name);
    status = jpeg_read(handle, data, size, name, image);
    tjDestroy(handle);
    return status;
}

enum sft_status sft_image_decode(const uint8_t *data, size_t size, const char *name, struct sft_image *image)
{
    static const struct {
        const char *what, *magic;
        size_t length;
        enum sft_status (*decode)(const uint8_t *, size_t, const char *,
                                  struct sft_image *); /* NULL: not supported */
    } kinds[] = {
        {"PNG", "\x89PNG", 4, decode_png},
        {"JPEG", "\xff\xd8", 2, decode_jpeg},
        {"WebP", "RIFF", 4, NULL},
        {"BMP", "BM", 2, NULL},
        {"GIF", "GIF8", 4, NULL},
        {"TIFF", "II*", 3, NULL},
        {"TIFF", "MM", 2, NULL},
        {"PPM", "P6", 2, NULL},
        {"PGM", "P5", 2, NULL},
    };
    if (size == 0) return sft_fail(SFT_DATA, "%s: the file is empty", name);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (size < kinds[i].length || memcmp(data, kinds[i].magic, kinds[i].length) != 0) continue;
        if (kinds[i].decode) return kinds[i].decode(data, size, name, image);
        return sft_fail(SFT_DATA, "%s: a %s picture; only PNG and JPEG are read, convert it", name,
                        kinds[i].what);
    }
    return sft_fail(SFT_DATA, "%s: no PNG or JPEG picture", name);
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
