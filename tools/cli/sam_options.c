/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/sam_options.h"

#include <stdio.h>

#include "runtime/base/nearest.h"
#include "tools/jobs/fit_run.h"

#define FIELD(member) offsetof(struct sft_fit_values, sam.member)
#define REAL(flag, member, first, least, most, text)                                                         \
    {                                                                                                        \
        flag, SFT_OPTION_REAL, FIELD(member), .value = "X", .fallback = first, .min = least, .max = most,    \
                                              .help = text                                                   \
    }
#define COUNT(flag, member, first, text)                                                                     \
    {                                                                                                        \
        flag, SFT_OPTION_INT, FIELD(member), .value = "N", .fallback = first, .min = 1, .max = 1e9,          \
                                             .help = text                                                    \
    }
#define CHOICE(flag, member, list, first, text)                                                              \
    {                                                                                                        \
        flag, SFT_OPTION_CHOICE, FIELD(member), .value = "WORD", .fallback = first, .choices = list,         \
                                                .help = text                                                 \
    }

static const char *const sets[] = {"own", "all", "norm", "no-norm", "head", "conv", NULL};
static const enum sft_perturbed set_values[] = {SFT_PERTURB_OWN,     SFT_PERTURB_ALL,  SFT_PERTURB_NORM,
                                                SFT_PERTURB_NO_NORM, SFT_PERTURB_HEAD, SFT_PERTURB_CONV};
static const char *const scales[] = {"own", "none", "element", "layer", NULL}; /* enum sft_adaptive */
static const char *const scores[] = {"gradient", "weight", "random", NULL};    /* enum sft_ssam_score */
static const char *const no_yes[] = {"no", "yes", NULL}, *const wsam_modes[] = {"decoupled", "coupled", NULL};

const struct sft_option sft_perturb_options[] = {
    CHOICE("perturb", perturb, sets, "own",
           "parameters that are perturbed: the optimiser's own set, all, those of "
           "normalisation layers, all others, the classifier's, convolutions' filters"),
    CHOICE("adaptive", adaptive, scales, "own",
           "scale of the perturbation: the optimiser's own, none, |w| + eta for each weight, or |p|(1 + eta) "
           "for each "
           "parameter tensor p"),
    REAL("eta", eta, "0.01", 0, 100, "of --adaptive"),
    CHOICE("adaptive-biases", adaptive_biases, no_yes, "no", "--adaptive for biases too"),
    {"sam-m", SFT_OPTION_INT, FIELD(parts), .value = "M", .fallback = "1", .min = 1, .max = 65536,
     .help =
         "cut each batch into M parts with a perturbation each, and descend by the mean of their gradients"},
    REAL("rho-floor", rho_floor, "1", 0, 1,
         "share of --rho that is left where the rate is lowest; between, rho is linear in the rate, as GSAM "
         "has it"),
    {0},
};

const struct sft_option sft_relative_options[] = {
    REAL("gsam-alpha", gsam_alpha, "0.4", 0, 1000, "gsam: weight of the gradient at right angles"),
    COUNT("look-k", look_k, "10", "looksam: every k-th step is one of SAM"),
    REAL("look-alpha", look_alpha, "0.7", 0, 1000, "looksam: weight of its direction in between"),
    REAL("wsam-gamma", wsam_gamma, "0.9", 0, 0.999, "wsam: the sharpness has the weight gamma/(1 - gamma)"),
    CHOICE("wsam-mode", wsam_mode, wsam_modes, "decoupled",
           "wsam: the sharpness in a step of its own, or in the mean"),
    REAL("friendly-sigma", friendly_sigma, "1", 0, 1000,
         "friendly-sam: how much of the mean gradient is taken away"),
    REAL("friendly-lambda", friendly_lambda, "0.9", 0, 0.9999,
         "friendly-sam: weight of the past in that mean"),
    REAL("ssam-sparsity", ssam_sparsity, "0.5", 0, 0.9999, "ssam: share of the set that is not perturbed"),
    COUNT("ssam-every", ssam_every, "10", "ssam: steps between choices of it"),
    COUNT("ssam-samples", ssam_samples, "128", "ssam-f: ID images of a step to choose by, at most"),
    REAL("ssam-drop", ssam_drop, "0.5", 0, 1,
         "ssam-d: share that is exchanged, at first; falls along a half cosine"),
    CHOICE("ssam-score", ssam_score, scores, "gradient", "ssam-d: what the entries that go have least of"),
    REAL("esam-beta", esam_beta, "0.6", 0.001, 1, "esam: share of the tensors that are perturbed"),
    REAL("esam-gamma", esam_gamma, "0.5", 0, 1,
         "esam: share of the images, those moved most, of the second pass"),
    {0},
};

const char *sft_optimizer_list(int i)
{
    static char line[256];
    const struct sft_optimizer *optimizer = sft_optimizer_at(i);
    if (!optimizer) return NULL;
    snprintf(line, sizeof(line), "%s: %s", optimizer->name, optimizer->about);
    return line;
}

enum sft_status sft_find_optimizer(const char *name, const struct sft_optimizer **optimizer)
{
    enum { MAX_OPTIMIZERS = 64 };
    const char *names[MAX_OPTIMIZERS] = {NULL}, *near;
    *optimizer = sft_optimizer_find(name);
    if (*optimizer) return SFT_OK;
    for (int i = 0; i < MAX_OPTIMIZERS - 1 && sft_optimizer_at(i); i++) names[i] = sft_optimizer_at(i)->name;
    near = sft_nearest(name, names);
    return sft_fail(SFT_USAGE, "--optimizer: there is none called \"%s\"%s%s; --help lists them", name,
                    near ? "; did you mean " : "", near ? near : "");
}

void sft_sam_params_init(const struct sft_sam_values *values, struct sft_step_params *params)
{
    params->perturbed = set_values[values->perturb];
    params->adaptive = (enum sft_adaptive)values->adaptive;
    params->parts = (int)values->parts;
    params->constants = (struct sft_constants){
        .eta = (float)values->eta,
        .adaptive_biases = values->adaptive_biases,
        .gsam_alpha = (float)values->gsam_alpha,
        .look_every = values->look_k,
        .look_alpha = (float)values->look_alpha,
        .wsam_gamma = (float)values->wsam_gamma,
        .wsam_coupled = values->wsam_mode,
        .friendly_sigma = (float)values->friendly_sigma,
        .friendly_lambda = (float)values->friendly_lambda,
        .ssam_sparsity = (float)values->ssam_sparsity,
        .ssam_every = values->ssam_every,
        .ssam_samples = values->ssam_samples,
        .ssam_drop = (float)values->ssam_drop,
        .ssam_score = (enum sft_ssam_score)values->ssam_score,
        .esam_beta = (float)values->esam_beta,
        .esam_gamma = (float)values->esam_gamma,
    };
}
