/* SPDX-License-Identifier: Apache-2.0 */
/* How well a classifier does on in-distribution images: what results tell beside the metrics of OOD
 * detection.
 */
#ifndef SFT_CLASSIFIER_H
#define SFT_CLASSIFIER_H

#include "ood/scores/score.h"

/* Top-1 accuracy of logits against labels, by nn/prediction.h. SFT_DATA for an empty set or a label out of
 * range, SFT_FAILED for a logit that is no number. */
enum sft_status sft_classifier_accuracy(const struct sft_outputs *outputs, double *accuracy) SFT_MUST_CHECK;

/* Expected calibration error (Guo et al., "On calibration of modern neural networks", ICML 2017, equation 3):
 * images fall into SFT_CALIBRATION_BINS equal bins (low, high] by confidence, the probability of the
 * predicted class, and the differences between the bins' accuracy and mean confidence are averaged, weighted
 * by images. Statuses as sft_classifier_accuracy(). */
enum { SFT_CALIBRATION_BINS = 15 };
enum sft_status sft_classifier_calibration_error(const struct sft_outputs *outputs,
                                                 double *error) SFT_MUST_CHECK;

#endif
