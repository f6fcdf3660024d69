/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/results/classifier.h"

#include <math.h>

#include "nn/prediction.h"

/* What image i is taken for, or a failure that names it. */
static enum sft_status predict(const struct sft_outputs *outputs, int64_t i,
                               struct sft_prediction *prediction)
{
    int32_t label = outputs->labels[i];
    *prediction =
        sft_predict(outputs->groups, outputs->classes, outputs->logits + i * sft_outputs_logits(outputs));
    if (prediction->label < 0)
        return sft_fail(SFT_FAILED, "the logits of image %lld are not numbers (NaN): the weights are damaged",
                        (long long)i);
    if (label >= 0 && label < outputs->classes) return SFT_OK;
    return sft_fail(SFT_DATA, "image %lld has label %d, but the model has %d classes", (long long)i, label,
                    outputs->classes);
}

static enum sft_status check_any(const struct sft_outputs *outputs)
{
    return outputs->n < 1 || outputs->classes < 1 ? sft_fail(SFT_DATA, "no images to take the accuracy of")
                                                  : SFT_OK;
}

enum sft_status sft_classifier_accuracy(const struct sft_outputs *outputs, double *accuracy)
{
    int64_t correct = 0;
    SFT_TRY(check_any(outputs));
    for (int64_t i = 0; i < outputs->n; i++) {
        struct sft_prediction prediction;
        SFT_TRY(predict(outputs, i, &prediction));
        correct += outputs->labels[i] == prediction.label;
    }
    *accuracy = (double)correct / (double)outputs->n;
    return SFT_OK;
}

enum sft_status sft_classifier_calibration_error(const struct sft_outputs *outputs, double *error)
{
    double excess[SFT_CALIBRATION_BINS] = {0}; /* of right images over what the confidence promised */
    SFT_TRY(check_any(outputs));
    for (int64_t i = 0; i < outputs->n; i++) {
        struct sft_prediction prediction;
        int bin;
        SFT_TRY(predict(outputs, i, &prediction));
        bin = prediction.probability > 0 ? (int)ceil(prediction.probability * SFT_CALIBRATION_BINS) - 1 : 0;
        excess[bin] += (outputs->labels[i] == prediction.label) - prediction.probability;
    }
    *error = 0.0;
    for (int b = 0; b < SFT_CALIBRATION_BINS; b++) *error += fabs(excess[b]) / (double)outputs->n;
    return SFT_OK;
}
