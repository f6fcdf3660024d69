/* SPDX-License-Identifier: Apache-2.0 */
/* The tensors of a file as another layout has them: other names, and views with their axes in another order.
 * No number is touched, so that types stay and the way back gives the same bytes. */
#ifndef SFT_NN_RENAME_H
#define SFT_NN_RENAME_H

#include "nn/layouts/match.h"

/* One tensor for each parameter of a match that fits, in the order of the parameters; those of the file that
 * belong to none, counters, are left out. Names point into `names`, for SFT_MAX_NAME bytes a parameter. */
void sft_layout_rename(const struct sft_match *match, const struct sft_layout *to,
                       struct sft_stored_tensor *tensors, char (*names)[SFT_MAX_NAME]);

#endif
