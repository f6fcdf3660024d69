/* SPDX-License-Identifier: Apache-2.0 */
/* For scores that look at one row of logits at a time: the loop over the images, on all threads. Private to ood/. */
#ifndef SFT_SCORE_ROWS_H
#define SFT_SCORE_ROWS_H

#include "ood/score.h"

/* The score of one image from its logits (classes). */
typedef float (*sft_row_score)(const struct sft_score_params *params, const float *logits, int classes);

enum sft_status sft_score_rows(sft_row_score score, const struct sft_score_params *params, const struct sft_outputs *in,
                               float *scores) SFT_MUST_CHECK;

/* The largest logit. One that is no number makes the result no number: fmaxf() and a plain comparison would hide it. */
float sft_row_max(const float *logits, int classes);

/* sum_c exp(z_c / T - max_c z_c / T): at least 1, so that its logarithm and its reciprocal are safe. */
float sft_row_sum_exp(const float *logits, int classes, float max, float temperature);

#endif
