/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The binary formats of Netpbm: P4 (black and white), P5 (grey) and P6 (colour), with 8 or 16 bits a sample.
 * Samples are scaled to 0 .. 255 and rounded as Pillow does it; 16-bit grey is, too, where Pillow clips it.
 */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "datasets/decoders.h"

struct pnm {
    const uint8_t *data;
    size_t size, at;
    const char *name;
    int width, height, largest;
    int samples; /* of a pixel */
};

static enum sft_status cut_off(const struct pnm *pnm)
{
    return sft_fail(SFT_DATA, "%s: damaged PNM: it is cut off", pnm->name);
}

static bool is_blank(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

/* Blanks, and comments from # to the end of the line. */
static void skip_blanks(struct pnm *pnm)
{
    bool comment = false;
    for (; pnm->at < pnm->size; pnm->at++) {
        uint8_t byte = pnm->data[pnm->at];
        if (byte == '#') comment = true;
        if (!comment && !is_blank(byte)) return;
        if (byte == '\n' || byte == '\r') comment = false;
    }
}

static enum sft_status read_number(struct pnm *pnm, const char *what, int most, int *number)
{
    int value = 0, digits = 0;
    skip_blanks(pnm);
    for (; pnm->at < pnm->size && pnm->data[pnm->at] >= '0' && pnm->data[pnm->at] <= '9'; pnm->at++) {
        if (++digits > 9) break;
        value = value * 10 + pnm->data[pnm->at] - '0';
    }
    if (pnm->at == pnm->size) return cut_off(pnm);
    if (digits == 0 || value < 1 || value > most)
        return sft_fail(SFT_DATA, "%s: damaged PNM: its %s is none", pnm->name, what);
    *number = value;
    return SFT_OK;
}

static enum sft_status read_head(struct pnm *pnm)
{
    const char kind = (char)pnm->data[1];
    pnm->at = 2;
    SFT_TRY(read_number(pnm, "width", 999999999, &pnm->width));
    SFT_TRY(read_number(pnm, "height", 999999999, &pnm->height));
    pnm->largest = 1;
    pnm->samples = kind == '6' ? 3 : 1;
    if (kind != '4') SFT_TRY(read_number(pnm, "largest value", 65535, &pnm->largest));
    if (!is_blank(pnm->data[pnm->at++])) return sft_fail(SFT_DATA, "%s: damaged PNM: its head", pnm->name);
    return SFT_OK;
}

/* value * 255 / largest with Pillow's roundings. */
static uint8_t scale(unsigned value, int largest)
{
    const double scaled = (double)value / largest * 255;
    return (uint8_t)(scaled > 255 ? 255 : lrint(scaled));
}

static void read_bits(const struct pnm *pnm, uint8_t *rgb)
{
    const size_t row = ((size_t)pnm->width + 7) / 8;
    for (int y = 0; y < pnm->height; y++)
        for (int x = 0; x < pnm->width; x++, rgb += 3) {
            const uint8_t byte = pnm->data[pnm->at + (size_t)y * row + (size_t)x / 8];
            memset(rgb, byte >> (7 - x % 8) & 1 ? 0 : 255, 3);
        }
}

static void read_samples(const struct pnm *pnm, uint8_t *rgb)
{
    const uint8_t *from = pnm->data + pnm->at;
    const int64_t samples = (int64_t)pnm->width * pnm->height * pnm->samples;
    const bool wide = pnm->largest > 255;
    const int copies = 3 / pnm->samples;
    for (int64_t i = 0; i < samples; i++, from += 1 + wide, rgb += copies) {
        const unsigned value = wide ? (unsigned)from[0] << 8 | from[1] : from[0];
        memset(rgb, pnm->largest == 255 ? (int)value : scale(value, pnm->largest), (size_t)copies);
    }
}

enum sft_status sft_decode_pnm(const uint8_t *data, size_t size, const char *name, struct sft_image *image)
{
    struct pnm pnm = {.data = data, .size = size, .name = name};
    size_t needed;
    bool bits = data[1] == '4';
    SFT_TRY(read_head(&pnm));
    SFT_TRY(sft_image_reserve(image, pnm.width, pnm.height, name));
    needed = bits ? ((size_t)pnm.width + 7) / 8 : (size_t)pnm.width * (size_t)pnm.samples;
    needed *= (size_t)pnm.height * (pnm.largest > 255 ? 2 : 1);
    if (needed > size - pnm.at) return cut_off(&pnm);
    if (bits)
        read_bits(&pnm, image->rgb);
    else
        read_samples(&pnm, image->rgb);
    return SFT_OK;
}
