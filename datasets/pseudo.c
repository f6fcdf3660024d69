/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/pseudo.h"

#include <stdio.h>
#include <string.h>

#include "runtime/base/divide.h"
#include "runtime/base/log.h"
#include "runtime/base/rng.h"
#include "runtime/base/words.h"

const char *const sft_pseudo_mode_words[] = {"compose", "half", "both", "random",
                                             "jigsaw",  "rgb",  "none", NULL};
const char *const sft_pseudo_source_words[] = {"same", "other", NULL};
const char *const sft_jigsaw_unit_words[] = {"px", "grid", NULL};
const char *const sft_jigsaw_draw_words[] = {"batch", "image", NULL};
const char *const sft_jigsaw_rest_words[] = {"keep", "zero", NULL};
const char *const sft_rgb_identity_words[] = {"allow", "forbid", NULL};

SFT_ASSERT_WORDS(sft_pseudo_mode_words, SFT_PSEUDO_NONE);
SFT_ASSERT_WORDS(sft_pseudo_source_words, SFT_PSEUDO_OTHER);
SFT_ASSERT_WORDS(sft_jigsaw_unit_words, SFT_JIGSAW_GRID);
SFT_ASSERT_WORDS(sft_jigsaw_draw_words, SFT_JIGSAW_DRAW_IMAGE);
SFT_ASSERT_WORDS(sft_jigsaw_rest_words, SFT_JIGSAW_ZERO);
SFT_ASSERT_WORDS(sft_rgb_identity_words, SFT_RGB_IDENTITY_FORBID);

/* Which shuffles a picture gets. */
enum { JIGSAW = 1, RGB = 2, BOTH = JIGSAW | RGB };

void sft_pseudo_defaults(struct sft_pseudo_params *params, int side)
{
    static const int paper[] = {2, 3, 5, 10, 15, 30, 60}, small[] = {2, 4, 8, 16};
    memset(params, 0, sizeof(*params));
    params->size_count = side >= 120 ? 7 : 4;
    memcpy(params->sizes, side >= 120 ? paper : small, (size_t)params->size_count * sizeof(int));
}

/* Tiles in a row. */
static int tiles_in_row(const struct sft_pseudo *pseudo, int size)
{
    return pseudo->params.unit == SFT_JIGSAW_PX ? pseudo->side / size : size;
}

/* At least 2 x 2 tiles of at least a pixel; the same condition for both units. */
static bool usable(int size, int side, enum sft_jigsaw_unit unit)
{
    return unit == SFT_JIGSAW_PX ? size >= 1 && side / size >= 2 : size >= 2 && size <= side;
}

static void note_size(char *text, size_t room, int size)
{
    size_t used = strlen(text);
    snprintf(text + used, room - used, "%s%d", used ? "," : "", size);
}

static enum sft_status keep_usable_sizes(struct sft_pseudo *pseudo)
{
    struct sft_pseudo_params *params = &pseudo->params;
    const char *unit = params->unit == SFT_JIGSAW_PX ? "px" : "tiles a side";
    char refused[256] = "";
    int kept = 0, asked = params->size_count;
    for (int i = 0; i < asked; i++) {
        if (usable(params->sizes[i], pseudo->side, params->unit))
            params->sizes[kept++] = params->sizes[i];
        else
            note_size(refused, sizeof(refused), params->sizes[i]);
    }
    params->size_count = kept;
    if (kept == 0)
        return sft_fail(
            SFT_USAGE,
            "jigsaw: none of the sizes (%s %s) cuts a picture of %d x %d pixels into 2 x 2 tiles or more; "
            "give --jigsaw-sizes that do, or --pseudo-mode rgb",
            asked ? refused : "no sizes given,", unit, pseudo->side, pseudo->side);
    if (kept < asked)
        sft_log(SFT_LOG_WARNING,
                "jigsaw: sizes %s %s cannot be used on pictures of %d x %d pixels and are left out", refused,
                unit, pseudo->side, pseudo->side);
    return SFT_OK;
}

enum sft_status sft_pseudo_prepare(const struct sft_pseudo_params *params, int side,
                                   struct sft_pseudo *pseudo)
{
    pseudo->params = *params;
    pseudo->side = side;
    pseudo->max_tiles = 0;
    if (side < 1) return sft_fail(SFT_USAGE, "pseudo-OOD: pictures of %d x %d pixels", side, side);
    if (params->size_count < 0 || params->size_count > SFT_JIGSAW_MAX_SIZES)
        return sft_fail(SFT_USAGE, "jigsaw: %d sizes; 1 to %d can be given", params->size_count,
                        SFT_JIGSAW_MAX_SIZES);
    if (params->mode == SFT_PSEUDO_RGB || params->mode == SFT_PSEUDO_NONE) return SFT_OK;
    SFT_TRY(keep_usable_sizes(pseudo));
    for (int i = 0; i < pseudo->params.size_count; i++) {
        int row = tiles_in_row(pseudo, pseudo->params.sizes[i]);
        if (row * row > pseudo->max_tiles) pseudo->max_tiles = row * row;
    }
    return SFT_OK;
}

