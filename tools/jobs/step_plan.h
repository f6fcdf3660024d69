/* SPDX-License-Identifier: Apache-2.0 */
/* How a training step is made to fit (sam/step.h), before a run starts and in what is told of it. */
#ifndef SFT_STEP_PLAN_H
#define SFT_STEP_PLAN_H

#include "runtime/base/json.h"
#include "runtime/base/text.h"
#include "tools/jobs/training.h"

/* Plans the step of the run, for `slices` micro-batches or, with 0, as many as fit best, and keeps the number
 * in the job for the run itself, and the plan in training->plan. Nothing is allocated. SFT_MEMORY, with the
 * least that is needed, where it does not fit. */
enum sft_status sft_training_plan(struct sft_training *training, int slices) SFT_MUST_CHECK;

/* "8 micro-batches of 4 images, 2.1 GiB at once: ...". */
void sft_step_plan_text(const struct sft_step_plan *plan, struct sft_text *text);
void sft_step_plan_json(struct sft_json *json, const char *key, const struct sft_step_plan *plan);

#endif
