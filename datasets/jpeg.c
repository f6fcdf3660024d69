/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JPEG through libjpeg-turbo, set up so that the pixels are those of Pillow. What the library only warns of
 * is damage where pixels are lost, and no matter where none is.
 */
#include <stdio.h>

#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/decoders.h"
#include "runtime/base/alloc.h"

/* More scans than any encoder makes: a small file could otherwise keep the decoder busy for hours. */
enum { MAX_SCANS = 500 };

/* The orientation stands among the first tags of the EXIF data, in the marker APP1. */
enum { EXIF = JPEG_APP0 + 1, EXIF_READ = 4096, ORIENTATION = 0x112 };

struct jpeg {
    struct jpeg_decompress_struct decoder;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    bool memory; /* an allocation failed */
    char reason[JMSG_LENGTH_MAX];
    uint8_t *inks; /* a row of CMYK pixels */
};

/* Warnings that cost no pixel: sloppy headers, and bytes that belong to nothing. All others tell of lost
 * data. */
static bool is_harmless(int code)
{
    static const int harmless[] = {JWRN_ADOBE_XFORM, JWRN_EXTRANEOUS_DATA, JWRN_JFIF_MAJOR,
                                   JWRN_NOT_SEQUENTIAL, JWRN_TOO_MUCH_DATA};
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        if (code == harmless[i]) return true;
    return false;
}

static void on_error(j_common_ptr decoder)
{
    struct jpeg *jpeg = decoder->client_data;
    jpeg->memory = decoder->err->msg_code == JERR_OUT_OF_MEMORY;
    decoder->err->format_message(decoder, jpeg->reason);
    longjmp(jpeg->jump, 1);
}

static void on_message(j_common_ptr decoder, int level)
{
    if (level < 0 && !is_harmless(decoder->err->msg_code)) on_error(decoder);
}

static void on_progress(j_common_ptr decoder)
{
    struct jpeg *jpeg = decoder->client_data;
    if (jpeg->decoder.input_scan_number <= MAX_SCANS) return;
    snprintf(jpeg->reason, sizeof(jpeg->reason), "more than %d scans", MAX_SCANS);
    longjmp(jpeg->jump, 1);
}

static void set_up(struct jpeg *jpeg)
{
    jpeg->decoder.err = jpeg_std_error(&jpeg->errors);
    jpeg->errors.error_exit = on_error;
    jpeg->errors.emit_message = on_message;
    jpeg->progress.progress_monitor = on_progress;
    jpeg->decoder.client_data = jpeg;
}

/* Pillow takes every CMYK JPEG for one with Adobe's inverted inks, and multiplies by the black. */
static void cmyk_to_rgb(const uint8_t *inks, uint8_t *rgb, int count)
{
    for (int i = 0; i < count; i++, inks += 4, rgb += 3) {
        int black = inks[3];
        for (int c = 0; c < 3; c++) {
            int product = (255 - inks[c]) * black + 128; /* x / 255, rounded */
            int value = black - (((product >> 8) + product) >> 8);
            rgb[c] = (uint8_t)(value < 0 ? 0 : value);
        }
    }
}

static bool has_inks(const struct jpeg_decompress_struct *decoder)
{
    return decoder->jpeg_color_space == JCS_CMYK || decoder->jpeg_color_space == JCS_YCCK;
}

static enum sft_status read_rows(struct jpeg *jpeg, struct sft_image *image)
{
    struct jpeg_decompress_struct *decoder = &jpeg->decoder;
    if (has_inks(decoder)) {
        jpeg->inks = sft_calloc((size_t)image->width, 4);
        if (!jpeg->inks) return SFT_MEMORY;
    }
    while (decoder->output_scanline < decoder->output_height) {
        uint8_t *row = image->rgb + (size_t)decoder->output_scanline * (size_t)image->width * 3;
        JSAMPROW to = jpeg->inks ? jpeg->inks : row;
        jpeg_read_scanlines(decoder, &to, 1);
        if (jpeg->inks) cmyk_to_rgb(jpeg->inks, row, image->width);
    }
    return SFT_OK;
}

/* ---- EXIF ---- */

/* A number of the TIFF that EXIF data are; 0 behind their end. */
struct exif {
    const uint8_t *data;
    size_t size;
    bool big; /* byte order */
};

static uint32_t number_at(const struct exif *exif, size_t at, size_t bytes)
{
    uint32_t value = 0;
    if (at > exif->size || bytes > exif->size - at) return 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint32_t)exif->data[at + i] << (8 * (exif->big ? bytes - 1 - i : i));
    return value;
}

/* The orientation, 1 to 8; 0 where there is none. */
static uint32_t orientation(const uint8_t *marker, size_t size)
{
    static const char head[] = {'E', 'x', 'i', 'f', 0, 0};
    struct exif exif = {marker + sizeof(head), size - sizeof(head), false};
    size_t tag;
    uint32_t tags;
    if (size < sizeof(head) + 8 || memcmp(marker, head, sizeof(head)) != 0) return 0;
    exif.big = exif.data[0] == 'M';
    tag = number_at(&exif, 4, 4);
    tags = number_at(&exif, tag, 2);
    for (tag += 2; tags > 0 && tag < exif.size; tag += 12, tags--)
        if (number_at(&exif, tag, 2) == ORIENTATION) return number_at(&exif, tag + 8, 2);
    return 0;
}

static bool is_turned(const struct jpeg_decompress_struct *decoder)
{
    for (const struct jpeg_marker_struct *marker = decoder->marker_list; marker; marker = marker->next) {
        uint32_t found = orientation(marker->data, marker->data_length);
        if (found) return found > 1 && found <= 8;
    }
    return false;
}

/* ---- decoding ---- */

/* The part that libjpeg may jump out of: no local variable is read after a jump. */
static enum sft_status read_pixels(struct jpeg *jpeg, const uint8_t *data, size_t size, const char *name,
                                   struct sft_image *image)
{
    struct jpeg_decompress_struct *decoder = &jpeg->decoder;
    if (setjmp(jpeg->jump)) {
        if (jpeg->memory) return sft_fail(SFT_MEMORY, "%s: out of memory while decoding", name);
        return sft_fail(SFT_DATA, "%s: damaged JPEG: %s", name, jpeg->reason);
    }
    jpeg_create_decompress(decoder);
    decoder->client_data = jpeg;
    decoder->progress = &jpeg->progress;
    jpeg_mem_src(decoder, (unsigned char *)(uintptr_t)data, (unsigned long)size);
    jpeg_save_markers(decoder, EXIF, EXIF_READ);
    jpeg_read_header(decoder, TRUE);
    image->turned = is_turned(decoder);
    SFT_TRY(sft_image_reserve(image, decoder->image_width, decoder->image_height, name));
    decoder->out_color_space = has_inks(decoder) ? JCS_CMYK : JCS_RGB;
    decoder->dct_method = JDCT_ISLOW;
    decoder->do_fancy_upsampling = TRUE;
    jpeg_start_decompress(decoder);
    SFT_TRY(read_rows(jpeg, image));
    jpeg_finish_decompress(decoder);
    return SFT_OK;
}

enum sft_status sft_decode_jpeg(const uint8_t *data, size_t size, const char *name, struct sft_image *image)
{
    struct jpeg *jpeg = sft_calloc(1, sizeof(*jpeg));
    enum sft_status status;
    if (!jpeg) return SFT_MEMORY;
    set_up(jpeg);
    status = read_pixels(jpeg, data, size, name, image);
    jpeg_destroy_decompress(&jpeg->decoder);
    free(jpeg->inks);
    free(jpeg);
    return status;
}
