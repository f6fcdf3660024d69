/* SPDX-License-Identifier: Apache-2.0 */
/* The principal subspace of training features around the classifier's origin, for ViM and Residual. Private
 * to ood/scores. */
#ifndef SFT_SUBSPACE_H
#define SFT_SUBSPACE_H

#include "ood/scores/rows.h"

/* Adds the statistics "origin" (width): u = -pinv(W) b, and "residual" (width - D, width): the eigenvectors
 * of the second moments of h - u behind the D largest. `dimension` 0: 1000 from 2048 features on, 512 from
 * 768 on, else half. SFT_USAGE where D leaves nothing, SFT_DATA for fewer images than features. */
enum sft_status sft_subspace_fit(const struct sft_score_input *in, int64_t dimension,
                                 struct sft_statistics *statistics) SFT_MUST_CHECK;

/* |R^T (h - u)| of image i. */
double sft_subspace_residual(const struct sft_score_input *in, const struct sft_statistics *statistics,
                             int64_t i);

#endif
