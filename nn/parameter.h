/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One parameter or buffer of a model: what it is here, and what it is in a file.
 *
 * Shapes are the runtime's (filters R,S,I,O); files have `file_shape`, which is what the layers declare
 * (filters O,I,R,S) until a file of another layout was loaded (nn/layouts/layout.h). Values are converted
 * when they are read and written.
 */
#ifndef SFT_NN_PARAMETER_H
#define SFT_NN_PARAMETER_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/shape.h"

enum { SFT_MAX_PARAMETERS = 1024, SFT_PARAMETER_ALIGNMENT = 16, SFT_MAX_NAME = 128 };

enum sft_parameter_kind {
    SFT_NORM_WEIGHT, /* gamma */
    SFT_NORM_BIAS,   /* beta */
    SFT_CONV_WEIGHT,
    SFT_LINEAR_WEIGHT,
    SFT_BIAS, /* of a convolution or linear layer */
    SFT_HEAD_WEIGHT,
    SFT_HEAD_BIAS,
    SFT_TOKEN,  /* trained token of a transformer */
    SFT_BUFFER, /* running statistics, constants of the network: not trained, in `buffers` */
};

/* Sets of kinds, for sft_parameters_select. */
enum {
    SFT_KINDS_NORM = 1 << SFT_NORM_WEIGHT | 1 << SFT_NORM_BIAS,
    SFT_KINDS_HEAD = 1 << SFT_HEAD_WEIGHT | 1 << SFT_HEAD_BIAS,
    SFT_KINDS_TRAINED = (1 << SFT_BUFFER) - 1,
};

enum sft_distribution {
    SFT_INIT_CONSTANT,
    SFT_INIT_NORMAL,
    SFT_INIT_UNIFORM,
    SFT_INIT_ORTHOGONAL, /* (m,n), m <= n: orthonormal rows, uniform among all such, times the scale */
    SFT_INIT_SINUSOID,   /* (...,positions,width): nn/positions.h, times the scale */
};
struct sft_init {
    enum sft_distribution distribution;
    float scale; /* the constant; the standard deviation; the bound: uniform in [-scale, scale) */
};

struct sft_parameter {
    char *name;      /* as in published checkpoints */
    char *file_name; /* in the file that it was loaded from, where it is another; NULL: `name` */
    enum sft_parameter_kind kind;
    struct sft_shape shape;
    struct sft_shape file_shape;     /* in that file */
    struct sft_shape declared_shape; /* in a file of our own layout */
    bool out_last;                   /* whether the file has the axis of outputs last: filters R,S,I,O */
    const int *rows; /* of a head: row i of the file is class rows[i]; NULL: in order; borrowed */
    struct sft_init init;
    int64_t offset, count; /* elements, in `weights` or (SFT_BUFFER) `buffers` */
};

/* Host copies: the parameter of `flat` (laid out like weights, or buffers for SFT_BUFFER), from the runtime's
 * layout to the file's and back; `values` has `count` elements. For files with further flat tensors. */
void sft_parameter_to_file(const struct sft_parameter *parameter, const float *flat, float *values);
void sft_parameter_from_file(const struct sft_parameter *parameter, const float *values, float *flat);

#endif
