/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of many short texts, which go away together (private to datasets/): a million names of files. */
#ifndef SFT_NAMES_H
#define SFT_NAMES_H

#include <stddef.h>

#include "runtime/base/status.h"

/* Starts from {0}. */
struct sft_names {
    struct sft_names_block *last;
};

/* A copy of the text; NULL, and a logged error, without memory. */
char *sft_names_copy(struct sft_names *names, const char *text);
void sft_names_free(struct sft_names *names);

#endif
