/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Optimisers as descriptions: what the ascent perturbs and how the descent updates. Nothing else tells them apart; the
 * step that they describe is built in one place (sam/step.c). A new one is a row in sam/optimizer.c.
 */
#ifndef SFT_SAM_OPTIMIZER_H
#define SFT_SAM_OPTIMIZER_H

enum sft_perturbed {
    SFT_PERTURB_NOTHING, /* one pass */
    SFT_PERTURB_NORM, /* the affine parameters of normalisation layers: SAM-ON, arXiv 2306.04226, and the paper of SFT
                       */
    SFT_PERTURB_ALL,  /* SAM, Foret et al. 2021 */
};

enum sft_descent { SFT_DESCENT_SGD, SFT_DESCENT_ADAM };

struct sft_optimizer {
    const char *name, *about;
    enum sft_perturbed perturbed;
    enum sft_descent descent;
    int decoupled; /* Adam: weight decay as in AdamW */
};

const struct sft_optimizer *sft_optimizer_at(int i);              /* NULL past the end */
const struct sft_optimizer *sft_optimizer_find(const char *name); /* NULL when there is none */

#endif
