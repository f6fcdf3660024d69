/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the paper: table1 .. table8, and an end. */
#ifndef SFT_REPRODUCE_PAPER_H
#define SFT_REPRODUCE_PAPER_H

#include "tools/reproduce/tables.h"

extern const struct sft_table sft_paper_tables[];

#endif
