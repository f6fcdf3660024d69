/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint in several files, which an index (NAME.index.json) lists. */
#ifndef SFT_NN_CHECKPOINT_SHARDS_H
#define SFT_NN_CHECKPOINT_SHARDS_H

#include "nn/checkpoint/format.h"

extern const struct sft_checkpoint_format sft_checkpoint_shards;

#endif
