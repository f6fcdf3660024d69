/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in data: pictures of 32 x 32 pixels that are drawn when they are read, for machines that have no
 * images.
 *
 * In-distribution are ten flat shapes. Everything else about a picture says nothing about its class: place,
 * size, rotation, both colours, the texture of figure and ground, light, noise, and a patch that hides a
 * part. Out of distribution are, from near to far: other shapes drawn in the same way, letters, stripes and
 * checks, and noise.
 *
 * Picture i is a function of i and the set alone. Train and test parts are different numbers of one sequence.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/format.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/rng.h"

enum { SIDE = 32, CLASSES = 10, TRAIN = 10000, TEST = 2000, LATTICE = 9 };

/* Raised whenever the pictures change: part of the set's identity. */
enum { VERSION = 2 };

/* Is (u, v) inside the figure? Figures fill about the unit circle. */
typedef bool (*figure)(float u, float v);

static bool in_box(float u, float v, float left, float top, float right, float bottom)
{
    return u >= left && u <= right && v >= top && v <= bottom;
}

static bool disk(float u, float v) { return u * u + v * v < 0.64f; }

static bool square(float u, float v) { return in_box(u, v, -0.7f, -0.7f, 0.7f, 0.7f); }

static bool triangle(float u, float v) { return v < 0.55f && v > 1.75f * fabsf(u) - 0.95f; }

static bool plus(float u, float v)
{
    return in_box(u, v, -0.9f, -0.27f, 0.9f, 0.27f) || in_box(u, v, -0.27f, -0.9f, 0.27f, 0.9f);
}

static bool ring(float u, float v)
{
    float r = u * u + v * v;
    return r < 0.77f && r > 0.22f;
}

static bool star(float u, float v)
{
    const float step = 1.2566371f; /* a fifth of a turn */
    float angle = atan2f(u, -v), r = sqrtf(u * u + v * v);
    float off = fabsf(angle - step * roundf(angle / step)) / (step / 2); /* 0 at a point, 1 between two */
    return r < 1.0f - 0.58f * off;
}

static bool crescent(float u, float v)
{
    float x = u - 0.42f;
    return u * u + v * v < 0.81f && x * x + v * v > 0.5f;
}

static bool bar(float u, float v) { return in_box(u, v, -1.0f, -0.24f, 1.0f, 0.24f); }

static bool two_disks(float u, float v)
{
    float x = fabsf(u) - 0.55f;
    return x * x + v * v < 0.17f;
}

static bool corner(float u, float v)
{
    return in_box(u, v, -0.75f, -0.75f, -0.2f, 0.75f) || in_box(u, v, -0.75f, 0.2f, 0.75f, 0.75f);
}

static bool heart(float u, float v)
{
    float x = 1.25f * u, y = -1.25f * v + 0.1f;
    float a = x * x + y * y - 0.85f;
    return a * a * a - x * x * y * y * y < 0;
}

static bool arrow(float u, float v)
{
    return in_box(u, v, -0.95f, -0.17f, 0.15f, 0.17f) || (u > 0.1f && u < 0.95f - 1.2f * fabsf(v));
}

static bool zigzag(float u, float v)
{
    return in_box(u, v, -0.9f, -0.6f, 0.25f, -0.05f) || in_box(u, v, -0.25f, 0.05f - 0.1f, 0.9f, 0.55f);
}

static bool tee(float u, float v)
{
    return in_box(u, v, -0.85f, -0.8f, 0.85f, -0.35f) || in_box(u, v, -0.25f, -0.4f, 0.25f, 0.85f);
}

static bool half_disk(float u, float v) { return v > -0.3f && u * u + (v + 0.3f) * (v + 0.3f) < 0.9f; }

static bool four_squares(float u, float v)
{
    float x = fabsf(u) - 0.48f, y = fabsf(v) - 0.48f;
    return fabsf(x) < 0.3f && fabsf(y) < 0.3f;
}

static bool fork(float u, float v)
{
    bool tine = fabsf(u) < 0.14f || (fabsf(u) > 0.56f && fabsf(u) < 0.84f);
    return (tine && v < 0.4f && v > -0.85f) || in_box(u, v, -0.84f, 0.35f, 0.84f, 0.75f);
}

static bool pacman(float u, float v) { return u * u + v * v < 0.8f && (u < 0 || fabsf(v) > 0.75f * u); }

static const struct {
    const char *name;
    figure inside;
} classes[CLASSES] = {{"disk", disk},           {"square", square}, {"triangle", triangle}, {"plus", plus},
                      {"ring", ring},           {"star", star},     {"crescent", crescent}, {"bar", bar},
                      {"two disks", two_disks}, {"corner", corner}};

