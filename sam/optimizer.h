/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Optimisers as descriptions. With g the gradient at w and q the one at the perturbed weights w + eps, an
 * optimiser is
 *
 *     a set S of parameters to perturb,
 *     a perturbation eps = rho * d / l of S, made from a vector v on S (enum sft_vector):
 *         d = T T v, l = |T v| + 1e-16, with T = 1 or a scale by element or layer (enum sft_adaptive);
 *         d = T sign(v), l = 1 where `sign` is set,
 *     which entries of it are kept (enum sft_selection),
 *     the gradient u that the descent uses (enum sft_mixture), and
 *     a base optimiser that moves w by u.
 *
 * Nothing else tells optimisers apart; the step they describe is built in one place (sam/programs.c). A new
 * one is a row in sam/optimizer.c.
 */
#ifndef SFT_SAM_OPTIMIZER_H
#define SFT_SAM_OPTIMIZER_H

#include <stdbool.h>
#include <stdint.h>

/* S. OWN, here and below, is what parameters say that leave the choice to the optimiser. */
enum sft_perturbed {
    SFT_PERTURB_OWN,
    SFT_PERTURB_ALL,  /* SAM, Foret et al. 2021 */
    SFT_PERTURB_NORM, /* the affine parameters of normalisation layers: SAM-ON, arXiv 2306.04226, and SFT */
    SFT_PERTURB_NO_NORM, /* all but the affine parameters of normalisation layers */
    SFT_PERTURB_HEAD,    /* the classifier */
    SFT_PERTURB_CONV,    /* the filters of convolutions */
    SFT_PERTURB_NOTHING, /* one pass; no choice of a user, who takes an optimiser without a perturbation */
};

/* v. */
enum sft_vector {
    SFT_VECTOR_GRADIENT, /* g */
    SFT_VECTOR_RANDOM,   /* normal numbers, drawn anew each step: a control experiment */

    /* Friendly-SAM (Li et al. 2024): g' = g - sigma m with a running mean m, which starts as g and goes on as
     * lambda m + (1 - lambda) g'. */
    SFT_VECTOR_NEW,
};

/* T (Kwon et al. 2021, ASAM; Mueller et al. 2023 on norm layers). Biases have T = 1 unless
 * `adaptive_biases`. */
enum sft_adaptive {
    SFT_ADAPTIVE_OWN,
    SFT_ADAPTIVE_NONE,    /* 1 */
    SFT_ADAPTIVE_ELEMENT, /* |w| + eta */
    SFT_ADAPTIVE_LAYER,   /* |p| (1 + eta), one number for a parameter tensor p */
};

/* Which entries of eps stay. With any but SFT_SELECT_ALL l is |T v| + 1e-7. */
enum sft_selection {
    SFT_SELECT_ALL,

    /* SSAM-F (Mi et al. 2022): the top 1 - sparsity by squared gradients of single ID images, summed over
     * some of the step's; chosen anew every so many steps; |T v| over all of S. */
    SFT_SELECT_FISHER,

    /* SSAM-D: a random start. Every so many steps the least live entries die and the dead ones with the
     * largest gradient take their places, at a rate that falls to 0 along half a cosine. */
    SFT_SELECT_DYNAMIC,

    /* ESAM (Du et al. 2022): whole tensors, each with probability beta; |T v| over those, and eps grows by
     * 1/beta. The second loss is that of the images, of either kind, whose loss the perturbation raised most.
     */
    SFT_SELECT_TENSORS,
};

/* u. Written so that q = g gives exactly g. */
enum sft_mixture {
    SFT_MIX_Q,    /* q */
    SFT_MIX_GSAM, /* q - alpha (g - (g.q/q.q) q): Zhuang et al. 2022 */

    /* Yue et al. 2023: decoupled, a base step by g, then w -= lr a (q - g), a = gamma/(1 - gamma); or
     * coupled, g + a (q - g). */
    SFT_MIX_WSAM,

    /* LookSAM (Liu et al. 2022): q every k-th step, which keeps h = q - (q.g/g.g) g; on the others
     * g + alpha (|g|/|h|) h. Each tensor by itself. */
    SFT_MIX_LOOK,
};

enum sft_descent { SFT_DESCENT_SGD, SFT_DESCENT_ADAM };

struct sft_optimizer {
    const char *name, *about;
    enum sft_perturbed perturbed;
    enum sft_descent descent;
    bool decoupled; /* Adam: weight decay as in AdamW */
    enum sft_vector vector;
    bool sign;
    enum sft_adaptive adaptive; /* OWN counts as NONE */
    enum sft_selection selection;
    enum sft_mixture mixture;
    double rho; /* usual value; 0: none of its own */
};

const struct sft_optimizer *sft_optimizer_at(int i);              /* NULL past the end */
const struct sft_optimizer *sft_optimizer_find(const char *name); /* NULL when there is none */

/* By what SSAM-D lets entries die; the least first. */
enum sft_ssam_score { SFT_SSAM_GRADIENT, SFT_SSAM_WEIGHT, SFT_SSAM_RANDOM };

/* What a user can choose, in words: in the order of the enum and up to a NULL. */
extern const char *const sft_perturbed_words[], *const sft_adaptive_words[], *const sft_ssam_score_words[];

/* Numbers that some optimisers have. */
struct sft_constants {
    float eta; /* of T */
    bool adaptive_biases;
    float gsam_alpha;
    int64_t look_every;
    float look_alpha;
    float wsam_gamma; /* below 1 */
    bool wsam_coupled;
    float friendly_sigma, friendly_lambda;
    float ssam_sparsity; /* share of S that is not perturbed */
    int64_t ssam_every;  /* steps between choices */
    int64_t ssam_samples;
    float ssam_drop; /* share of the live entries that die at the first refresh */
    enum sft_ssam_score ssam_score;
    float esam_beta, esam_gamma; /* share of the tensors, and of the images; gamma from 0.99 on: all */
};

/* Those of the papers, or of their code. */
struct sft_constants sft_constants_default(void);

#endif
