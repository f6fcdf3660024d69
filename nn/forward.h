/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a family's build function works with. It runs once on a scratch graph to declare the parameters and
 * then once for each forward pass; layers (nn/layers/layers.h) and the calls below do the right thing in
 * both.
 */
#ifndef SFT_NN_FORWARD_H
#define SFT_NN_FORWARD_H

#include "nn/model.h"

struct sft_build {
    struct sft_graph *graph;
    const struct sft_model *model;
    const struct sft_forward *forward;
    struct sft_forward_out *out; /* the build function sets logits and features, and adds taps */

    struct sft_parameters *declared; /* private: the list to fill, or NULL in a forward pass */
    int next_parameter;              /* private: parameters are asked for in the order of their declaration */
    uint32_t next_dropout;           /* private */
};

/* Formats a name into a buffer of SFT_MAX_NAME bytes and returns it. */
const char *sft_name(char *buffer, const char *format, ...) SFT_PRINTF(2, 3);

struct sft_parameter_rule {
    enum sft_parameter_kind kind;
    struct sft_shape shape;      /* here */
    struct sft_shape file_shape; /* in files; rank 0: the same */
    struct sft_init init;
};

/* Parameter or buffer "layer.suffix" as a value of `rule.shape`. */
sft_value sft_build_parameter(struct sft_build *build, const char *layer, const char *suffix,
                              struct sft_parameter_rule rule);

/* Adds a feature map to out->taps and returns what to go on with: the map, or what the pass starts with here.
 */
sft_value sft_build_tap(struct sft_build *build, sft_value map);

/* The stream of the next dropout layer. */
uint32_t sft_build_dropout_stream(struct sft_build *build);

/* Size of axis `axis` of a value, 0 after a failure. */
int64_t sft_build_dim(const struct sft_build *build, sft_value value, int axis);

/* Declares the parameters of model->variant in model->parameters. */
enum sft_status sft_build_declare(struct sft_model *model) SFT_MUST_CHECK;

#endif
