/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One training step as one program: ascent pass, norm, perturbation, descent pass, update. It is built once for a
 * model, a batch size and an optimiser, and run again with every batch; between its upload and its results the host
 * does nothing.
 *
 * SAM-only-norm (SAM-ON, and the paper of SFT): g = dL/dS at w for the norm parameters S alone, so no weight gradient
 * of a convolution is computed in the ascent; S' = S + rho*g/(|g| + 1e-16); then q = dL/dw at (w with S'), and the base
 * optimiser moves w by q. The perturbed parameters are values of their own: w is never overwritten, so its restoration
 * is exact.
 */
#ifndef SFT_SAM_STEP_H
#define SFT_SAM_STEP_H

#include "nn/loss.h"
#include "nn/model.h"
#include "sam/optimizer.h"

enum sft_norm_scope { SFT_SCOPE_ALL, SFT_SCOPE_NO_FINAL, SFT_SCOPE_WEIGHT_ONLY, SFT_SCOPE_BIAS_ONLY };
enum sft_trained { SFT_TRAIN_ALL, SFT_TRAIN_NORM, SFT_TRAIN_HEAD, SFT_TRAIN_LAST_BLOCK };
enum sft_first_loss { SFT_FIRST_FULL, SFT_FIRST_ID, SFT_FIRST_OOD };
enum sft_sam_empty { SFT_EMPTY_ERROR, SFT_EMPTY_SGD, SFT_EMPTY_ALL };

/* The zero of every member is the documented default. */
struct sft_step_params {
    const struct sft_optimizer *optimizer;
    int n_id, n_ood; /* rows of a batch */
    float lambda;
    struct sft_row_loss_params loss;
    enum sft_norm_scope scope; /* which norm parameters the ascent perturbs */
    enum sft_trained trained;  /* which parameters the descent moves */
    enum sft_first_loss first; /* loss of the ascent */
    enum sft_sam_empty empty;  /* what sam-norm does with a model without norm layers */
    bool same_mask;            /* dropout masks of the ascent again in the descent */
    bool second_updates_bn;    /* the descent pass moves running statistics too */
    bool frozen_bn;            /* both passes normalise with the running statistics */
    bool no_dropout;
    bool no_norm_decay; /* no weight decay for norm parameters */
    bool nesterov;
};

/* Numbers that may differ from step to step. */
struct sft_step_rates {
    int64_t step; /* of the run, 0 first */
    uint64_t seed;
    double lr, rho, momentum, weight_decay;
};

struct sft_step_result {
    double loss, loss_id, loss_ood; /* of the first pass: at w, before the perturbation */
    double grad_norm;               /* |q| over the trained parameters, at the perturbed point */
    double perturb_norm;            /* |g| over the perturbed set; 0 without an ascent */
};

struct sft_step;

/* SFT_USAGE for sam-norm on a model without norm parameters (unless `empty` says what to do), or an empty batch. */
enum sft_status sft_step_create(struct sft_model *model, const struct sft_step_params *params,
                                struct sft_step **step) SFT_MUST_CHECK;
void sft_step_destroy(struct sft_step **step);

/* Runs a step on images (n_id + n_ood, size, size, 3) and labels (-1: outlier), ID rows first. SFT_FAILED when the loss
 * or the gradient is not a finite number, SFT_DATA for a label that the model has no class for. */
enum sft_status sft_step_run(struct sft_step *step, const struct sft_step_rates *rates, const float *images,
                             const int32_t *labels, struct sft_step_result *result) SFT_MUST_CHECK;

/* The optimiser's state: flat tensors laid out like the model's weights. Borrowed; n_states is 1 (SGD) or 2 (Adam). */
struct sft_tensor *const *sft_step_states(const struct sft_step *step, int *n_states);

/* The gradient of the last step (q), laid out like the model's weights. Borrowed. */
struct sft_tensor *sft_step_gradient(const struct sft_step *step);

/* The step's program, for inspection and profiling. */
struct sft_program *sft_step_program(const struct sft_step *step);
const struct sft_graph *sft_step_graph(const struct sft_step *step);

#endif
