/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calibration: for a model, the threshold of one or more scores and the statistics they need, in one file.
 *
 * The file is safetensors: an array SCORE/STATISTIC for each statistic, and in the header what they belong
 * to. It is refused for a model with other weights, another mean or deviation of its input or another
 * framing of pictures, and where a byte of an array has changed.
 */
#ifndef SFT_CALIBRATION_H
#define SFT_CALIBRATION_H

#include "nn/model.h"
#include "ood/scores/score.h"

struct sft_calibration {
    char fingerprint[65];       /* of the model's weights */
    float mean[3], std[3];      /* of its input */
    struct sft_framing framing; /* of its pictures */
    double recall;              /* the share of the ID images that is above the threshold */
    int64_t images;             /* ID images behind the thresholds */
    int n;                      /* scores */
    struct sft_scorer *scorers; /* (n), owned */
    double *thresholds;         /* (n), owned: an image is in-distribution where its score is not below */
    struct sft_class_names class_names; /* of the model's classes, or none: not known; owned */
};

/* Notes the model that everything else is of: its fingerprint, mean, deviation, framing, and names of
 * classes. */
enum sft_status sft_calibration_of(const struct sft_model *model,
                                   struct sft_calibration *calibration) SFT_MUST_CHECK;

/* Writes the file atomically. SFT_WRITE. */
enum sft_status sft_calibration_write(const struct sft_calibration *calibration,
                                      const char *path) SFT_MUST_CHECK;

/* Reads it for a model. SFT_DATA where it is missing, damaged, no calibration, or of another model. Release
 * with sft_calibration_free in any case. */
enum sft_status sft_calibration_read(const char *path, const struct sft_model *model,
                                     struct sft_calibration *calibration) SFT_MUST_CHECK;
void sft_calibration_free(struct sft_calibration *calibration);

/* The largest threshold that at least `recall` of the n scores reach. SFT_FAILED for a score that is no
 * number. */
enum sft_status sft_calibration_threshold(int64_t n, const float *scores, double recall,
                                          double *threshold) SFT_MUST_CHECK;

#endif
