/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers: functions that append to the graph and ask for their parameters under `name`. Maps are (N,H,W,C).
 *
 * Adding a layer: its file here and its prototype below. It asks for parameters in a fixed order, which is
 * the order of declaration.
 */
#ifndef SFT_NN_LAYERS_H
#define SFT_NN_LAYERS_H

#include "nn/forward.h"

struct sft_conv {
    int kernel, stride, pad;
    int64_t out;       /* channels */
    bool bias;         /* name.bias (out), zeros at first */
    bool standardized; /* weight standardisation (Qiao et al. 2019), with the network's epsilon */
    bool relu;         /* max(., 0) after it */
};
/* name.weight (kernel, kernel, in, out), at first N(0, 2/(kernel^2 * out)): He et al. 2015 by fan-out. */
sft_value sft_conv_layer(struct sft_build *build, const char *name, sft_value x, struct sft_conv conv);

/* Normalisation of kind `norm` with name.weight and name.bias (C), then ReLU where asked for. Group norm has
 * `groups` groups and epsilon 1e-5. Batch norm has epsilon 1e-5, momentum 0.1 and the buffers
 * name.running_mean and name.running_var. SFT_NORM_NONE is the ReLU alone. */
sft_value sft_norm_layer(struct sft_build *build, const char *name, sft_value x, enum sft_norm norm,
                         int64_t groups, bool relu);

/* Layer normalisation over the last axis, epsilon 1e-5. */
sft_value sft_layer_norm_layer(struct sft_build *build, const char *name, sft_value x);

/* x (N,in) -> (N,out) by name.weight (out,in) and name.bias (out), both at first uniform within
 * 1/sqrt(in). */
sft_value sft_linear_layer(struct sft_build *build, const char *name, sft_value x, int64_t out, bool relu);

enum sft_head { SFT_HEAD_LINEAR, SFT_HEAD_CONV };
/* The classifier: x (N,d) -> (N,k), k = network->outputs; records x as the features and the result as the
 * logits. SFT_HEAD_LINEAR starts as a linear layer does; SFT_HEAD_CONV is stored as a 1x1 convolution
 * (k,d,1,1) and starts as N(0, 0.01^2), bias 0. */
void sft_head_layer(struct sft_build *build, const char *name, sft_value x, enum sft_head head);

/* Zeroes with the probability given and scales the rest, where the forward pass has a dropout key. */
sft_value sft_dropout_layer(struct sft_build *build, sft_value x, float probability);

struct sft_max_pool {
    int size, stride, pad;
    bool zero_pad; /* padding takes part as zeros; else it never wins */
};
sft_value sft_max_pool_layer(struct sft_build *build, sft_value x, struct sft_max_pool pool);

/* (N,H,W,C) -> (N,C). */
sft_value sft_global_pool_layer(struct sft_build *build, sft_value x);

/* ---- tokens (N,T,C), in tokens.c ---- */

/* A linear layer of tokens, y = x weight^T + bias: name.weight (out,in), at first N(0, 0.02^2), and name.bias
 * (out), zeros at first, where asked for. */
struct sft_dense {
    sft_value weight, bias; /* bias SFT_NONE: none */
};
struct sft_dense sft_dense_parameters(struct sft_build *build, const char *name, int64_t in, int64_t out,
                                      bool bias);
/* The layer of `count` of its outputs from `first` on: a view of its parameters. */
struct sft_dense sft_dense_rows(struct sft_build *build, struct sft_dense dense, int64_t first,
                                int64_t count);
sft_value sft_dense_apply(struct sft_build *build, sft_value x, struct sft_dense dense); /* (N,T,out) */
/* Both at once. */
sft_value sft_dense_layer(struct sft_build *build, const char *name, sft_value x, int64_t out, bool bias);

/* Linear layer `first` to `hidden`, GELU, linear layer `second` back to x's width. */
sft_value sft_mlp_layer(struct sft_build *build, const char *first, const char *second, sft_value x,
                        int64_t hidden);

/* Softmax attention of `heads` heads of d = C/heads, scale 1/sqrt(d): name.qkv without bias (queries of all
 * heads, then keys, then values), name.proj. */
sft_value sft_self_attention_layer(struct sft_build *build, const char *name, sft_value x, int heads);

/* The trained token `name` (1,1,C) in front of the others. */
sft_value sft_class_token_layer(struct sft_build *build, const char *name, sft_value x);

/* Adds the buffer `name` (1,T,C), at first the sinusoids of nn/positions.h. */
sft_value sft_positions_layer(struct sft_build *build, const char *name, sft_value x);

/* One token of each image, (N,C). */
sft_value sft_token_layer(struct sft_build *build, sft_value x, int64_t number);

#endif
