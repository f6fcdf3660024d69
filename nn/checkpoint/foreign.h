/* SPDX-License-Identifier: Apache-2.0 */
/* What a file is that is no checkpoint we read, by its content: so that the message can name it. What
 * stands in for any kind of file (runtime/base/stand_in.h) is among it. */
#ifndef SFT_NN_FOREIGN_H
#define SFT_NN_FOREIGN_H

#include "runtime/base/stand_in.h"

/* NULL where nothing is known that looks like it. */
const struct sft_foreign *sft_foreign_find(const struct sft_bytes *file);

#endif
