/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The images of each set that a score takes most and least for in-distribution: among the OOD images the
 * first are the mistakes, among the ID images the last. They are picked where the images are at hand, right
 * after scoring, and lie as small pictures in the run folder for the report:
 *
 *   examples.json   {"score": "energy", "sets": {"id": {"most": [{"index": 3, "score": 9.1, "before": 8.7,
 *                   "label": "cat", "png": "BASE64"}, ...], "least": [...]}, "svhn": ...}}
 *
 * "score" is by the last model; "before" is there with two, "label" where the set has labels.
 */
#ifndef SFT_EXAMPLES_H
#define SFT_EXAMPLES_H

#include <stdint.h>

#include "datasets/dataset.h"
#include "ood/results/results.h"

/* Images of either kind in a set; the longer side of a picture at most. */
enum { SFT_EXAMPLES = 8, SFT_EXAMPLE_SIDE = 48 };

struct sft_example_image {
    int64_t index;        /* in the set, as in the score files */
    double score, before; /* `before` NaN with one model */
    char *label;          /* NULL: none */
    char *png;            /* base64 */
};

enum sft_example_kind { SFT_EXAMPLE_MOST, SFT_EXAMPLE_LEAST, SFT_EXAMPLE_KINDS };

struct sft_example_set {
    char *name; /* "id", then the OOD sets */
    int count[SFT_EXAMPLE_KINDS];
    struct sft_example_image example[SFT_EXAMPLE_KINDS][SFT_EXAMPLES]; /* the most extreme first */
};

/* All of it owned. */
struct sft_examples {
    char *score;
    int sets;
    struct sft_example_set *set;
};

/* The score that stands for all where only one can be shown: energy, else the first. */
int sft_results_lead(const struct sft_results *results);

/* Picks by the lead score of the last model and writes FOLDER/examples.json. `id` and `sets` are those that
 * were scored. A set has no image twice: with fewer than 16 they are shared among both kinds. Does nothing
 * where the scores are not in `results`. */
enum sft_status sft_examples_write(const struct sft_results *results, const struct sft_dataset *id,
                                   const struct sft_dataset *const *sets, const char *folder) SFT_MUST_CHECK;

/* SFT_DATA where the file is damaged: nothing in it is believed, least of all that a picture is base64. */
enum sft_status sft_examples_read(const char *path, struct sft_examples *examples) SFT_MUST_CHECK;
void sft_examples_free(struct sft_examples *examples);

#endif
