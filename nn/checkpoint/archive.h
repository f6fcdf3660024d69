/* SPDX-License-Identifier: Apache-2.0 */
/* Archives around checkpoints: a tar of one is read as that one, a zip is told with what is in it. */
#ifndef SFT_NN_CHECKPOINT_ARCHIVE_H
#define SFT_NN_CHECKPOINT_ARCHIVE_H

#include "nn/checkpoint/format.h"

extern const struct sft_checkpoint_format sft_checkpoint_tar, sft_checkpoint_zip;

#endif
