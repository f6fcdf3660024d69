/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/optimizer.h"

#include <stddef.h>
#include <string.h>

#include "runtime/base/nearest.h"
#include "runtime/base/words.h"

const char *const sft_perturbed_words[] = {"own", "all", "norm", "no-norm", "head", "conv", NULL};
const char *const sft_adaptive_words[] = {"own", "none", "element", "layer", NULL};
const char *const sft_ssam_score_words[] = {"gradient", "weight", "random", NULL};

SFT_ASSERT_WORDS(sft_perturbed_words, SFT_PERTURB_CONV);
SFT_ASSERT_WORDS(sft_adaptive_words, SFT_ADAPTIVE_LAYER);
SFT_ASSERT_WORDS(sft_ssam_score_words, SFT_SSAM_RANDOM);

static const struct sft_optimizer optimizers[] = {
    {"sam-norm", "SAM that perturbs the normalisation layers only (SFT)", .perturbed = SFT_PERTURB_NORM},
    {"sam", "SAM on all parameters", .perturbed = SFT_PERTURB_ALL},
    {"sgd", "SGD with momentum", .perturbed = SFT_PERTURB_NOTHING},
    {"adam", "Adam with coupled weight decay", .perturbed = SFT_PERTURB_NOTHING, .descent = SFT_DESCENT_ADAM},
    {"adamw", "Adam with decoupled weight decay", .perturbed = SFT_PERTURB_NOTHING,
     .descent = SFT_DESCENT_ADAM, .decoupled = true},
    {"asam", "SAM in proportion to each weight", .perturbed = SFT_PERTURB_ALL,
     .adaptive = SFT_ADAPTIVE_ELEMENT, .rho = 0.5},
    {"sam-linf", "SAM by rho along each gradient's sign", .perturbed = SFT_PERTURB_ALL, .sign = true},
    {"gsam", "SAM that also closes the gap to the perturbed loss", .perturbed = SFT_PERTURB_ALL,
     .mixture = SFT_MIX_GSAM},
    {"esam", "SAM on some tensors and the images it moves most", .perturbed = SFT_PERTURB_ALL,
     .selection = SFT_SELECT_TENSORS},
    {"looksam", "SAM every k-th step, its direction in between", .perturbed = SFT_PERTURB_ALL,
     .mixture = SFT_MIX_LOOK, .rho = 0.1},
    {"ssam-f", "SAM on the weights with most Fisher information", .perturbed = SFT_PERTURB_ALL,
     .selection = SFT_SELECT_FISHER},
    {"ssam-d", "SAM on a share of the weights that moves", .perturbed = SFT_PERTURB_ALL,
     .selection = SFT_SELECT_DYNAMIC},
    {"wsam", "SAM with a weight for the sharpness", .perturbed = SFT_PERTURB_ALL, .mixture = SFT_MIX_WSAM},
    {"friendly-sam", "SAM along what is new in the gradient", .perturbed = SFT_PERTURB_ALL,
     .vector = SFT_VECTOR_NEW},
    {"random", "a random perturbation of the same length", .perturbed = SFT_PERTURB_ALL,
     .vector = SFT_VECTOR_RANDOM},
};

const struct sft_optimizer *sft_optimizer_at(int i)
{
    return i >= 0 && (size_t)i < sizeof(optimizers) / sizeof(optimizers[0]) ? &optimizers[i] : NULL;
}

const struct sft_optimizer *sft_optimizer_find(const char *name)
{
    for (int i = 0; sft_optimizer_at(i); i++)
        if (sft_spells(name, strlen(name), optimizers[i].name)) return &optimizers[i];
    return NULL;
}

struct sft_constants sft_constants_default(void)
{
    return (struct sft_constants){.eta = 0.01f,
                                  .gsam_alpha = 0.4f,
                                  .look_every = 10,
                                  .look_alpha = 0.7f,
                                  .wsam_gamma = 0.9f,
                                  .friendly_sigma = 1.0f,
                                  .friendly_lambda = 0.9f,
                                  .ssam_sparsity = 0.5f,
                                  .ssam_every = 10,
                                  .ssam_samples = 128,
                                  .ssam_drop = 0.5f,
                                  .esam_beta = 0.6f,
                                  .esam_gamma = 0.5f};
}
