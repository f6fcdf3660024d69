/* SPDX-License-Identifier: Apache-2.0 */
/* How fast long work goes, and how long it will go on. */
#ifndef SFT_PACE_H
#define SFT_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* Of the piece of work that is going on. Starts from {0}. */
struct sft_pace {
    bool begun;
    int64_t first, done,
        total;    /* things that were done when it was first heard of, are done, are to be done */
    double start; /* seconds, when it was first heard of */
};

enum { SFT_PACE_TEXT = 80 };

/* Notes that `done` of `total` things are done at `now` (seconds), and puts what follows from it into text:
 * " (12.3 a second, 4 min 05 s left)", or " (41.0 s each, ...)" where it is slow, or "" in the first second
 * and where nothing more was done. Work with another total, or of which less is done than before, is other
 * work. */
const char *sft_pace_tell(struct sft_pace *pace, int64_t done, int64_t total, double now,
                          char text[SFT_PACE_TEXT]);

#endif
