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
 * Names are those of published checkpoints; files may have others, and other shapes (nn/layouts/layout.h).
 *
 * A list is filled by the layers (nn/forward.h) when a model is created (nn/model.h).
 */
#ifndef SFT_NN_PARAMETERS_H
#define SFT_NN_PARAMETERS_H

#include <stdint.h>

#include "nn/checkpoint/checkpoint.h"
#include "nn/parameter.h"
#include "runtime/tensor.h"

struct sft_parameters {
    struct sft_parameter *items; /* in the order of the layers */
    int n;
    int64_t norm_size;    /* elements of `weights` that hold norm parameters: [0, norm_size) */
    int64_t weights_size; /* elements of `weights`, padding included */
    int64_t buffers_size;
    struct sft_tensor *weights; /* owned */
    struct sft_tensor *buffers; /* owned; NULL for a model without running statistics */
    int *rows;                  /* order of classes in the file; NULL: in order; owned */
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

/* Reads all parameters and buffers, in the layout that fits best (nn/layouts/match.h). The file has to have
 * each of them in its shape, and nothing else but what sft_checkpoint_ignores(). SFT_DATA with the list of
 * missing, unexpected and wrongly shaped names, or naming a tensor that holds a NaN or an infinity. On
 * failure the device's values are unchanged, unless an upload failed. */
enum sft_status sft_parameters_load(struct sft_parameters *parameters,
                                    const struct sft_checkpoint *checkpoint) SFT_MUST_CHECK;

/* Writes all parameters and buffers to a safetensors file (SFT_WRITE on failure), under the names, with the
 * axes and in the order of classes of the file they were loaded from. `metadata` (n_metadata pairs) goes into
 * the header. The same values give the same bytes. */
enum sft_status sft_parameters_save(const struct sft_parameters *parameters, const char *path,
                                    const struct sft_metadata *metadata, size_t n_metadata) SFT_MUST_CHECK;

/* Says that row i of a file's head is class rows[i], for loading and saving; takes `rows`, which is of as
 * many as the head has and is released with free(). NULL: in order. */
void sft_parameters_order_classes(struct sft_parameters *parameters, int *rows);

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
