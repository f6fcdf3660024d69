/* SPDX-License-Identifier: Apache-2.0 */
/* What a classifier takes an image for. */
#ifndef SFT_NN_PREDICTION_H
#define SFT_NN_PREDICTION_H

#include "nn/groups.h"

struct sft_prediction {
    int label; /* the class; the lowest of equals; -1 where a logit is no number */
    double probability;
};

/* From the logits of one image: the largest of softmax(z). With `groups` (NULL: none) the largest probability
 * of a class in the softmax of its own group. */
struct sft_prediction sft_predict(const struct sft_groups *groups, int classes, const float *logits);

#endif
