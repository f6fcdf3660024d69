/* SPDX-License-Identifier: Apache-2.0 */
/* What a mistyped name was probably meant to be: the least number of letters inserted, left out, exchanged or
 * swapped.
 */
#ifndef SFT_NEAREST_H
#define SFT_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the first `length` bytes of `text` spell `name`, as people write names: case, blanks, hyphens and
 * underscores do not count. */
bool sft_spells(const char *text, size_t length, const char *name);

/* The nearest of the names considered so far. */
struct sft_guess {
    const char *text; /* what was typed */
    const char *name; /* borrowed from the caller; NULL: none is near */
    int distance;     /* of `name`; without one, the least that is too far */
};

/* For names that lie in no list: begin, consider each, read `name`. */
struct sft_guess sft_guess_begin(const char *text);
void sft_guess_consider(struct sft_guess *guess, const char *name);

/* The one of `names` (up to NULL) that `text` is most likely a slip of, or NULL when none is near. */
const char *sft_nearest(const char *text, const char *const *names);

#endif