static const figure strangers[] = {heart, arrow, zigzag, tee, half_disk, four_squares, fork, pacman};

/* Letters, five columns by seven rows; bit 4 is the left column. */
static const uint8_t letters[][7] = {
    {0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11}, {0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e}, /* A B */
    {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f}, {0x0f, 0x10, 0x10, 0x13, 0x11, 0x11, 0x0f}, /* E G */
    {0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11}, {0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11}, /* H K */
    {0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11}, {0x11, 0x19, 0x15, 0x13, 0x11, 0x11, 0x11}, /* M N */
    {0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11}, {0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e}, /* R S */
    {0x11, 0x11, 0x11, 0x15, 0x15, 0x1b, 0x11}, {0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04}, /* W Y */
};

struct colour {
    float c[3];
};

/* Smooth noise: random values on a lattice, interpolated; or stripes. Gives about -1 .. 1. */
struct texture {
    float strength, fine; /* lattice cells over the picture */
    bool stripes;
    float direction[2], phase;
    float lattice[LATTICE + 1][LATTICE + 1];
};

/* Where a figure lies, and what it is: a shape, or a letter when `inside` is NULL. */
struct placed {
    figure inside;
    const uint8_t *letter;
    float x, y, radius, cosine, sine;
};

static float between(struct sft_rng *rng, float low, float high)
{
    return low + (high - low) * sft_rng_uniform(rng);
}

static struct colour draw_colour(struct sft_rng *rng)
{
    struct colour colour;
    for (int c = 0; c < 3; c++) colour.c[c] = between(rng, 0.05f, 0.95f);
    return colour;
}

static float distance(const struct colour *a, const struct colour *b)
{
    float sum = 0;
    for (int c = 0; c < 3; c++) sum += (a->c[c] - b->c[c]) * (a->c[c] - b->c[c]);
    return sqrtf(sum);
}

/* A colour that can be told from `other`. */
static struct colour draw_contrast(struct sft_rng *rng, const struct colour *other, float least)
{
    struct colour colour;
    do colour = draw_colour(rng);
    while (distance(&colour, other) < least);
    return colour;
}

static void draw_texture(struct sft_rng *rng, float strength, struct texture *texture)
{
    float angle = between(rng, 0, 3.1415927f), waves = between(rng, 0.3f, 1.4f);
    texture->strength = strength;
    texture->fine = between(rng, 1.0f, LATTICE - 0.01f);
    texture->stripes = sft_rng_below(rng, 3) == 0;
    texture->direction[0] = waves * cosf(angle);
    texture->direction[1] = waves * sinf(angle);
    texture->phase = between(rng, 0, 6.2831853f);
    for (int y = 0; y <= LATTICE; y++)
        for (int x = 0; x <= LATTICE; x++) texture->lattice[y][x] = between(rng, -1, 1);
}

static float lattice_at(const struct texture *texture, float x, float y)
{
    float u = x / SIDE * texture->fine, v = y / SIDE * texture->fine;
    int i = (int)u, j = (int)v;
    float a = u - (float)i, b = v - (float)j;
    const float *top = texture->lattice[j] + i, *bottom = texture->lattice[j + 1] + i;
    a = a * a * (3 - 2 * a);
    b = b * b * (3 - 2 * b);
    return (top[0] * (1 - a) + top[1] * a) * (1 - b) + (bottom[0] * (1 - a) + bottom[1] * a) * b;
}

static float texture_at(const struct texture *texture, float x, float y)
{
    float value = texture->stripes
                      ? sinf(texture->direction[0] * x + texture->direction[1] * y + texture->phase)
                      : lattice_at(texture, x, y);
    return texture->strength * value;
}

static bool letter_at(const uint8_t *letter, float u, float v)
{
    int column = (int)floorf((u + 0.7f) / 0.28f), row = (int)floorf((v + 0.95f) / 0.2715f);
    return column >= 0 && column < 5 && row >= 0 && row < 7 && (letter[row] >> (4 - column) & 1);
}

/* Share of the pixel that the figure covers, from 3 x 3 points. */
static float coverage(const struct placed *placed, int x, int y)
{
    int hits = 0;
    for (int k = 0; k < 9; k++) {
        float dx = ((float)x + ((float)(k % 3) + 0.5f) / 3 - placed->x) / placed->radius;
        float dy = ((float)y + ((float)(k / 3) + 0.5f) / 3 - placed->y) / placed->radius;
        float u = placed->cosine * dx + placed->sine * dy, v = placed->cosine * dy - placed->sine * dx;
        hits += placed->inside ? placed->inside(u, v) : letter_at(placed->letter, u, v);
    }
    return (float)hits / 9;
}

