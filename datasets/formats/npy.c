/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NumPy's .npy (versions 1 to 3): images (N, H, W, C), C order, 3 channels or 1, as uint8 or as floats from 0
 * to 1. Images without labels.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/format.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"

struct npy {
    char *path;
    struct sft_bytes file;
    const uint8_t *data;
    int64_t shape[4]; /* N, H, W, C */
    size_t item;      /* bytes of a value: 1 uint8, 4 float, 8 double */
};

/* What the header says, found by key: Python source of a dict, written by NumPy in a fixed manner. */
static const char *value_of(const char *header, const char *key)
{
    const char *at = strstr(header, key);
    if (!at) return NULL;
    at += strlen(key);
    while (*at == ' ' || *at == ':') at++;
    return at;
}

static enum sft_status parse_type(struct npy *npy, const char *header)
{
    static const struct {
        const char *text;
        size_t item;
    } types[] = {{"'|u1'", 1}, {"'<u1'", 1}, {"'<f4'", 4}, {"'<f8'", 8}};
    const char *type = value_of(header, "'descr'"), *order = value_of(header, "'fortran_order'");
    for (size_t i = 0; type && i < sizeof(types) / sizeof(types[0]); i++)
        if (strncmp(type, types[i].text, strlen(types[i].text)) == 0) npy->item = types[i].item;
    if (!npy->item)
        return sft_fail(SFT_DATA,
                        "%s: values of type %.8s; uint8, float32 and float64 (little-endian) are read",
                        npy->path, type ? type : "?");
    if (!order || strncmp(order, "False", 5) != 0)
        return sft_fail(SFT_DATA, "%s: not in C order; save numpy.ascontiguousarray(array)", npy->path);
    return SFT_OK;
}

static enum sft_status parse_shape(struct npy *npy, const char *header)
{
    const char *at = value_of(header, "'shape'");
    int n = 0;
    if (at && *at == '(') at++;
    while (at && n < 4 && *at >= '0' && *at <= '9') {
        char *end;
        npy->shape[n++] = strtoll(at, &end, 10);
        for (at = end; *at == ',' || *at == ' ';) at++;
    }
    if (n != 4 || *at != ')' || (npy->shape[3] != 3 && npy->shape[3] != 1))
        return sft_fail(SFT_DATA, "%s: shape %.40s; images are (N, H, W, 3) or (N, H, W, 1)", npy->path,
                        value_of(header, "'shape'") ? value_of(header, "'shape'") : "?");
    return SFT_OK;
}

/* Compares the shape with the bytes that are there. */
static enum sft_status check_size(const struct npy *npy, size_t header_end)
{
    size_t bytes = npy->item;
    bool overflow = false;
    for (int d = 0; d < 4; d++) overflow |= __builtin_mul_overflow(bytes, (size_t)npy->shape[d], &bytes);
    if (overflow || bytes != npy->file.size - header_end)
        return sft_fail(SFT_DATA,
                        "%s: the header tells of (%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
                        ") values of %zu bytes, "
                        "but %zu bytes follow: cut off or damaged",
                        npy->path, npy->shape[0], npy->shape[1], npy->shape[2], npy->shape[3], npy->item,
                        npy->file.size - header_end);
    if (bytes == 0) return sft_fail(SFT_DATA, "%s: an array without values", npy->path);
    return SFT_OK;
}

static enum sft_status parse(struct npy *npy)
{
    const uint8_t *bytes = npy->file.data;
    size_t size = npy->file.size, begin, length;
    char *header;
    enum sft_status status;
    if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0 || bytes[6] < 1 || bytes[6] > 3)
        return sft_fail(SFT_DATA, "%s: no .npy file of version 1 to 3", npy->path);
    begin = bytes[6] == 1 ? 10 : 12;
    length = bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] > 1) length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (length > size - begin)
        return sft_fail(SFT_DATA, "%s: the header is longer than the file: cut off or damaged", npy->path);
    header = sft_calloc(length + 1, 1);
    if (!header) return SFT_MEMORY;
    memcpy(header, bytes + begin, length);
    status = parse_type(npy, header);
    if (status == SFT_OK) status = parse_shape(npy, header);
    if (status == SFT_OK) status = check_size(npy, begin + length);
    npy->data = bytes + begin + length;
    free(header);
    return status;
}

static enum sft_status open_npy(const char *path, const char *split, struct sft_source *source)
{
    struct npy *npy = sft_calloc(1, sizeof(*npy));
    (void)split;
    source->state = npy;
    if (!npy) return SFT_MEMORY;
    npy->path = sft_strdup(path);
    if (!npy->path) return SFT_MEMORY;
    SFT_TRY(sft_file_open(path, &npy->file));
    SFT_TRY(parse(npy));
    source->count = npy->shape[0];
    return SFT_OK;
}

static double float_at(const struct npy *npy, const uint8_t *at)
{
    float single;
    double value;
    if (npy->item == 8) {
        memcpy(&value, at, sizeof(value));
        return value;
    }
    memcpy(&single, at, sizeof(single));
    return (double)single;
}

/* The 8-bit value of element i. */
static enum sft_status value_at(const struct npy *npy, size_t i, uint8_t *out)
{
    const uint8_t *at = npy->data + i * npy->item;
    double value;
    *out = *at;
    if (npy->item == 1) return SFT_OK;
    value = float_at(npy, at);
    if (!(value >= 0 && value <= 1))
        return sft_fail(SFT_DATA, "%s: element %zu is %g; float images are 0 to 1, before normalisation",
                        npy->path, i, value);
    *out = (uint8_t)(value * 255.0 + 0.5);
    return SFT_OK;
}

static enum sft_status read_image(const void *state, int64_t i, struct sft_image *image, int *label)
{
    const struct npy *npy = state;
    size_t channels = (size_t)npy->shape[3], pixels;
    SFT_TRY(sft_image_reserve(image, npy->shape[2], npy->shape[1], npy->path));
    pixels = (size_t)image->width * (size_t)image->height;
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = 0; c < 3; c++)
            SFT_TRY(
                value_at(npy, ((size_t)i * pixels + p) * channels + c % channels, &image->rgb[3 * p + c]));
    *label = -1;
    return SFT_OK;
}

static const char *class_name(const void *state, int label)
{
    (void)state;
    (void)label;
    return "?";
}

static void identity(const void *state, char hex[65])
{
    const struct npy *npy = state;
    sft_sha256(npy->file.data, npy->file.size, hex);
}

static void close_npy(void *state)
{
    struct npy *npy = state;
    sft_file_close(&npy->file);
    free(npy->path);
    free(npy);
}

static bool claims(const struct sft_look *look) { return memcmp(look->head, "\x93NUMPY", 6) == 0; }

const struct sft_format sft_format_npy = {
    .name = "npy",
    .help = "npy:FILE          an array (N,H,W,3) or (N,H,W,1), uint8 or float from 0 to 1; no labels",
    .needs_path = true,
    .claims = claims,
    .open = open_npy,
    .read = read_image,
    .class_name = class_name,
    .identity = identity,
    .close = close_npy,
};
