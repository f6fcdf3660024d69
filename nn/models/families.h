/* SPDX-License-Identifier: Apache-2.0 */
/* The list of all networks. */
#ifndef SFT_NN_FAMILIES_H
#define SFT_NN_FAMILIES_H

#include "nn/variant.h"

/* Variants, sorted by family; NULL past the end. */
const struct sft_variant *sft_model_variant(int i);
const struct sft_variant *sft_model_find(const char *name); /* NULL when there is none */

#endif