static void place(struct sft_rng *rng, float turn, struct placed *placed)
{
    float angle = between(rng, -turn, turn);
    placed->radius = between(rng, 8.0f, 14.0f);
    placed->x = 16 + between(rng, -1, 1) * (17.5f - placed->radius);
    placed->y = 16 + between(rng, -1, 1) * (17.5f - placed->radius);
    placed->cosine = cosf(angle);
    placed->sine = sinf(angle);
}

/* A picture in floats, (SIDE, SIDE, 3) about 0 .. 1. */
struct canvas {
    float rgb[SIDE * SIDE][3];
};

static void paint_ground(struct sft_rng *rng, const struct colour *colour, struct canvas *canvas)
{
    struct texture texture;
    float slope[2] = {between(rng, -0.2f, 0.2f), between(rng, -0.2f, 0.2f)};
    draw_texture(rng, between(rng, 0, 0.16f), &texture);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            float light = texture_at(&texture, (float)x, (float)y) + slope[0] * ((float)x - 16) / 16 +
                          slope[1] * ((float)y - 16) / 16;
            for (int c = 0; c < 3; c++) canvas->rgb[y * SIDE + x][c] = colour->c[c] + light;
        }
}

static void blend(float share, const struct colour *colour, float light, float *pixel)
{
    for (int c = 0; c < 3; c++) pixel[c] += share * (colour->c[c] + light - pixel[c]);
}

static void paint_figure(struct sft_rng *rng, const struct placed *placed, const struct colour *colour,
                         struct canvas *canvas)
{
    struct texture texture;
    draw_texture(rng, between(rng, 0, 0.12f), &texture);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            float light = texture_at(&texture, (float)x, (float)y);
            blend(coverage(placed, x, y), colour, light, canvas->rgb[y * SIDE + x]);
        }
}

/* Hides a part behind a disk, in one picture of two: no straight edge, which is what jigsaw leaves. */
static void paint_patch(struct sft_rng *rng, struct canvas *canvas)
{
    const struct colour colour = draw_colour(rng);
    const struct placed patch = {.inside = disk,
                                 .x = between(rng, 0, SIDE),
                                 .y = between(rng, 0, SIDE),
                                 .radius = between(rng, 2.0f, 5.0f),
                                 .cosine = 1};
    if (sft_rng_below(rng, 2) == 0) return;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) blend(coverage(&patch, x, y), &colour, 0, canvas->rgb[y * SIDE + x]);
}

/* A figure on a ground: the in-distribution set, and two that differ from it in the figure alone. */
static void paint_scene(struct sft_rng *rng, struct placed *placed, float turn, struct canvas *canvas)
{
    struct colour ground = draw_colour(rng), colour = draw_contrast(rng, &ground, 0.4f);
    place(rng, turn, placed);
    paint_ground(rng, &ground, canvas);
    paint_figure(rng, placed, &colour, canvas);
    paint_patch(rng, canvas);
}

static int paint_class(struct sft_rng *rng, int64_t number, struct canvas *canvas)
{
    int label = (int)(number % CLASSES);
    struct placed placed = {.inside = classes[label].inside};
    paint_scene(rng, &placed, 3.1415927f, canvas);
    return label;
}

static int paint_stranger(struct sft_rng *rng, int64_t number, struct canvas *canvas)
{
    struct placed placed = {.inside =
                                strangers[number % (int64_t)(sizeof(strangers) / sizeof(strangers[0]))]};
    paint_scene(rng, &placed, 3.1415927f, canvas);
    return -1;
}

static int paint_letter(struct sft_rng *rng, int64_t number, struct canvas *canvas)
{
    struct placed placed = {.letter = letters[number % (int64_t)(sizeof(letters) / sizeof(letters[0]))]};
    paint_scene(rng, &placed, 0.4f, canvas);
    return -1;
}

/* Stripes, plaids and checks of two colours over the whole picture. */
static int paint_stripes(struct sft_rng *rng, int64_t number, struct canvas *canvas)
{
    struct colour a = draw_colour(rng), b = draw_contrast(rng, &a, 0.3f);
    float angle = between(rng, 0, 3.1415927f);
    float waves = between(rng, 0.35f, 1.6f);
    float phase = between(rng, 0, 6.2831853f);
    float along[2] = {waves * cosf(angle), waves * sinf(angle)}, sharp = between(rng, 1, 6);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            float first = sinf(along[0] * (float)x + along[1] * (float)y + phase);
            float second = sinf(along[0] * (float)y - along[1] * (float)x + phase);
            float wave = number % 3 == 0 ? first : number % 3 == 1 ? (first + second) / 2 : first * second;
            float share = 0.5f + 0.5f * fminf(1, fmaxf(-1, sharp * wave));
            for (int c = 0; c < 3; c++) canvas->rgb[y * SIDE + x][c] = a.c[c] + share * (b.c[c] - a.c[c]);
        }
    return -1;
}

