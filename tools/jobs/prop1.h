/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Proposition 1 of the paper of SFT speaks of, measured at every step (finetune --trace prop1).
 *
 * The proposition bounds the change of the energy over a step: dE <= -(h/2) |grad f(w)|^2 + dM + S, with f
 * the training loss, h the learning rate, dM the change of the largest logit and S a constant. On fixed probe
 * sets, in evaluation mode, prop1.jsonl has for every step
 *
 *     g2        |grad f(w)|^2 of the step's batch: over all that trains, over the perturbed set, over the
 * classifier term1     -(h/2) g2 over all; term1_momentum with h/(1 - momentum), the length of a step that
 * momentum makes loss, loss_after, s_loss    f on the batch before and after the step; their difference less
 * term1 sets      for each probe set the means of dE (energy) and dM (max_logit), s = mean dE - term1 - mean
 * dM, and `holds`: the share of images with dE <= term1 + dM + max(s_loss, 0)
 *
 * It is a diagnostic, not a test of a theorem: the difference of two upper bounds bounds no difference, the
 * loss of the proposition is not the one at the image looked at, f has the outliers' term in it, and an
 * outlier has no label.
 */
#ifndef SFT_PROP1_H
#define SFT_PROP1_H

#include <jansson.h>

#include "sam/fit.h"
#include "tools/jobs/run_folder.h"

enum { SFT_PROP1_MAX_SETS = 65 };

struct sft_prop1_set {
    const char *name; /* borrowed, as the set */
    const struct sft_dataset *images;
};

struct sft_prop1;

/* The first `images` images of each set, `batch` at a time, at the size that `model` has now. */
enum sft_status sft_prop1_open(struct sft_model *model, const struct sft_prop1_set *sets, int n_sets,
                               int64_t images, int batch, struct sft_prop1 **prop1) SFT_MUST_CHECK;
void sft_prop1_close(struct sft_prop1 **prop1);

/* Opens prop1.jsonl in the run's folder, behind the lines of the first steps, and looks at the sets before
 * the next. */
enum sft_status sft_prop1_begin(struct sft_prop1 *prop1, const char *path, int64_t first_step) SFT_MUST_CHECK;

/* Looks again, after a step with that momentum. */
enum sft_status sft_prop1_step(struct sft_prop1 *prop1, const struct sft_fit_report *report,
                               double momentum) SFT_MUST_CHECK;

/* Sums and means over all lines of the file: a new reference. And printed as a table. */
enum sft_status sft_prop1_summary(const char *path, json_t **summary) SFT_MUST_CHECK;
void sft_prop1_print(const json_t *summary, FILE *out);

#endif
