/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pseudo-OOD images: in-distribution images made into outliers by shuffling what a classifier recognises them
 * by (the paper of SFT, "pseudo-OOD": jigsaw patch shuffle and RGB channel shuffle, both used at every
 * iteration). What the paper leaves open is a parameter here, with docs/methods.md's default.
 *
 * All draws are functions of (seed, step, number of the image), so they do not depend on threads or on a
 * resume.
 */
#ifndef SFT_PSEUDO_H
#define SFT_PSEUDO_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/image.h"

enum { SFT_JIGSAW_MAX_SIZES = 16 };

enum sft_pseudo_mode {
    SFT_PSEUDO_COMPOSE, /* every image gets both shuffles */
    SFT_PSEUDO_HALF,    /* the first half of the pseudo images jigsaw, the second RGB */
    SFT_PSEUDO_BOTH,    /* two for each asked for: one jigsaw, one RGB */
    SFT_PSEUDO_RANDOM,  /* a coin for each image */
    SFT_PSEUDO_JIGSAW,
    SFT_PSEUDO_RGB,
    SFT_PSEUDO_NONE, /* no pseudo images at all */
};

/* What a size is: a tile's side in pixels, or how many tiles a row has. */
enum sft_jigsaw_unit { SFT_JIGSAW_PX, SFT_JIGSAW_GRID };

/* How often a size is drawn: for the step, or for each image. */
enum sft_jigsaw_draw { SFT_JIGSAW_DRAW_BATCH, SFT_JIGSAW_DRAW_IMAGE };

/* What becomes of rows and columns that fill no tile: they stay, or get black. */
enum sft_jigsaw_rest { SFT_JIGSAW_KEEP, SFT_JIGSAW_ZERO };

/* Whether a shuffle may leave the channels in their places. */
enum sft_rgb_identity { SFT_RGB_IDENTITY_ALLOW, SFT_RGB_IDENTITY_FORBID };

/* What pseudo images are made from: the batch's images, or others. */
enum sft_pseudo_source { SFT_PSEUDO_SAME, SFT_PSEUDO_OTHER };

/* All of these in words: in the order of the enum and up to a NULL. */
extern const char *const sft_pseudo_mode_words[], *const sft_pseudo_source_words[];
extern const char *const sft_jigsaw_unit_words[], *const sft_jigsaw_draw_words[],
                                                      *const sft_jigsaw_rest_words[];
extern const char *const sft_rgb_identity_words[];

/* The zero of each member is the default, except the sizes (sft_pseudo_defaults). */
struct sft_pseudo_params {
    enum sft_pseudo_mode mode;
    enum sft_jigsaw_unit unit;
    enum sft_jigsaw_draw draw;
    enum sft_jigsaw_rest rest;
    enum sft_rgb_identity rgb_identity;
    enum sft_pseudo_source source;
    int size_count;
    int sizes[SFT_JIGSAW_MAX_SIZES];
};

/* The paper's sizes 2,3,5,10,15,30,60 for pictures of `side` >= 120 pixels, 2,4,8,16 below; the other
 * defaults. */
void sft_pseudo_defaults(struct sft_pseudo_params *params, int side);

/* The parameters, checked against a resolution: only sizes that make at least 2 x 2 tiles are left. */
struct sft_pseudo {
    struct sft_pseudo_params params;
    int side, max_tiles;
};

/* Checks `params` for pictures of side x side pixels. Sizes that cannot be used are left out with one
 * warning; SFT_USAGE when none is left (and the mode has a jigsaw), or a parameter is out of range. */
enum sft_status sft_pseudo_prepare(const struct sft_pseudo_params *params, int side,
                                   struct sft_pseudo *pseudo) SFT_MUST_CHECK;

/* Pseudo images that a mode makes when `per_id` are asked for each ID image. */
int64_t sft_pseudo_per_id(enum sft_pseudo_mode mode, int per_id);

/* Which image is being made. */
struct sft_pseudo_key {
    uint64_t seed;
    int64_t step;   /* draws of the batch */
    int64_t number; /* draws of the image: running number over all pseudo images of a run */
    int64_t place;  /* place among the `total` pseudo images of the batch */
    int64_t total;
};

/* Makes a pseudo-OOD image `out` from `in`, both (side, side, 3); they must not overlap. `tiles` is scratch
 * for pseudo->max_tiles numbers. */
void sft_pseudo_make(const struct sft_pseudo *pseudo, const struct sft_pseudo_key *key, const uint8_t *in,
                     uint8_t *out, uint32_t *tiles);

/* The jigsaw itself, on a (side, side, 3) image: in_row x in_row tiles of tile x tile pixels from the
 * top left (tile * in_row <= side), of which tile k of `out` is tile order[k] of `in`; the rest as
 * `rest` says. */
void sft_jigsaw(const uint8_t *in, uint8_t *out, int side, int tile, int in_row, const uint32_t *order,
                enum sft_jigsaw_rest rest);

#endif
