/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One training step as one program: ascent pass, norm, perturbation, descent pass, update. It is built once
 * for a model, a batch size and an optimiser (sam/optimizer.h), and run again with every batch; between its
 * upload and its results the host does nothing.
 *
 * SAM-only-norm (SAM-ON, and the paper of SFT): g = dL/dS at w for the norm parameters S alone, so no weight
 * gradient of a convolution is computed in the ascent; S' = S + rho*g/(|g| + 1e-16); then q = dL/dw at (w
 * with S'), and the base optimiser moves w by q. The perturbed parameters are values of their own: w is never
 * overwritten, so its restoration is exact.
 *
 * Where a step is more than one program:
 *   - LookSAM has a second program of one pass for the steps between.
 *   - ESAM ranks the images of a step by how much the perturbation raised their losses: the host reads the
 *     losses in the middle of the step, which is inherent in it, and gives the others the weight 0 in the
 *     second pass. The formula is ESAM's; the time that leaving images out would save is not.
 *   - SSAM's mask is chosen by the host between steps; SSAM-F runs single images through a program of their
 *     own first.
 *   - With parts (m-sharpness) the program makes one part's gradient; a second one, after the last part,
 *     updates.
 *   - In slices (micro-batches) a program adds a slice's gradient at w to a sum, one makes the perturbation
 * of the whole sum, one adds a slice's gradient at the perturbed weights, one updates. This is the same step
 *     to rounding: slices are no parts, which have perturbations of their own.
 *
 * All programs of a step share one arena.
 */
#ifndef SFT_SAM_STEP_H
#define SFT_SAM_STEP_H

#include <stdio.h>

#include "nn/model.h"
#include "sam/sets.h"
#include "sam/step_params.h"

struct sft_step;

/* Plans a step: nothing is allocated on the device, and the model's parameters need no memory yet. SFT_MEMORY
 * where it cannot be made to fit into params->memory; SFT_USAGE for norm parameters to perturb in a model
 * without them (unless `empty` says what to do), for an empty batch or one that does not divide into the
 * parts, for what the optimiser cannot do, and for outliers or the energy term with a grouped classifier. */
enum sft_status sft_step_plan(struct sft_model *model, const struct sft_step_params *params,
                              struct sft_step **step) SFT_MUST_CHECK;

/* Makes a planned step ready to run. */
enum sft_status sft_step_start(struct sft_step *step) SFT_MUST_CHECK;

/* Both. */
enum sft_status sft_step_create(struct sft_model *model, const struct sft_step_params *params,
                                struct sft_step **step) SFT_MUST_CHECK;
void sft_step_destroy(struct sft_step **step);

/* Runs a step on images (n_id + n_ood, size, size, 3) and labels (-1: outlier), ID rows first. SFT_FAILED
 * when the loss or the gradient is not a finite number, SFT_DATA for a label that the model has no class
 * for. */
enum sft_status sft_step_run(struct sft_step *step, const struct sft_step_rates *rates, const float *images,
                             const int32_t *labels, struct sft_step_result *result) SFT_MUST_CHECK;

/* What the optimiser carries from step to step: flat tensors laid out like the model's weights, at most
 * SFT_MAX_STATES. Borrowed. */
enum { SFT_MAX_STATES = 3 };
struct sft_tensor *const *sft_step_states(const struct sft_step *step, int *n_states);

/* Gradients of the last step, laid out like the model's weights: q, with parts the mean of theirs; and that
 * of the first pass, at w: of a traced step for all that trains or is perturbed, 0 elsewhere, else with no
 * more elements than the perturbed set needs (with parts, of the last part). Borrowed. */
struct sft_tensor *sft_step_gradient(const struct sft_step *step);
struct sft_tensor *sft_step_first_gradient(const struct sft_step *step);

/* The loss of the last batch, whose images must still be there, at the weights as they are now, with the
 * dropout masks of its first pass; batch norm leaves its running statistics alone. Of a traced step. */
enum sft_status sft_step_loss(struct sft_step *step, double *loss) SFT_MUST_CHECK;

const struct sft_step_plan *sft_step_get_plan(const struct sft_step *step);

/* The graphs that the step's programs run, after the passes; NULL past the last. Borrowed. */
const struct sft_graph *sft_step_graph(const struct sft_step *step, int i);

/* Prints what the programs run, of a step that is planned and not started. */
void sft_step_print(const struct sft_step *step, FILE *file);

#endif
