/* SPDX-License-Identifier: Apache-2.0 */
/* The same at the size of CIFAR: small-table1 .. small-table8, and an end. */
#ifndef SFT_REPRODUCE_SMALL_H
#define SFT_REPRODUCE_SMALL_H

#include "tools/reproduce/tables.h"

extern const struct sft_table sft_small_tables[];

#endif
