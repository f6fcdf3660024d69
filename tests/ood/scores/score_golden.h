/* SPDX-License-Identifier: Apache-2.0 */
/* Reading tests/golden/scores.safetensors, whose tensors are named after the cases: "PREFIX/NAME KNOB=TEXT
 * ...". */
#ifndef SFT_TESTS_SCORE_GOLDEN_H
#define SFT_TESTS_SCORE_GOLDEN_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/checkpoint/checkpoint.h"
#include "ood/scores/score.h"
#include "tests/support/cm.h"

static inline struct sft_checkpoint *golden_scores_open(void)
{
    struct sft_checkpoint *golden;
    assert_int_equal(sft_checkpoint_open(SFT_TEST_DATA "/golden/scores.safetensors", &golden), SFT_OK);
    return golden;
}

/* A tensor as float32; release with free(). */
static inline float *golden_values(const struct sft_stored_tensor *tensor)
{
    float *values = calloc((size_t)sft_shape_count(&tensor->shape) + 1, sizeof(*values));
    assert_non_null(values);
    assert_int_equal(sft_stored_read(tensor, values), SFT_OK);
    return values;
}

static inline float *golden_tensor(const struct sft_checkpoint *golden, const char *name)
{
    const struct sft_stored_tensor *tensor = sft_checkpoint_find(golden, name);
    if (!tensor) fail_msg("the golden file has no %s", name);
    return golden_values(tensor);
}

static inline void golden_turn(struct sft_scorer *scorer, const char *name, const char *text)
{
    for (int i = 0; i < sft_score_knobs(scorer->score); i++)
        if (strcmp(scorer->score->knobs[i].name, name) == 0) {
            assert_int_equal(sft_knob_read(&scorer->score->knobs[i], text, &scorer->knobs[i]), SFT_OK);
            return;
        }
    fail_msg("%s has no knob %s", scorer->score->name, name);
}

/* The scorer that a case describes. */
static inline void golden_scorer(const char *description, struct sft_scorer *scorer)
{
    char copy[256], *word, *text;
    snprintf(copy, sizeof(copy), "%s", description);
    word = strtok(copy, " ");
    if (!sft_score_find(word)) fail_msg("there is no score %s", word);
    assert_int_equal(sft_scorer_init(sft_score_find(word), scorer), SFT_OK);
    while ((word = strtok(NULL, " "))) {
        text = strchr(word, '=');
        assert_non_null(text);
        *text = '\0';
        golden_turn(scorer, word, text + 1);
    }
}

/* The largest relative distance; an image further away than `tolerance` fails the test. */
static inline double golden_compare(const char *what, int64_t n, const float *scores, const float *expected,
                                    double tolerance)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++) {
        double off = fabs((double)scores[i] - (double)expected[i]) / fabs((double)expected[i]);
        if (!(off <= tolerance))
            fail_msg("%s, image %d: %.9g instead of %.9g", what, (int)i, (double)scores[i],
                     (double)expected[i]);
        most = fmax(most, off);
    }
    return most;
}

#endif
