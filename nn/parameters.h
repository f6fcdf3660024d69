/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters and buffers of a model: names, shapes, initial values, and where they lie.
 *
 * All parameters of a model lie in ONE flat float32 tensor, `weights`: first every norm parameter (the set S
 * that SAM-only-norm perturbs), then the others. Running statistics lie in a second one, `buffers`. So the
 * perturbation and an optimiser's update are one dispatch each, and whoever needs a tensor per parameter
 * (momentum, gradients, a saved copy) creates one flat tensor of the same size and uses the same offsets.
 * Offsets are multiples of SFT_PARAMETER_ALIGNMENT elements; the elements between two parameters are zero and
 * stay zero under every optimiser.
 *
 * Names are those of published checkpoints. Shapes are the runtime's (filters R,S,I,O); files have
 * `file_shape` (filters O,I,R,S), and values are converted when they are read and written.
 *
 * A list is filled by the layers (nn/forward.h) when a model is created (nn/model.h).
 */
#ifndef SFT_NN_PARAMETERS_H
#define SFT_NN_PARAMETERS_H

#include <stdint.h>

#include "nn/checkpoint/checkpoint.h"
#include "runtime/tensor.h"

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
    struct sft_shape shape, file_shape;
    struct sft_init init;
    int64_t offset, count; /* elements, in `weights` or (SFT_BUFFER) `buffers` */
};

struct sft_parameters {
    struct sft_parameter *items; /* in the order of the layers */
    int n;
    int64_t norm_size;    /* elements of `weights` that hold norm parameters: [0, norm_size) */
    int64_t weights_size; /* elements of `weights`, padding included */
    int64_t buffers_size;
    struct sft_tensor *weights; /* owned */
    struct sft_tensor *buffers; /* owned; NULL for a model without running statistics */
    size_t room;                /* private */
};

/* Appends a parameter; its offset is set by sft_parameters_allocate. For nn/forward.c. */
enum sft_status sft_parameters_add(struct sft_parameters *parameters,
                                   const struct sft_parameter *parameter) SFT_MUST_CHECK;

/* Lays the list out and creates the flat tensors, filled with zeros. */
enum sft_status sft_parameters_allocate(struct sft_parameters *parameters,
                                        struct sft_device *device) SFT_MUST_CHECK;
void sft_parameters_free(struct sft_parameters *parameters); /* also of a half-made list */

/* Initial values by each parameter's rule. Parameter i draws from Philox stream SFT_STREAM_INIT with index i,
 * in the order of its elements; running means become 0 and variances 1. */
enum sft_status sft_parameters_init(struct sft_parameters *parameters, uint64_t seed) SFT_MUST_CHECK;

/* Reads all parameters and buffers. The file has to have each of them under a name that
 * sft_checkpoint_find_parameter() knows, in its shape, and nothing else but what sft_checkpoint_ignores().
 * SFT_DATA with the list of missing, unexpected and wrongly shaped names, or naming a tensor that holds a NaN
 * or an infinity. On failure the device's values are unchanged, unless an upload failed. */
enum sft_status sft_parameters_load(struct sft_parameters *parameters,
                                    const struct sft_checkpoint *checkpoint) SFT_MUST_CHECK;

/* Writes all parameters and buffers to a safetensors file (SFT_WRITE on failure), under the names of the file
 * they were loaded from. `metadata` (n_metadata pairs) goes into the header. The same values give the same
 * bytes. */
enum sft_status sft_parameters_save(const struct sft_parameters *parameters, const char *path,
                                    const struct sft_metadata *metadata, size_t n_metadata) SFT_MUST_CHECK;

/* Host copies in the order of `items`: parameter i of `flat` (laid out like weights, or buffers for
 * SFT_BUFFER), from the runtime's layout to the file's and back; `values` has items[i].count elements. For
 * files with further flat tensors. */
void sft_parameter_to_file(const struct sft_parameter *parameter, const float *flat, float *values);
void sft_parameter_from_file(const struct sft_parameter *parameter, const float *values, float *flat);

/* Gives buffer `number` another shape, in files too, and the values; the others keep theirs. After a failure
 * the parameters are good for sft_parameters_free() only. */
enum sft_status sft_parameters_reshape(struct sft_parameters *parameters, int number, struct sft_shape shape,
                                       const float *values) SFT_MUST_CHECK;

/* Number of the parameter of that name, or -1. */
int sft_parameters_find(const struct sft_parameters *parameters, const char *name);

/* Numbers of the parameters of the kinds in `kinds` (SFT_KINDS_..., or 1 << kind), in order, into `numbers`
 * (room for n; may be NULL). Returns how many. */
int sft_parameters_select(const struct sft_parameters *parameters, unsigned kinds, int *numbers);

/* Elements of the parameters of `kinds`, without padding. */
int64_t sft_parameters_count(const struct sft_parameters *parameters, unsigned kinds);

#endif
