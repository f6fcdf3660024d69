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

/* Opens a checkpoint; its format is found by looking at it: safetensors, a PyTorch file (zip, or of
 * before 1.6; also in a tar), a NumPy archive, the index of one in several files, or a folder of the Hugging
 * Face Hub with one of them. Of a PyTorch file with several dictionaries of tensors, "PATH#KEY" names one, as
 * "w.pth#model". SFT_DATA when it is missing, damaged or of no format that is read: the message names what it
 * is instead (nn/checkpoint/foreign.h). */
enum sft_status sft_checkpoint_open(const char *path, struct sft_checkpoint **checkpoint) SFT_MUST_CHECK;
void sft_checkpoint_close(struct sft_checkpoint **checkpoint);

/* The file that sft_checkpoint_open() opens under that path: without #KEY, and in a folder the weights. The
 * caller releases it with free(); NULL without memory. */
char *sft_checkpoint_file(const char *path);

/* SHA-256 of the file, of the bytes that are read here; of several files, that of the list of their hashes,
 * as `sha256sum INDEX PART... | sha256sum` prints it in their folder. */
enum sft_status sft_checkpoint_sha256(const struct sft_checkpoint *checkpoint, char hex[65]) SFT_MUST_CHECK;

/* NULL when there is none. */
const struct sft_stored_tensor *sft_checkpoint_find(const struct sft_checkpoint *checkpoint,
                                                    const char *name);
const char *sft_checkpoint_metadata(const struct sft_checkpoint *checkpoint, const char *key);

/* Whether the tensors came from a dictionary that has others or values beside them under that key. */
bool sft_checkpoint_has_key(const struct sft_checkpoint *checkpoint, const char *key);

/* Whether a tensor of this name is no part of a network: PyTorch's counters of batches and of averaged
 * models. */
bool sft_checkpoint_ignores(const char *name);

/* Whether the file at `path` is a checkpoint by its content, also of a kind or in a state that
 * sft_checkpoint_open() refuses with a message about it; or a folder with one. False where it cannot be
 * opened, and for kinds that data sets may begin like. */
bool sft_checkpoint_looks_like(const char *path);

#endif
