/* SPDX-License-Identifier: Apache-2.0 */
/* What a training step (sam/step.h) is told, and what it tells. */
#ifndef SFT_SAM_STEP_PARAMS_H
#define SFT_SAM_STEP_PARAMS_H

#include "runtime/ops.h"
#include "sam/optimizer.h"

/* Of the parameters of normalisation layers. BY_NAME: those whose names in the model's file hold "norm" or
 * "bn", which is how the code of SAM-ON finds them; batch norms that are numbers of a sequence
 * (downsample.1), and BiT's gn1, it leaves out. */
enum sft_norm_scope {
    SFT_SCOPE_ALL,
    SFT_SCOPE_NO_FINAL,
    SFT_SCOPE_WEIGHT_ONLY,
    SFT_SCOPE_BIAS_ONLY,
    SFT_SCOPE_BY_NAME
};
enum sft_trained { SFT_TRAIN_ALL, SFT_TRAIN_NORM, SFT_TRAIN_HEAD, SFT_TRAIN_LAST_BLOCK };
enum sft_first_loss { SFT_FIRST_FULL, SFT_FIRST_ID, SFT_FIRST_OOD };
enum sft_sam_empty { SFT_EMPTY_ERROR, SFT_EMPTY_SGD, SFT_EMPTY_ALL };

/* Their names in words, in the order of the enum and up to a NULL. */
extern const char *const sft_norm_scope_words[], *const sft_trained_words[];
extern const char *const sft_first_loss_words[], *const sft_sam_empty_words[];

/* The zero of every member is the documented default. */
struct sft_step_params {
    const struct sft_optimizer *optimizer;
    int n_id, n_ood; /* rows of a batch */
    float lambda;
    struct sft_row_loss_params loss;
    enum sft_perturbed perturbed;   /* OWN: the optimiser's */
    enum sft_adaptive adaptive;     /* OWN: the optimiser's */
    struct sft_constants constants; /* start from sft_constants_default() */
    enum sft_norm_scope scope;      /* which norm parameters the ascent perturbs */
    enum sft_trained trained;       /* which parameters the descent moves */
    enum sft_first_loss first;      /* loss of the ascent */
    enum sft_sam_empty empty;       /* what to do when norm layers are to be perturbed and there are none */
    bool same_mask;                 /* dropout masks of the ascent again in the descent */
    bool second_updates_bn;         /* the descent pass moves running statistics too */
    bool frozen_bn;                 /* both passes normalise with the running statistics */
    bool no_dropout;
    bool no_norm_decay; /* no weight decay for norm parameters */
    bool nesterov;
    bool separate; /* ID images and outliers in passes of their own, which batch norm tells apart */
    bool traced;   /* make sft_step_first_gradient whole, and sft_step_loss possible */

    /* m-sharpness (Foret et al. 2021, 4.1): the batch is cut into so many parts, each with a perturbation of
     * its own, and the descent is by the mean of their gradients. 0 is 1. */
    int parts;

    /* Micro-batches: each part (the batch, where there is one part) goes through the model in so many slices,
     * whose gradients are added up before they are used, which is the same step to rounding. Not with batch
     * norm that looks at the batch. 0: as many as `memory` asks for. */
    int slices;

    /* Bytes that the step may take on the device beside the model: what outlives a program, and temporary
     * values. It is met by slices and by computing values again in the gradient, whatever takes the least
     * time. 0: no limit. */
    uint64_t memory;
    /* As `memory`, but more is taken where it makes the step faster by more than a twentieth. 0: none. */
    uint64_t thrift;
};

/* How a step was planned. */
struct sft_step_plan {
    int slices, rows;            /* micro-batches of a part, and the rows of each; the last may have fewer */
    uint64_t model;              /* bytes: of its weights and buffers, which are there already */
    uint64_t state, batch;       /* bytes: of flat tensors (gradients, the optimiser's state); of images */
    uint64_t arena, arena_least; /* bytes of temporary values, and what they are at most at any moment */
    double seconds;              /* that the step may take on an ordinary machine (runtime/cost.h) */
    double flops, traffic;       /* of a step; bytes */
    double flops_again;          /* of these, what is computed again to save memory */
    int again;                   /* operations of a step that are */
};

/* Numbers that may differ from step to step. */
struct sft_step_rates {
    int64_t step, steps; /* of the run, 0 first; of how many, for SSAM-D */
    uint64_t seed;
    double lr, rho, momentum, weight_decay;
};

struct sft_step_result {
    double loss, loss_id, loss_ood; /* of the first pass: at w, before the perturbation */
    double grad_norm;               /* |q| over the trained parameters, at the perturbed point */

    /* |T v| (sam/optimizer.h), which for SAM is |g| over the perturbed set. With parts the mean of theirs; 0
     * without an ascent. */
    double perturb_norm;
};

#endif
