/* SPDX-License-Identifier: Apache-2.0 */
/* A model's forward pass as a program: images in, logits and features out. Running statistics, no dropout. */
#ifndef SFT_NN_INFERENCE_H
#define SFT_NN_INFERENCE_H

#include "nn/model.h"

struct sft_inference;

/* For up to `batch` images at a time. Reads the model's weights as they are when it runs. */
enum sft_status sft_inference_create(struct sft_model *model, int batch,
                                     struct sft_inference **inference) SFT_MUST_CHECK;
void sft_inference_destroy(struct sft_inference **inference);

int sft_inference_batch(const struct sft_inference *inference);
int sft_inference_width(const struct sft_inference *inference); /* of the features */

/* images (n, size, size, 3) normalised, n <= batch -> logits (n, classes) and features (n, width); either may be NULL.
 * A row's result does not depend on the other rows. */
enum sft_status sft_inference_run(struct sft_inference *inference, const float *images, int64_t n, float *logits,
                                  float *features) SFT_MUST_CHECK;

#endif