/* Clouds whose channels do not go together, and grain. */
static int paint_noise(struct sft_rng *rng, int64_t number, struct canvas *canvas)
{
    struct colour mean = draw_colour(rng);
    float grain = number % 2 ? between(rng, 0.1f, 0.35f) : 0;
    for (int c = 0; c < 3; c++) {
        struct texture texture;
        draw_texture(rng, between(rng, 0.1f, 0.5f), &texture);
        texture.stripes = false;
        for (int i = 0; i < SIDE * SIDE; i++)
            canvas->rgb[i][c] = mean.c[c] + texture_at(&texture, (float)(i % SIDE), (float)(i / SIDE)) +
                                grain * sft_rng_normal(rng);
    }
    return -1;
}

/* The sets. A set's number in the table keys its random numbers. */
static const struct set {
    const char *name;
    int classes;
    int (*paint)(struct sft_rng *rng, int64_t number, struct canvas *canvas);
} sets[] = {
    {"", CLASSES, paint_class},    {"shapes", 0, paint_stranger}, {"letters", 0, paint_letter},
    {"stripes", 0, paint_stripes}, {"noise", 0, paint_noise},
};
enum { SET_COUNT = sizeof(sets) / sizeof(sets[0]) };

/* An open part of a set. */
struct synthetic {
    int set;
    int64_t first, count;
};

static enum sft_status open_synthetic(const char *path, const char *split, struct sft_source *source)
{
    struct synthetic *state = sft_calloc(1, sizeof(*state));
    bool train = strcmp(split, "train") == 0, test = strcmp(split, "test") == 0;
    source->state = state;
    source->decodes = true;
    if (!state) return SFT_MEMORY;
    while (state->set < SET_COUNT && strcmp(sets[state->set].name, path) != 0) state->set++;
    if (state->set == SET_COUNT)
        return sft_fail(SFT_USAGE,
                        "synthetic:%s: no such set; there are synthetic (ten classes) and, as OOD sets, "
                        "synthetic:shapes, :letters, :stripes and :noise",
                        path);
    if (split[0] && !train && !test)
        return sft_split_absent(source, SFT_USAGE,
                                "synthetic:%s: unknown split #%s; there are #train and #test", path, split);
    if (!split[0]) train = state->set == 0;
    state->first = train ? 0 : TRAIN;
    state->count = source->count = train ? TRAIN : TEST;
    source->classes = sets[state->set].classes;
    return SFT_OK;
}

static enum sft_status read_image(const void *state, int64_t i, struct sft_image *image, int *label)
{
    const struct synthetic *synthetic = state;
    int64_t number = synthetic->first + i;
    struct canvas canvas;
    struct sft_rng rng;
    float noise;
    SFT_TRY(sft_image_reserve(image, SIDE, SIDE, "synthetic"));
    sft_rng_init(&rng, VERSION, SFT_STREAM_SYNTHETIC, (uint64_t)synthetic->set << 40 | (uint64_t)number);
    *label = sets[synthetic->set].paint(&rng, number, &canvas);
    noise = between(&rng, 0.005f, 0.1f);
    for (int p = 0; p < SIDE * SIDE; p++)
        for (int c = 0; c < 3; c++) {
            float value = canvas.rgb[p][c] + noise * sft_rng_normal(&rng);
            image->rgb[3 * p + c] = (uint8_t)(fminf(1, fmaxf(0, value)) * 255 + 0.5f);
        }
    return SFT_OK;
}

static const char *class_name(const void *state, int label)
{
    (void)state;
    return classes[label].name;
}

static void identity(const void *state, char hex[65])
{
    const struct synthetic *synthetic = state;
    char text[64];
    snprintf(text, sizeof(text), "synthetic %d %d %d %d", VERSION, synthetic->set, (int)synthetic->first,
             (int)synthetic->count);
    sft_sha256(text, strlen(text), hex);
}

static void close_synthetic(void *state) { free(state); }

const struct sft_format sft_format_synthetic = {
    .name = "synthetic",
    .help = "synthetic[:NAME]  built-in drawn pictures: ten classes; as OOD shapes, letters, stripes, noise; "
            "#train, #test",
    .needs_path = false,
    .has_splits = true,
    .claims = NULL,
    .open = open_synthetic,
    .read = read_image,
    .class_name = class_name,
    .identity = identity,
    .close = close_synthetic,
};
