/* SPDX-License-Identifier: Apache-2.0 */
/* Which parameters a step perturbs, differentiates and moves. `i` is a parameter of the model. */
#ifndef SFT_SAM_SETS_H
#define SFT_SAM_SETS_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/status.h"

struct sft_step;

/* Whether parameter i is perturbed; whether it is updated. */
bool sft_step_perturbs(const struct sft_step *step, int i);
bool sft_step_trains(const struct sft_step *step, int i);

/* How many numbers are perturbed. */
int64_t sft_step_perturbed(const struct sft_step *step);

/* Whether the first pass has a gradient for it. */
bool sft_step_ascends(const struct sft_step *step, int i);

/* Whether that gradient is for all that is perturbed or trained, not for the perturbed set alone. */
bool sft_step_first_is_whole(const struct sft_step *step);

/* Sets step->extent. SFT_USAGE when there is nothing to perturb and no word on what to do then. */
enum sft_status sft_step_resolve_sets(struct sft_step *step) SFT_MUST_CHECK;

/* Whether g is more than the perturbed set's, or v something else, so that SFT_SLOT_SET has to cut it. */
bool sft_step_cuts(const struct sft_step *step);

#endif
