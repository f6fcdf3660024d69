/* SPDX-License-Identifier: Apache-2.0 */
/* A model's forward pass as a program: images in; logits, features and whatever else was asked for out.
 * Running statistics, no dropout. */
#ifndef SFT_NN_INFERENCE_H
#define SFT_NN_INFERENCE_H

#include "nn/model.h"

struct sft_inference;

/* The pass while it is built, for those who append to it. */
struct sft_pass {
    const struct sft_model *model;
    struct sft_graph *graph;
    sft_value images; /* (N, size, size, 3) */
    const struct sft_forward *forward;
    const struct sft_forward_out *out; /* logits, features, taps */
    struct sft_inference *inference;   /* keeps the constants */
};

/* Numbers that appended nodes read, copied. SFT_NONE, and the graph failed, without memory. */
sft_value sft_pass_constant(const struct sft_pass *pass, struct sft_shape shape, const float *values);

/* A further output: `append` adds nodes to the pass and returns a value (N, k), or SFT_NONE for no output.
 * What several appenders ask for alike is computed for each. */
struct sft_inference_extra {
    sft_value (*append)(const void *context, const struct sft_pass *pass);
    const void *context;
};

enum { SFT_OUTPUT_LOGITS, SFT_OUTPUT_FEATURES, SFT_OUTPUT_EXTRA, SFT_MAX_OUTPUTS_OF_PASS = 64 };

/* For up to `batch` images in a call, which go through the device as many at a time as its memory takes.
 * Reads the model's weights as they are when it runs. Extra i is output SFT_OUTPUT_EXTRA + i. */
enum sft_status sft_inference_create(struct sft_model *model, int batch,
                                     const struct sft_inference_extra *extras, int n_extras,
                                     struct sft_inference **inference) SFT_MUST_CHECK;
void sft_inference_destroy(struct sft_inference **inference);

int sft_inference_batch(const struct sft_inference *inference);
/* Numbers an image that an output has; 0: there is no such output. */
int sft_inference_width(const struct sft_inference *inference, int output);

/* images (n, size, size, 3) normalised, n <= batch -> outputs[i] (n, width of i); a pointer may be NULL. A
 * row's result does not depend on the other rows. */
enum sft_status sft_inference_run(struct sft_inference *inference, const float *images, int64_t n,
                                  float *const *outputs) SFT_MUST_CHECK;

#endif
