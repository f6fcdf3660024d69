/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"

enum { PRECISION = 32 - 8 - 2 }; /* bits of a weight behind the point */

static double triangle(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

static double keys_cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

static const struct {
    double (*weight)(double x);
    double support;
} filters[] = {
    [SFT_FILTER_BILINEAR] = {triangle, 1.0},
    [SFT_FILTER_BICUBIC] = {keys_cubic, 2.0},
};

/* The weights of one axis: output i is the sum over k < count[i] of weight[i * size + k] * input[first[i] +
 * k]. */
struct taps {
    int size;
    int *first, *count;
    int32_t *weight;
};

static void taps_free(struct taps *taps)
{
    free(taps->first);
    free(taps->count);
    free(taps->weight);
}

/* Pillow's precompute_coeffs() and normalize_coeffs_8bpc(), operation for operation. */
static enum sft_status taps_make(int in, int out, enum sft_filter filter, struct taps *taps)
{
    double scale = (double)in / out, stretch = scale < 1.0 ? 1.0 : scale;
    double support = filters[filter].support * stretch;
    double *exact;
    taps->size = (int)ceil(support) * 2 + 1;
    taps->first = sft_calloc((size_t)out, sizeof(int));
    taps->count = sft_calloc((size_t)out, sizeof(int));
    taps->weight = sft_calloc((size_t)out * (size_t)taps->size, sizeof(int32_t));
    exact = sft_calloc((size_t)taps->size, sizeof(double));
    if (!taps->first || !taps->count || !taps->weight || !exact) {
        free(exact);
        return SFT_MEMORY;
    }
    for (int i = 0; i < out; i++) {
        double centre = (i + 0.5) * scale, inverse = 1.0 / stretch;
        double sum = 0.0;
        int low = (int)(centre - support + 0.5), high = (int)(centre + support + 0.5);
        int32_t *weight = taps->weight + (size_t)i * (size_t)taps->size;
        if (low < 0) low = 0;
        if (high > in) high = in;
        for (int k = 0; k < high - low; k++) {
            exact[k] = filters[filter].weight((k + low - centre + 0.5) * inverse);
            sum += exact[k];
        }
        for (int k = 0; k < high - low; k++) {
            double fixed = (sum != 0.0 ? exact[k] / sum : exact[k]) * (1 << PRECISION);
            weight[k] = (int32_t)(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
        }
        taps->first[i] = low;
        taps->count[i] = high - low;
    }
    free(exact);
    return SFT_OK;
}

static uint8_t to_byte(int32_t sum)
{
    int32_t value = sum >> PRECISION;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void resize_rows(const struct sft_image *in, const struct taps *taps, struct sft_image *out)
{
    for (int y = 0; y < out->height; y++) {
        const uint8_t *row = in->rgb + (size_t)y * (size_t)in->width * 3;
        uint8_t *to = out->rgb + (size_t)y * (size_t)out->width * 3;
        for (int x = 0; x < out->width; x++, to += 3) {
            const int32_t *weight = taps->weight + (size_t)x * (size_t)taps->size;
            const uint8_t *from = row + (size_t)taps->first[x] * 3;
            int32_t r = 1 << (PRECISION - 1), g = r, b = r;
            for (int k = 0; k < taps->count[x]; k++, from += 3) {
                r += from[0] * weight[k];
                g += from[1] * weight[k];
                b += from[2] * weight[k];
            }
            to[0] = to_byte(r);
            to[1] = to_byte(g);
            to[2] = to_byte(b);
        }
    }
}

/* Whole rows are added up at a time: memory order, and a loop that vectorises. `sums` has room for a row. */
static void resize_columns(const struct sft_image *in, const struct taps *taps, int32_t *sums,
                           struct sft_image *out)
{
    size_t width = (size_t)in->width * 3;
    for (int y = 0; y < out->height; y++) {
        const int32_t *weight = taps->weight + (size_t)y * (size_t)taps->size;
        const uint8_t *from = in->rgb + (size_t)taps->first[y] * width;
        uint8_t *to = out->rgb + (size_t)y * width;
        for (size_t x = 0; x < width; x++) sums[x] = 1 << (PRECISION - 1);
        for (int k = 0; k < taps->count[y]; k++, from += width)
            for (size_t x = 0; x < width; x++) sums[x] += from[x] * weight[k];
        for (size_t x = 0; x < width; x++) to[x] = to_byte(sums[x]);
    }
}

static enum sft_status resize_width(const struct sft_image *in, int width, enum sft_filter filter,
                                    struct sft_image *out)
{
    struct taps taps = {0};
    enum sft_status status = taps_make(in->width, width, filter, &taps);
    if (status == SFT_OK) status = sft_image_reserve(out, width, in->height, "resize");
    if (status == SFT_OK) resize_rows(in, &taps, out);
    taps_free(&taps);
    return status;
}

static enum sft_status resize_height(const struct sft_image *in, int height, enum sft_filter filter,
                                     struct sft_image *out)
{
    struct taps taps = {0};
    int32_t *sums = sft_calloc((size_t)in->width * 3, sizeof(int32_t));
    enum sft_status status = sums ? taps_make(in->height, height, filter, &taps) : SFT_MEMORY;
    if (status == SFT_OK) status = sft_image_reserve(out, in->width, height, "resize");
    if (status == SFT_OK) resize_columns(in, &taps, sums, out);
    taps_free(&taps);
    free(sums);
    return status;
}

enum sft_status sft_resize(const struct sft_image *in, int width, int height, enum sft_filter filter,
                           struct sft_image *out)
{
    struct sft_image between = {0};
    enum sft_status status;
    if (width < 1 || height < 1)
        return sft_fail(SFT_DATA, "resize to %d x %d pixels: no such size", width, height);
    if (in->width == width && in->height == height) {
        SFT_TRY(sft_image_reserve(out, width, height, "resize"));
        memcpy(out->rgb, in->rgb, (size_t)width * (size_t)height * 3);
        return SFT_OK;
    }
    if (in->height == height) return resize_width(in, width, filter, out);
    if (in->width == width) return resize_height(in, height, filter, out);
    status = resize_width(in, width, filter, &between);
    if (status == SFT_OK) status = resize_height(&between, height, filter, out);
    sft_image_free(&between);
    return status;
}
