/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NumPy's .npy (versions 1 to 3): images (N, H, W, C), C order, 3 channels or 1, as uint8 or as floats from 0
 * to 1. Images without labels.
 */
#include <stdlib.h>
#include <string.h>

#include "datasets/format.h"
#include "runtime/base/alloc.h"
#include "runtime/base/npy.h"

struct images {
    char *path;
    struct sft_npy npy; /* N, H, W, C */
};

static enum sft_status refuse_channels(const char *path, const int64_t *dim)
{
    const char *hint = dim[1] == 1 || dim[1] == 3
                           ? "; it looks like (N, C, H, W): save array.transpose(0, 2, 3, 1)"
                       : dim[3] == 4 ? "; without its alpha it is array[..., :3]"
                                     : "";
    return sft_fail(SFT_DATA, "%s: shape (%lld, %lld, %lld, %lld); images are (N, H, W, 3) or (N, H, W, 1)%s",
                    path, (long long)dim[0], (long long)dim[1], (long long)dim[2], (long long)dim[3], hint);
}

static enum sft_status open_npy(const char *path, const char *split, struct sft_source *source)
{
    static const struct sft_npy_wanted wanted = {1 << SFT_NPY_U8 | 1 << SFT_NPY_F32 | 1 << SFT_NPY_F64,
                                                 "uint8, float32 and float64 (little-endian) are read", 4,
                                                 "images are (N, H, W, 3) or (N, H, W, 1)"};
    struct images *images = sft_calloc(1, sizeof(*images));
    const int64_t *dim;
    (void)split;
    source->state = images;
    if (!images) return SFT_MEMORY;
    images->path = sft_strdup(path);
    if (!images->path) return SFT_MEMORY;
    SFT_TRY(sft_npy_open(path, &wanted, &images->npy));
    dim = images->npy.shape.dim;
    if (dim[3] != 3 && dim[3] != 1) return refuse_channels(path, dim);
    source->count = dim[0];
    return SFT_OK;
}

/* The 8-bit value of element i. A resize leaves values a hair outside of 0 to 1; what is outside by less than
 * half a step of 8 bits is the end itself. */
static enum sft_status value_at(const struct images *images, int64_t i, uint8_t *out)
{
    const double hair = 0.5 / 255;
    double value = sft_npy_value(&images->npy, i);
    if (images->npy.type == SFT_NPY_U8) {
        *out = (uint8_t)value;
        return SFT_OK;
    }
    if (!(value > -hair && value < 1 + hair))
        return sft_fail(SFT_DATA, "%s: element %lld is %.9g; float images are 0 to 1%s", images->path,
                        (long long)i, value, value > 1 + hair && value <= 255 ? ", so divide by 255" : "");
    value = value < 0 ? 0 : value > 1 ? 1 : value;
    *out = (uint8_t)(value * 255.0 + 0.5);
    return SFT_OK;
}

static enum sft_status read_image(const void *state, int64_t i, struct sft_image *image, int *label)
{
    const struct images *images = state;
    const int64_t *dim = images->npy.shape.dim;
    int64_t channels = dim[3], pixels;
    SFT_TRY(sft_image_reserve(image, dim[2], dim[1], images->path));
    pixels = (int64_t)image->width * image->height;
    for (int64_t p = 0; p < pixels; p++)
        for (int64_t c = 0; c < 3; c++)
            SFT_TRY(value_at(images, (i * pixels + p) * channels + c % channels, &image->rgb[3 * p + c]));
    *label = -1;
    return SFT_OK;
}

static void identity(const void *state, char hex[65])
{
    const struct images *images = state;
    sft_sha256(images->npy.file.data, images->npy.file.size, hex);
}

static void close_npy(void *state)
{
    struct images *images = state;
    sft_npy_close(&images->npy);
    free(images->path);
    free(images);
}

static bool claims(const struct sft_look *look)
{
    return memcmp(look->head, SFT_NPY_MAGIC, strlen(SFT_NPY_MAGIC)) == 0;
}

const struct sft_format sft_format_npy = {
    .name = "npy",
    .help = "npy:FILE          an array (N,H,W,3) or (N,H,W,1), uint8 or float from 0 to 1; no labels",
    .needs_path = true,
    .claims = claims,
    .open = open_npy,
    .read = read_image,
    .identity = identity,
    .close = close_npy,
};
