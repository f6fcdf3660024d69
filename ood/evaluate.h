/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation: images through a model, its outputs through scores, scores into results. The network runs once
 * over each set, whatever the number of scores. */
#ifndef SFT_EVALUATE_H
#define SFT_EVALUATE_H

#include <signal.h>
#include <stdbool.h>

#include "datasets/loader.h"
#include "nn/model.h"
#include "ood/results/results.h"
#include "ood/scores/score.h"
#include "runtime/base/npy.h"

enum { SFT_MAX_SCORERS = SFT_MAX_OUTPUTS_OF_PASS - SFT_OUTPUT_EXTRA };

struct sft_evaluation {
    const struct sft_dataset *id;          /* borrowed, as all members are */
    const struct sft_dataset *const *sets; /* OOD sets, as in the results */
    const struct sft_dataset
        *fit;                   /* images of the training kind, for the scores that need some; may be NULL */
    struct sft_scorer *scorers; /* as in the results, at most SFT_MAX_SCORERS; fitting fills statistics in */
    int n_scorers;
    int batch;                         /* images a pass at most */
    int workers;                       /* threads that decode; 0: as many as sft_parallel has */
    bool tolerant;                     /* sft_stream() goes on over damaged pictures, see sft_collected */
    const volatile sig_atomic_t *stop; /* may be NULL */
    void (*progress)(void *context, const char *set, int64_t done, int64_t count); /* may be NULL */
    void *context;
};

/* Sets mean, deviation and framing as the model wants its pictures; the size is the caller's. */
void sft_loader_as_model(struct sft_loader_params *params, const struct sft_model *model);

/* Outputs of a model for every image of a set, in order. */
struct sft_collected {
    struct sft_outputs outputs; /* points into the arrays below; `extra` is set by sft_collected_for */
    float *logits, *features;
    int32_t *labels; /* -1 where the set has none */
    /* Of a tolerant stream: (n) why an image could not be read, and its outputs are nothing; NULL for one
     * that could. NULL where all could. Borrowed. */
    char *const *failures;
    float *extras[SFT_MAX_SCORERS];
    int extra_widths[SFT_MAX_SCORERS];
};

/* Takes the outputs of a batch whose first image is number `first`; *more false ends the pass. */
typedef enum sft_status (*sft_batch_sink)(void *context, int64_t first, const struct sft_collected *batch,
                                          bool *more);

/* Runs the set batch by batch: logits, what the scorers append to the pass, and features where a scorer or
 * `needs` (SFT_NEEDS_...) asks for them. SFT_DATA for a picture that is damaged, SFT_INTERRUPTED when
 * stopped. */
enum sft_status sft_stream(struct sft_model *model, const struct sft_dataset *set, enum sft_images images,
                           const struct sft_evaluation *evaluation, unsigned needs, sft_batch_sink sink,
                           void *context) SFT_MUST_CHECK;

/* The same for the normalised images of an array (N, H, W, C) of the model's size, as floats of either size.
 * SFT_DATA where a value is none, too. */
enum sft_status sft_stream_array(struct sft_model *model, const struct sft_npy *array,
                                 const struct sft_evaluation *evaluation, unsigned needs, sft_batch_sink sink,
                                 void *context) SFT_MUST_CHECK;

/* The same for the whole set at once. Release with sft_collected_free. */
enum sft_status sft_collect(struct sft_model *model, const struct sft_dataset *set, enum sft_images images,
                            const char *name, const struct sft_evaluation *evaluation, unsigned needs,
                            struct sft_collected *collected) SFT_MUST_CHECK;
void sft_collected_free(struct sft_collected *collected);

/* The outputs as scorer number `scorer` wants to see them. */
struct sft_outputs sft_collected_for(const struct sft_collected *collected, int scorer);

/* A host copy of the model's classifier; release `weight` with sft_head_free. */
enum sft_status sft_head_read(const struct sft_model *model, struct sft_head *head) SFT_MUST_CHECK;
void sft_head_free(struct sft_head *head);

/* Takes those of n scorers out that are left out; gives how many stay. With `results`, out of these too. */
int sft_drop_left_out(struct sft_scorer *scorers, int n, struct sft_results *results);

/* Fits one scorer, or computes its scores; one that is optional is left out where that fails, with a word and
 * SFT_OK. */
enum sft_status sft_fit_or_leave_out(struct sft_scorer *scorer, const struct sft_outputs *outputs,
                                     const struct sft_head *head) SFT_MUST_CHECK;
enum sft_status sft_compute_or_leave_out(struct sft_scorer *scorer, const struct sft_outputs *outputs,
                                         const struct sft_head *head, float *scores) SFT_MUST_CHECK;

/* Fits every scorer that needs images of the training kind and has no statistics yet; the caller drops those
 * that were left out. SFT_USAGE where `fit` is NULL and one does. *seconds (may be NULL) is what it took. */
enum sft_status sft_evaluate_fit(struct sft_model *model, const struct sft_evaluation *evaluation,
                                 double *seconds) SFT_MUST_CHECK;

/* Fills one model's part of `results`, which were made by sft_results_init for the same scores and sets.
 * Scorers must have been fitted for this model. Those left out are dropped from scorers and results: there
 * are results->scores of them afterwards. SFT_DATA where none stays. */
enum sft_status sft_evaluate(struct sft_model *model, const struct sft_evaluation *evaluation,
                             enum sft_results_model which, struct sft_results *results) SFT_MUST_CHECK;

#endif
