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

/* Outputs first .. first+count-1 of an axis of `full` ones. */
struct span {
    int64_t full, first;
    int count;
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

static enum sft_status taps_allocate(int count, struct taps *taps)
{
    taps->first = sft_calloc((size_t)count, sizeof(int));
    taps->count = sft_calloc((size_t)count, sizeof(int));
    taps->weight = sft_calloc((size_t)count * (size_t)taps->size, sizeof(int32_t));
    return taps->first && taps->count && taps->weight ? SFT_OK : SFT_MEMORY;
}

/* Pillow's precompute_coeffs() and normalize_coeffs_8bpc(), operation for operation, for the outputs of the
 * span alone. `exact` has room for taps->size numbers. */
static void taps_fill(int in, const struct span *span, enum sft_filter filter, double *exact,
                      struct taps *taps)
{
    double scale = (double)in / (double)span->full, stretch = scale < 1.0 ? 1.0 : scale;
    double support = filters[filter].support * stretch, inverse = 1.0 / stretch;
    for (int i = 0; i < span->count; i++) {
        double centre = ((double)(span->first + i) + 0.5) * scale, sum = 0.0;
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
}

/* An axis whose size does not change is copied: one tap of weight 1 gives the same bytes. */
static void taps_copy(const struct span *span, struct taps *taps)
{
    for (int i = 0; i < span->count; i++) {
        taps->first[i] = (int)span->first + i;
        taps->count[i] = 1;
        taps->weight[(size_t)i * (size_t)taps->size] = 1 << PRECISION;
    }
}

static enum sft_status taps_make(int in, const struct span *span, enum sft_filter filter, struct taps *taps)
{
    double scale = (double)in / (double)span->full;
    double *exact;
    taps->size = (int)ceil(filters[filter].support * (scale < 1.0 ? 1.0 : scale)) * 2 + 1;
    SFT_TRY(taps_allocate(span->count, taps));
    if (in == span->full) {
        taps_copy(span, taps);
        return SFT_OK;
    }
    exact = sft_calloc((size_t)taps->size, sizeof(double));
    if (!exact) return SFT_MEMORY;
    taps_fill(in, span, filter, exact, taps);
    free(exact);
    return SFT_OK;
}

static uint8_t to_byte(int32_t sum)
{
    int32_t value = sum >> PRECISION;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* `in` from its row `top` on. */
static void resize_rows(const struct sft_image *in, int top, const struct taps *taps, struct sft_image *out)
{
    for (int y = 0; y < out->height; y++) {
        const uint8_t *row = in->rgb + (size_t)(top + y) * (size_t)in->width * 3;
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

/* Whole rows are added up at a time: memory order, and a loop that vectorises. `in` begins with row `top` of
 * what the taps are of; `sums` has room for a row. */
static void resize_columns(const struct sft_image *in, int top, const struct taps *taps, int32_t *sums,
                           struct sft_image *out)
{
    size_t width = (size_t)in->width * 3;
    for (int y = 0; y < out->height; y++) {
        const int32_t *weight = taps->weight + (size_t)y * (size_t)taps->size;
        const uint8_t *from = in->rgb + (size_t)(taps->first[y] - top) * width;
        uint8_t *to = out->rgb + (size_t)y * width;
        for (size_t x = 0; x < width; x++) sums[x] = 1 << (PRECISION - 1);
        for (int k = 0; k < taps->count[y]; k++, from += width)
            for (size_t x = 0; x < width; x++) sums[x] += from[x] * weight[k];
        for (size_t x = 0; x < width; x++) to[x] = to_byte(sums[x]);
    }
}

/* The horizontal pass, over those rows alone that the vertical one reads. */
static enum sft_status both_passes(const struct sft_image *in, const struct taps *across,
                                   const struct taps *down, int width, int height, struct sft_image *out)
{
    const int top = down->first[0], end = down->first[height - 1] + down->count[height - 1];
    struct sft_image between = {0};
    int32_t *sums = sft_calloc((size_t)width * 3, sizeof(int32_t));
    enum sft_status status = sums ? sft_image_reserve(&between, width, end - top, "resize") : SFT_MEMORY;
    if (status == SFT_OK) status = sft_image_reserve(out, width, height, "resize");
    if (status == SFT_OK) {
        resize_rows(in, top, across, &between);
        resize_columns(&between, top, down, sums, out);
    }
    sft_image_free(&between);
    free(sums);
    return status;
}

static void copy_part(const struct sft_image *in, const struct sft_resized_part *part, struct sft_image *out)
{
    const size_t row = (size_t)part->width * 3;
    for (int y = 0; y < part->height; y++)
        memcpy(out->rgb + (size_t)y * row,
               in->rgb + ((size_t)(part->top + y) * (size_t)in->width + (size_t)part->left) * 3, row);
}

enum sft_status sft_resize_part(const struct sft_image *in, const struct sft_resized_part *part,
                                enum sft_filter filter, struct sft_image *out)
{
    const struct span x = {part->full_width, part->left, part->width};
    const struct span y = {part->full_height, part->top, part->height};
    struct taps across = {0}, down = {0};
    enum sft_status status;
    if (in->width == x.full && in->height == y.full) {
        SFT_TRY(sft_image_reserve(out, part->width, part->height, "resize"));
        copy_part(in, part, out);
        return SFT_OK;
    }
    status = taps_make(in->width, &x, filter, &across);
    if (status == SFT_OK) status = taps_make(in->height, &y, filter, &down);
    if (status == SFT_OK) status = both_passes(in, &across, &down, part->width, part->height, out);
    taps_free(&across);
    taps_free(&down);
    return status;
}

enum sft_status sft_resize(const struct sft_image *in, int width, int height, enum sft_filter filter,
                           struct sft_image *out)
{
    const struct sft_resized_part all = {width, height, 0, 0, width, height};
    if (width < 1 || height < 1)
        return sft_fail(SFT_DATA, "resize to %d x %d pixels: no such size", width, height);
    return sft_resize_part(in, &all, filter, out);
}
