/* SPDX-License-Identifier: Apache-2.0 */
/* A model as the Hugging Face Hub has it: a folder with weights under a name of a few, and config.json. */
#ifndef SFT_NN_CHECKPOINT_HUB_H
#define SFT_NN_CHECKPOINT_HUB_H

#include "nn/checkpoint/format.h"

/* The weights in a folder, in memory that the caller releases with free(). SFT_DATA where there are none. */
enum sft_status sft_hub_find(const char *folder, char **file) SFT_MUST_CHECK;

/* Whether there are some. */
bool sft_hub_is(const char *folder);

/* Reads the config.json beside weights of such a name, if there is one. */
enum sft_status sft_hub_read_config(struct sft_checkpoint *checkpoint) SFT_MUST_CHECK;

#endif
