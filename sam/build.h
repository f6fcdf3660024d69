/* SPDX-License-Identifier: Apache-2.0 */
/* What the files share that build a step (sam/step.c) and decide for it. For sam/ alone. */
#ifndef SFT_SAM_BUILD_H
#define SFT_SAM_BUILD_H

#include "runtime/ops.h"
#include "sam/step.h"

/* The step's tensors. Flat ones are laid out like the model's weights. */
enum sft_slot {
    SFT_SLOT_IMAGES,
    SFT_SLOT_LABELS,
    SFT_SLOT_ROW_WEIGHTS,
    SFT_SLOT_FIRST_WEIGHTS, /* row weights of the ascent */
    SFT_SLOT_HYPER,
    SFT_SLOT_KEY,         /* of random numbers */
    SFT_SLOT_ROWS,        /* losses of the first pass */
    SFT_SLOT_SECOND_ROWS, /* losses at other weights: ESAM's ranking, sft_step_loss */
    SFT_SLOT_NORMS,       /* of the vector that perturbs, and of q */
    SFT_SLOT_KEPT,        /* ESAM: 1 for each parameter that is perturbed, else 0 */
    SFT_SLOT_ONE_IMAGE,   /* SSAM-F */
    SFT_SLOT_ONE_LABEL,
    SFT_SLOT_GRADIENT, /* flat from here on: q, or the mean of the parts' */
    SFT_SLOT_PART,     /* --sam-m: the gradient of one part */
    SFT_SLOT_ASCENT,   /* g on the perturbed set, or on that and all that trains; 0 elsewhere */
    SFT_SLOT_MIXED,    /* LookSAM: u of a step in between */
    SFT_SLOT_SET,      /* 1 in the perturbed set, else 0 */
    SFT_SLOT_SCALE,    /* T */
    SFT_SLOT_CHOSEN,   /* ESAM: SLOT_KEPT spread over the elements */
    SFT_SLOT_SCORE,    /* SSAM-F */
    SFT_SLOT_MOVED,    /* ESAM: the perturbed weights, between two programs */
    SFT_SLOT_VELOCITY, /* state from here on */
    SFT_SLOT_SECOND_MOMENT,
    SFT_SLOT_MEMORY, /* m of Friendly-SAM, h of LookSAM, the mask of SSAM */
    SFT_SLOTS,
};

enum sft_course {
    SFT_COURSE_MAIN,  /* the step, or the first part of it */
    SFT_COURSE_REST,  /* what follows it, or takes its place: ESAM, LookSAM, --sam-m */
    SFT_COURSE_SCORE, /* SSAM-F: one image's squared gradient */
    SFT_COURSE_LOSS,  /* sft_step_loss */
    SFT_COURSES,
};

struct sft_step {
    struct sft_model *model;
    struct sft_step_params params;
    struct sft_optimizer how; /* the optimiser with what the parameters override */
    int64_t extent;           /* the perturbed set lies in the first so many weights */
    int n_id, n_ood;          /* rows of a pass: of one part */
    struct sft_graph *graphs[SFT_COURSES];
    struct sft_program *programs[SFT_COURSES];
    struct sft_tensor *tensors[SFT_SLOTS];
    struct sft_tensor *states[SFT_SLOTS - SFT_SLOT_VELOCITY];
    int n_states;
    float *row_buffer, *second_buffer, *weight_buffer; /* by row of the whole batch */
    int32_t *label_buffer;                             /* likewise */
    int32_t *target_buffer; /* what SLOT_LABELS holds: (groups, rows), or the labels themselves */
};

static inline bool sft_step_has_ascent(const struct sft_step *step)
{
    return step->how.perturbed != SFT_PERTURB_NOTHING;
}

static inline bool sft_step_has_parts(const struct sft_step *step) { return step->params.parts > 1; }

/* LookSAM: the steps in between. */
static inline bool sft_step_has_between(const struct sft_step *step)
{
    return step->how.mixture == SFT_MIX_LOOK;
}

