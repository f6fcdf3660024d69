/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation: images through a model, its outputs through scores, scores into results. The network runs once over each
 * set, whatever the number of scores. */
#ifndef SFT_EVALUATE_H
#define SFT_EVALUATE_H

#include <signal.h>

#include "datasets/dataset.h"
#include "nn/model.h"
#include "ood/results.h"
#include "ood/score.h"

struct sft_evaluation {
    const struct sft_dataset *id;          /* borrowed, as all of this */
    const struct sft_dataset *const *sets; /* OOD sets, as in the results */
    const struct sft_score *const *scores; /* as in the results */
    struct sft_score_params params;
    int batch;                         /* images a pass */
    int workers;                       /* threads that decode; 0: as many as sft_parallel has */
    const volatile sig_atomic_t *stop; /* may be NULL */
    void (*progress)(void *context, const char *set, int64_t done, int64_t count); /* may be NULL */
    void *context;
};

/* Outputs of a model for every image of a set, in order. */
struct sft_collected {
    struct sft_outputs outputs; /* points into the arrays below */
    float *logits, *features;
    int32_t *labels; /* -1 where the set has none */
};

/* Runs the whole set. `needs` (SFT_NEEDS_...) says whether features are kept. Release with sft_collected_free.
 * SFT_DATA for a label that the model has no class for, SFT_INTERRUPTED when stopped. */
enum sft_status sft_collect(struct sft_model *model, const struct sft_dataset *set, const char *name,
                            const struct sft_evaluation *evaluation, unsigned needs,
                            struct sft_collected *collected) SFT_MUST_CHECK;
void sft_collected_free(struct sft_collected *collected);

/* Fills one model's part of `results`, which were made by sft_results_init for the same scores and sets. */
enum sft_status sft_evaluate(struct sft_model *model, const struct sft_evaluation *evaluation,
                             enum sft_results_model which, struct sft_results *results) SFT_MUST_CHECK;

#endif
