/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the pictures of a set before they are needed: which of them are damaged, and why. */
#ifndef SFT_CHECK_H
#define SFT_CHECK_H

#include <signal.h>
#include <stdbool.h>

#include "datasets/dataset.h"

struct sft_bad_picture {
    int64_t image; /* its number in the set */
    char *why;     /* as one sentence that names it; owned */
};

/* In the order of their numbers. Starts as {0}; release with sft_bad_pictures_free(). */
struct sft_bad_pictures {
    struct sft_bad_picture *items;
    size_t n, capacity;
};
void sft_bad_pictures_free(struct sft_bad_pictures *bad);

struct sft_check {
    const struct sft_dataset *dataset;
    const bool *wanted;                /* (count) which images to read; NULL: all */
    const volatile sig_atomic_t *stop; /* may be NULL */
    void (*progress)(void *context, int64_t done, int64_t count); /* may be NULL */
    void *context;
};

/* Reads the images with all threads of sft_parallel and adds those that are damaged. Their messages are not
 * logged. SFT_INTERRUPTED when stopped, and what ends everything else too, such as SFT_MEMORY. */
enum sft_status sft_check_pictures(const struct sft_check *check,
                                   struct sft_bad_pictures *bad) SFT_MUST_CHECK;

/* Takes the bad pictures out of the set. SFT_DATA where none is left. */
enum sft_status sft_leave_out(struct sft_dataset *dataset, const struct sft_bad_pictures *bad) SFT_MUST_CHECK;

#endif
