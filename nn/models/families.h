/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_NN_FAMILIES_H
#define SFT_NN_FAMILIES_H

#include "nn/model.h"

#define SFT_FAMILY(name) extern const struct sft_variant sft_variants_##name[];
#include "nn/models/families.def"
#undef SFT_FAMILY

#endif