/* ESAM: the images are ranked. */
static inline bool sft_step_is_ranked(const struct sft_step *step)
{
    return step->how.selection == SFT_SELECT_TENSORS;
}

/* SSAM: there is a mask. */
static inline bool sft_step_chooses(const struct sft_step *step)
{
    return step->how.selection == SFT_SELECT_FISHER || step->how.selection == SFT_SELECT_DYNAMIC;
}

/* Labels that the loss takes of an image: one in each group. */
static inline int sft_step_labels_an_image(const struct sft_step *step)
{
    return step->model->groups ? step->model->groups->n : 1;
}

/* T is not 1. */
static inline bool sft_step_is_adaptive(const struct sft_step *step)
{
    return step->how.adaptive == SFT_ADAPTIVE_ELEMENT || step->how.adaptive == SFT_ADAPTIVE_LAYER;
}

/* ---- sam/programs.c ---- */

enum sft_status sft_step_build_programs(struct sft_step *step) SFT_MUST_CHECK;

/* A graph that is being built. */
struct sft_stage {
    struct sft_step *step;
    struct sft_graph *graph;
    struct sft_forward forward; /* of the next pass */
    sft_value weights;          /* w */
    sft_value slots[SFT_SLOTS]; /* SFT_NONE until asked for */
};

/* The tensor's value in this graph: one for all uses, so that reads and updates are seen in their order. */
sft_value sft_stage_slot(struct sft_stage *stage, enum sft_slot slot);

/* Elements first .. last-1 of a flat value. */
sft_value sft_stage_part(struct sft_stage *stage, sft_value flat, int64_t first, int64_t last);

/* A parameter's elements of a flat value. */
sft_value sft_stage_parameter(struct sft_stage *stage, sft_value flat, int i);

/* One of enum sft_hyper, as a tensor of shape (1). */
sft_value sft_stage_hyper(struct sft_stage *stage, enum sft_hyper which);

/* ---- sam/sets.c: which parameters ---- */

bool sft_step_ascends(const struct sft_step *step, int i); /* the first pass has a gradient for it */

/* Sets step->extent. SFT_USAGE when there is nothing to perturb and no word on what to do then. */
enum sft_status sft_step_resolve_sets(struct sft_step *step) SFT_MUST_CHECK;

/* Whether g is more than the perturbed set's, or v something else, so that SLOT_SET has to cut it. */
bool sft_step_cuts(const struct sft_step *step);

/* ---- sam/perturb.c ---- */

/* Appends w + rho d/l from SLOT_ASCENT. Elements 0 .. extent-1. */
sft_value sft_build_perturbation(struct sft_stage *stage);

/* ---- sam/descent.c ---- */

/* Appends u from SLOT_ASCENT and `q`, of a step with both passes; and of a LookSAM step that has only g. */
sft_value sft_build_mixture(struct sft_stage *stage, sft_value q);
sft_value sft_build_between(struct sft_stage *stage, sft_value g);

/* Appends the base optimiser's step by `u`, and what WSAM adds to it. */
void sft_build_update(struct sft_stage *stage, sft_value u);

/* ---- sam/select.c: what the host decides ---- */

/* ESAM: draws which tensors are perturbed in this step. */
enum sft_status sft_select_tensors(struct sft_step *step, const struct sft_step_rates *rates) SFT_MUST_CHECK;

/* ESAM: row weights of the second pass, from the losses before (row_buffer) and after (second_buffer). */
enum sft_status sft_select_rows(struct sft_step *step, const int32_t *labels) SFT_MUST_CHECK;

/* SSAM: the mask. Before a step: SSAM-F from the images it is given, SSAM-D the start; after it: SSAM-D. */
enum sft_status sft_select_before(struct sft_step *step, const struct sft_step_rates *rates,
                                  const float *images, const int32_t *labels) SFT_MUST_CHECK;
enum sft_status sft_select_after(struct sft_step *step, const struct sft_step_rates *rates) SFT_MUST_CHECK;

#endif
