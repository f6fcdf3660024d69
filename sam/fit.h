/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The training loop: batches through steps, with a schedule, checkpoints and resume. Fine-tuning (SFT: 50
 * steps of sam-norm on ID and pseudo-OOD images) and training from random weights are the same loop with
 * other numbers.
 *
 * A run is a function of its parameters and its images alone: stopped after any step and resumed on the same
 * device, it ends with the same bytes. Whether a state is one of this very run is for the caller to tell.
 */
#ifndef SFT_SAM_FIT_H
#define SFT_SAM_FIT_H

#include <signal.h>

#include "datasets/loader.h"
#include "sam/fit_state.h"
#include "sam/schedule.h"
#include "sam/step.h"

struct sft_fit_report {
    int64_t step, steps; /* the step that was just done; of how many */
    struct sft_step_result result;
    double lr, images_per_second; /* wall clock, loading included, since the last report */
    struct sft_step *done; /* what did it, to look at its gradients and loss; borrowed during the call */
};

struct sft_fit_params {
    struct sft_step_params step;     /* n_id and n_ood come from `loader` */
    struct sft_loader_params loader; /* steps and first_step come from `schedule` and the checkpoint */
    struct sft_schedule schedule;    /* how many steps (0: nothing is done), at what rate */
    double rho;                      /* at the peak of the rate */
    double rho_min;                  /* at its last value, linear in the rate between; rho keeps it */
    double momentum, weight_decay;
    uint64_t seed; /* of dropout; the loader has its own */

    const char *checkpoint;           /* file for the state; NULL: none is kept */
    int64_t save_every;               /* steps between states, the last one counts; 0: only when stopped */
    const char *identity, *history;   /* texts that are kept in it (struct sft_fit_note); NULL: "" */
    bool keep_gradient;               /* of the last step, for the result */
    const struct sft_fit_state *from; /* the state to go on from; NULL: the beginning; borrowed */

    /* When it is not 0, the step is finished, the state saved, and SFT_INTERRUPTED returned. May be NULL. */
    const volatile sig_atomic_t *stop;

    /* Called before the first step, which is above 0 after a resume. May be NULL. */
    void (*begin)(void *context, int64_t first_step);
    /* Called after each step. May be NULL. */
    enum sft_status (*report)(void *context, const struct sft_fit_report *report);
    /* Called before a state is saved: the disk must have what reports wrote when it says that their steps are
     * done. May be NULL. */
    enum sft_status (*saving)(void *context);
    void *context;
};

struct sft_fit_result {
    int64_t first_step, steps; /* steps done are first_step .. steps-1 */
    double seconds;
    int64_t perturbed; /* numbers that the ascent perturbs */
    struct sft_step_plan plan;
    struct sft_step_result last;
    float *gradient; /* with keep_gradient: laid out like the model's weights; owned by the caller: free() */
};

/* Plans the run's step, within what the model's device has left (params->step.memory and thrift are not
 * looked at), and how its images are loaded, without allocating anything: SFT_MEMORY where it does not fit.
 * Destroy the step. */
enum sft_status sft_fit_plan(struct sft_model *model, const struct sft_fit_params *params,
                             struct sft_loader_params *loader, struct sft_step **step) SFT_MUST_CHECK;

/* Whether a step depends on how many there are to be, so that a run cannot be made longer: with a rate or an
 * exchange of weights that falls towards the end. */
bool sft_fit_depends_on_steps(const struct sft_fit_params *params);

/* SFT_DATA for a state of another model or optimiser, or beyond the last step; SFT_INTERRUPTED when stopped.
 */
enum sft_status sft_fit(struct sft_model *model, const struct sft_fit_params *params,
                        struct sft_fit_result *result) SFT_MUST_CHECK;

#endif
