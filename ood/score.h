/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OOD scores: one number an image, higher means more in-distribution.
 *
 * A score is one file, scores/NAME.c, that defines a struct sft_score, and one row in scores.def; the command line, its
 * help, the tables and the tests read that list. A score says what it needs, so that the caller runs the network once
 * and shares its outputs among all scores that were asked for.
 */
#ifndef SFT_SCORE_H
#define SFT_SCORE_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/status.h"

/* What a score needs to know of the images; a bit each. */
enum sft_score_needs {
    SFT_NEEDS_LOGITS = 1 << 0,   /* the classifier's outputs */
    SFT_NEEDS_FEATURES = 1 << 1, /* the classifier's inputs (penultimate features) */
};

/* What a network said about n images. Borrowed; a member that no score asks for may be NULL. */
struct sft_outputs {
    int64_t n;
    int classes;
    const float *logits; /* (n, classes) */
    int width;
    const float *features; /* (n, width) */
};

/* The knobs of all scores; each reads those that concern it. */
struct sft_score_params {
    float temperature; /* energy: T > 0 */
    bool msp_log;      /* msp: log p instead of p; orders the same without saturating at 1 (for analysis) */
};

/* The values of the papers: T = 1, probabilities. */
struct sft_score_params sft_score_params_default(void);

struct sft_score {
    const char *name;    /* as the command line spells it */
    const char *title;   /* as tables and reports print it */
    const char *summary; /* formula and source, one line, for --help */
    unsigned needs;      /* SFT_NEEDS_... */

    /* Fills scores[0 .. in->n - 1]. Called through sft_score_compute(), which has checked what `needs` promises. */
    enum sft_status (*compute)(const struct sft_score_params *params, const struct sft_outputs *in, float *scores);
};

/* The table: rows 0 .. sft_score_count()-1. */
int sft_score_count(void);
const struct sft_score *sft_score_at(int index);

/* The score of that name; NULL where there is none (nothing is logged). */
const struct sft_score *sft_score_find(const char *name);

/* Reads "energy,msp" or "all". Gives *count scores in the order named, without repeats, in an array that the caller
 * releases with free(). SFT_USAGE for an unknown name (with the nearest known one) or an empty list. */
enum sft_status sft_score_parse(const char *list, const struct sft_score ***scores, int *count) SFT_MUST_CHECK;

/* Scores in->n images into scores[]. The same bits at any number of threads. SFT_USAGE where `in` lacks what the score
 * needs or a parameter is out of range. Logits that are no numbers give scores that are no numbers, which the metrics
 * refuse. */
enum sft_status sft_score_compute(const struct sft_score *score, const struct sft_score_params *params,
                                  const struct sft_outputs *in, float *scores) SFT_MUST_CHECK;

#endif
