/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/models/families.h"

#include <string.h>

static const struct sft_variant *const families[] = {
#define SFT_FAMILY(name) sft_variants_##name,
#include "nn/models/families.def"
#undef SFT_FAMILY
};
enum { FAMILIES = sizeof(families) / sizeof(families[0]) };

const struct sft_variant *sft_model_variant(int i)
{
    for (int family = 0; family < FAMILIES; family++)
        for (const struct sft_variant *variant = families[family]; variant->name; variant++)
            if (i-- == 0) return variant;
    return NULL;
}

const struct sft_variant *sft_model_find(const char *name)
{
    const struct sft_variant *variant;
    for (int i = 0; (variant = sft_model_variant(i)); i++)
        if (strcmp(variant->name, name) == 0) return variant;
    return NULL;
}