int64_t sft_pseudo_per_id(enum sft_pseudo_mode mode, int per_id)
{
    if (mode == SFT_PSEUDO_NONE) return 0;
    return mode == SFT_PSEUDO_BOTH ? 2 * (int64_t)per_id : per_id;
}

static void copy_tile(const uint8_t *in, uint8_t *out, size_t stride, int tile)
{
    for (int y = 0; y < tile; y++)
        memcpy(out + (size_t)y * stride, in + (size_t)y * stride, (size_t)tile * 3);
}

void sft_jigsaw(const uint8_t *in, uint8_t *out, int side, int tile, int in_row, const uint32_t *order,
                enum sft_jigsaw_rest rest)
{
    size_t stride = (size_t)side * 3;
    uint32_t row = (uint32_t)in_row;
    if (tile * in_row < side) {
        if (rest == SFT_JIGSAW_KEEP)
            memcpy(out, in, stride * (size_t)side);
        else
            memset(out, 0, stride * (size_t)side);
    }
    for (uint32_t k = 0; k < row * row; k++) {
        size_t to = k / row * (size_t)tile * stride + k % row * (size_t)tile * 3;
        size_t from = order[k] / row * (size_t)tile * stride + order[k] % row * (size_t)tile * 3;
        copy_tile(in + from, out + to, stride, tile);
    }
}

/* In place. The permutations of three, the identity first. */
static void shuffle_channels(uint8_t *rgb, int side, enum sft_rgb_identity identity, struct sft_rng *rng)
{
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    uint32_t skipped = identity == SFT_RGB_IDENTITY_FORBID;
    const uint8_t *order = orders[skipped + sft_rng_below(rng, 6 - skipped)];
    for (int64_t i = 0; i < (int64_t)side * side; i++) {
        uint8_t *p = rgb + 3 * i, old[3] = {p[0], p[1], p[2]};
        for (int c = 0; c < 3; c++) p[c] = old[order[c]];
    }
}

/* Which shuffles an image gets, by the half of the batch's pseudo images that it lies in. */
static int shuffles(enum sft_pseudo_mode mode, const struct sft_pseudo_key *key, struct sft_rng *rng)
{
    static const int by_half[][2] = {
        [SFT_PSEUDO_COMPOSE] = {BOTH, BOTH}, [SFT_PSEUDO_HALF] = {JIGSAW, RGB},
        [SFT_PSEUDO_BOTH] = {JIGSAW, RGB},   [SFT_PSEUDO_JIGSAW] = {JIGSAW, JIGSAW},
        [SFT_PSEUDO_RGB] = {RGB, RGB},       [SFT_PSEUDO_NONE] = {BOTH, BOTH},
    };
    bool second_half = key->place >= sft_divide_up(key->total, 2);
    if (mode == SFT_PSEUDO_RANDOM) return sft_rng_below(rng, 2) ? RGB : JIGSAW;
    return by_half[mode][second_half];
}

/* A size of the list: of the whole step, or of this image. */
static int draw_size(const struct sft_pseudo *pseudo, const struct sft_pseudo_key *key, struct sft_rng *image)
{
    struct sft_rng step;
    uint32_t count = (uint32_t)pseudo->params.size_count;
    if (pseudo->params.draw == SFT_JIGSAW_DRAW_IMAGE)
        return pseudo->params.sizes[sft_rng_below(image, count)];
    sft_rng_init(&step, key->seed, SFT_STREAM_PSEUDO_STEP, (uint64_t)key->step);
    return pseudo->params.sizes[sft_rng_below(&step, count)];
}

void sft_pseudo_make(const struct sft_pseudo *pseudo, const struct sft_pseudo_key *key, const uint8_t *in,
                     uint8_t *out, uint32_t *tiles)
{
    struct sft_rng rng;
    int what;
    sft_rng_init(&rng, key->seed, SFT_STREAM_PSEUDO, (uint64_t)key->number);
    what = shuffles(pseudo->params.mode, key, &rng);
    if (what & JIGSAW) {
        int size = draw_size(pseudo, key, &rng), row = tiles_in_row(pseudo, size);
        int tile = pseudo->params.unit == SFT_JIGSAW_PX ? size : pseudo->side / size;
        sft_rng_permutation(&rng, (uint32_t)(row * row), tiles);
        sft_jigsaw(in, out, pseudo->side, tile, row, tiles, pseudo->params.rest);
    } else {
        memcpy(out, in, (size_t)pseudo->side * (size_t)pseudo->side * 3);
    }
    if (what & RGB) shuffle_channels(out, pseudo->side, pseudo->params.rgb_identity, &rng);
}
