/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of a fixed room, as members of structs that say what a job is to do. Texts are borrowed. */
#ifndef SFT_LISTS_H
#define SFT_LISTS_H

#include <stdbool.h>

enum { SFT_MAX_INTS = 16, SFT_MAX_TEXTS = 64, SFT_MAX_SETS = 64, SFT_SET_NAME = 64 };

struct sft_ints {
    int count;
    int values[SFT_MAX_INTS];
};

struct sft_texts {
    int count;
    const char *values[SFT_MAX_TEXTS];
};

/* A number for each of red, green and blue. */
struct sft_channels {
    bool given;
    float values[3];
};

/* Data sets and the names that results go by. */
struct sft_named_set {
    char name[SFT_SET_NAME];
    const char *spec;
};

struct sft_sets {
    int count;
    struct sft_named_set values[SFT_MAX_SETS];
};

#endif
