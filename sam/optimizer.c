/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/optimizer.h"

#include <stddef.h>
#include <string.h>

static const struct sft_optimizer optimizers[] = {
    {"sam-norm", "SAM that perturbs the normalisation layers only (SFT), SGD below", SFT_PERTURB_NORM, SFT_DESCENT_SGD,
     0},
    {"sam", "SAM on all parameters, SGD below", SFT_PERTURB_ALL, SFT_DESCENT_SGD, 0},
    {"sgd", "SGD with momentum", SFT_PERTURB_NOTHING, SFT_DESCENT_SGD, 0},
    {"adam", "Adam with coupled weight decay", SFT_PERTURB_NOTHING, SFT_DESCENT_ADAM, 0},
    {"adamw", "Adam with decoupled weight decay", SFT_PERTURB_NOTHING, SFT_DESCENT_ADAM, 1},
};

const struct sft_optimizer *sft_optimizer_at(int i)
{
    return i >= 0 && (size_t)i < sizeof(optimizers) / sizeof(optimizers[0]) ? &optimizers[i] : NULL;
}

const struct sft_optimizer *sft_optimizer_find(const char *name)
{
    for (int i = 0; sft_optimizer_at(i); i++)
        if (strcmp(optimizers[i].name, name) == 0) return &optimizers[i];
    return NULL;
}
