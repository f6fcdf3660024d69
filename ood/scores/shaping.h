/* SPDX-License-Identifier: Apache-2.0 */
/* What ASH and SCALE have in common: which features of an image are its largest. Private to ood/scores. */
#ifndef SFT_SHAPING_H
#define SFT_SHAPING_H

#include "ood/scores/rows.h"

/* Activation shaping of one image: of n features the k = n - round(n * percent / 100) largest are kept (half
 * to even; the first of equal ones). */
struct sft_shaping {
    int kept;            /* k */
    float least;         /* the smallest that is kept */
    int of_least;        /* how many that are equal to it are kept */
    double all, of_kept; /* sums of all features and of those that are kept */
};
struct sft_shaping sft_shaping_of(const float *features, int n, double percent, float *scratch);

/* Whether a feature is kept; asked once for each feature in order, it counts those equal to the least. */
bool sft_shaping_keeps(struct sft_shaping *shaping, float feature);

#endif
