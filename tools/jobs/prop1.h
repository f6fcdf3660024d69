/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Proposition 1 of the paper of SFT speaks of, measured at every step (finetune --trace prop1).
 *
 * The proposition bounds the change of the energy over a step: dE <= -(h/2) |grad f(w)|^2 + dM + S, with f
 * the training loss, h the learning rate, dM the change of the largest logit and S a constant. On fixed probe
 * sets, in evaluation mode, prop1.jsonl has for every step
 *
 *     g2        |grad f(w)|^2 of the step's batch: over all that trains, over the perturbed set, over the
 *               classifier
 *     term1     -(h/2) g2 over all
 *     term1_momentum          with h/(1 - momentum), the length of a step that momentum makes
 *     loss, loss_after        f on the batch before and after the step
 *     s_loss    their difference less term1
 *     sets      for each probe set the means of dE (energy) and dM (max_logit), s = mean dE - term1 - mean
 *               dM, and `holds`: the share of images with dE <= term1 + dM + max(s_loss, 0)
 *
 * It is a diagnostic, not a test of a theorem: the difference of two upper bounds bounds no difference, the
 * loss of the proposition is not the one at the image looked at, f has the outliers' term in it, and an
 * outlier has no label.
 */
#ifndef SFT_PROP1_H
#define SFT_PROP1_H

#include "runtime/base/json.h"
#include "sam/fit.h"
#include "tools/jobs/lists.h"

enum { SFT_PROP1_MAX_SETS = SFT_MAX_SETS + 1 };

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

/* Waits until the disk has the lines. */
enum sft_status sft_prop1_sync(struct sft_prop1 *prop1) SFT_MUST_CHECK;

/* Sums over all steps; `holds` is a mean. */
struct sft_prop1_sums {
    char name[SFT_SET_NAME];
    double energy, max_logit, s, holds;
};

struct sft_prop1_summary {
    int64_t steps;
    double term1, term1_momentum, s_loss;
    int sets;
    struct sft_prop1_sums set[SFT_PROP1_MAX_SETS];
};

/* Sums up the lines of the file. SFT_DATA where they are not those of a trace. */
enum sft_status sft_prop1_sum_up(const char *path, struct sft_prop1_summary *summary) SFT_MUST_CHECK;

/* Adds the summary under `key`, as run.json has it. */
void sft_prop1_json(const struct sft_prop1_summary *summary, const char *key, struct sft_json *json);

#endif
