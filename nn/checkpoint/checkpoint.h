/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening checkpoint files.
 *
 * Readers look at bytes, never run anything that is in a file, and check every number before they use it: a
 * damaged or hostile file is SFT_DATA with a message that says what is wrong with which tensor.
 */
#ifndef SFT_NN_CHECKPOINT_H
#define SFT_NN_CHECKPOINT_H

#include "nn/checkpoint/format.h"

/* Opens a checkpoint; its format is found by looking at it. SFT_DATA when it is missing, damaged or of no
 * known format. */
enum sft_status sft_checkpoint_open(const char *path, struct sft_checkpoint **checkpoint) SFT_MUST_CHECK;
void sft_checkpoint_close(struct sft_checkpoint **checkpoint);

/* NULL when there is none. */
const struct sft_stored_tensor *sft_checkpoint_find(const struct sft_checkpoint *checkpoint,
                                                    const char *name);
const char *sft_checkpoint_metadata(const struct sft_checkpoint *checkpoint, const char *key);

/* The tensor that holds the parameter `name`, under its own name or another that published files have for it:
 * with "module." in front where every name of the file has it (PyTorch's data-parallel wrapper), and with
 * BiT's own "head.gn." for "before_head.gn.". NULL when there is none. */
const struct sft_stored_tensor *sft_checkpoint_find_parameter(const struct sft_checkpoint *checkpoint,
                                                              const char *name);

#endif
