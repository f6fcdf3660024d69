/* SPDX-License-Identifier: Apache-2.0 */
/* The two loops that most scores are: over rows of logits, and over features that are changed before the
 * classifier sees them. On all threads; private to ood/scores. */
#ifndef SFT_SCORE_ROWS_H
#define SFT_SCORE_ROWS_H

#include "ood/scores/score.h"
#include "runtime/base/logits.h"

/* The score of image i. */
typedef float (*sft_row_score)(const struct sft_score_input *in, int64_t i);
enum sft_status sft_score_rows(sft_row_score score, const struct sft_score_input *in,
                               float *scores) SFT_MUST_CHECK;

/* The same with room for `numbers` intermediate results. */
typedef double (*sft_row_score_with)(const struct sft_score_input *in, int64_t i, double *scratch);
enum sft_status sft_score_rows_with(sft_row_score_with score, int numbers, const struct sft_score_input *in,
                                    float *scores) SFT_MUST_CHECK;

/* Changes the features of one image (width), in place; `scratch` has as many elements. NULL: leaves them. */
typedef void (*sft_feature_change)(const struct sft_score_input *in, float *features, float *scratch);

/* The energy LSE(weight h' + bias) of changed features h'; `weight` (classes, width) NULL: the head's. */
enum sft_status sft_score_changed_features(sft_feature_change change, const float *weight,
                                           const struct sft_score_input *in, float *scores) SFT_MUST_CHECK;

/* Rows of image i. */
const float *sft_logits_of(const struct sft_score_input *in, int64_t i);
const float *sft_features_of(const struct sft_score_input *in, int64_t i);

/* The mean of all features (width). SFT_MEMORY. */
enum sft_status sft_mean_features(const struct sft_outputs *outputs, float *mean) SFT_MUST_CHECK;

/* For statistics by class: the mean of the rows (n, width) of each class into means (classes, width); a row
 * of class -1 does not count. SFT_DATA where a class has no row, naming `score` and the class. */
enum sft_status sft_class_means(const char *score, int64_t n, int width, int classes, const float *rows,
                                const int32_t *labels, float *means) SFT_MUST_CHECK;

#endif
