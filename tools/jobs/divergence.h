/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a training goes wrong: its loss grows without bounds, or the model forgets what it knew. */
#ifndef SFT_DIVERGENCE_H
#define SFT_DIVERGENCE_H

#include "nn/parameters.h"
#include "runtime/base/json.h"
#include "sam/fit.h"

/* Starts with the number of classes and zeros. */
struct sft_divergence {
    int classes;
    int64_t first_step,
        step; /* numbers of the first step seen, and of the one that was too much; 0: none yet */
    double first, first_id; /* losses of the first step: the whole, and on ID images */
    double loss, last_id;   /* of the step that was too much; on ID images, of the last step */
};

/* Looks at a step. A loss beyond SFT_DIVERGENCE_GROWTH times what it began with, or what guessing gives, is a
 * warning, once; one that is no finite number is SFT_FAILED, as nothing can follow. */
#define SFT_DIVERGENCE_GROWTH 30
enum sft_status sft_divergence_step(struct sft_divergence *divergence,
                                    const struct sft_fit_report *report) SFT_MUST_CHECK;

/* Warns where the model knew its classes at the first step and guesses at the last. */
void sft_divergence_end(const struct sft_divergence *divergence);

/* Adds "divergence": {step, loss, first_loss, first_loss_id, last_loss_id} to the object that `json` stands
 * in, where there was one; without the first three where the model has only forgotten its classes. */
void sft_divergence_json(const struct sft_divergence *divergence, struct sft_json *json);

/* SFT_FAILED where a parameter or a running statistic is no finite number. */
enum sft_status sft_check_finite(const struct sft_parameters *parameters) SFT_MUST_CHECK;

#endif
