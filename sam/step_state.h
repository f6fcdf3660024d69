/* SPDX-License-Identifier: Apache-2.0 */
/* What a step holds: its tensors, its programs and what was decided for it. For sam/ alone. */
#ifndef SFT_SAM_STEP_STATE_H
#define SFT_SAM_STEP_STATE_H

#include "nn/model.h"
#include "runtime/program.h"
#include "sam/step_params.h"

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
    SFT_SLOT_CHOSEN,   /* ESAM: SFT_SLOT_KEPT spread over the elements */
    SFT_SLOT_SCORE,    /* SSAM-F */
    SFT_SLOT_MOVED,    /* the perturbed weights, between two programs: ESAM, slices */
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

    /* In slices, in place of the first two. Those of a slice add to sums. */
    SFT_COURSE_CLEAR,   /* sums to 0 */
    SFT_COURSE_FIRST,   /* a slice's loss and gradient at w */
    SFT_COURSE_BETWEEN, /* the same in LookSAM's steps in between */
    SFT_COURSE_PERTURB,
    SFT_COURSE_RANK,    /* ESAM: a slice's losses at the perturbed weights */
    SFT_COURSE_SECOND,  /* a slice's gradient there */
    SFT_COURSE_COMBINE, /* --sam-m: a part's u into the mean */
    SFT_COURSE_FINISH,
    SFT_COURSE_FINISH_BETWEEN,
    SFT_COURSES,
};

struct sft_step {
    struct sft_model *model;
    struct sft_step_params params;
    struct sft_optimizer how; /* the optimiser with what the parameters override */
    int64_t extent;           /* the perturbed set lies in the first so many weights */
    int n_id, n_ood;          /* rows of one part */
    int slices, rows;         /* of a part; rows of a slice, and so of a pass */
    struct sft_step_plan plan;
    struct sft_graph *graphs[SFT_COURSES];
    struct sft_planned planned[SFT_COURSES]; /* until the programs are made of them */
    struct sft_tensor *arena;                /* of all programs: one runs at a time */
    struct sft_program *programs[SFT_COURSES];
    struct sft_tensor *tensors[SFT_SLOTS];
    struct sft_tensor *states[SFT_SLOTS - SFT_SLOT_VELOCITY];
    int n_states;
    float *row_buffer, *second_buffer;   /* losses by row of the whole batch */
    float *weight_buffer, *first_buffer; /* row weights of the part, and those of its first pass */
    int32_t *label_buffer;               /* of the part */
    int32_t *target_buffer; /* what SFT_SLOT_LABELS holds: (groups, rows), or the labels themselves */
    const float *images;    /* of the last batch; borrowed from whoever runs the step */
    struct sft_step_rates last;
};

static inline bool sft_step_has_ascent(const struct sft_step *step)
{
    return step->how.perturbed != SFT_PERTURB_NOTHING;
}

static inline bool sft_step_has_parts(const struct sft_step *step) { return step->params.parts > 1; }

static inline bool sft_step_is_sliced(const struct sft_step *step) { return step->slices > 1; }

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

#endif
