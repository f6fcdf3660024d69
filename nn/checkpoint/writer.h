/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing checkpoints in the formats that others read.
 *
 * Each writer takes the tensors where a reader left them (strided, big-endian: they are packed on the way) or
 * where the caller has them, in the order given, and makes the file appear at once or not at all
 * (sft_file_write). The same input gives the same bytes.
 */
#ifndef SFT_NN_CHECKPOINT_WRITER_H
#define SFT_NN_CHECKPOINT_WRITER_H

#include "nn/checkpoint/content.h"

/* Writer number i, or NULL behind the last. */
const struct sft_checkpoint_writer *sft_checkpoint_writer_at(int i);

/* By its name, or by the ending of a file's name; NULL where there is none. */
const struct sft_checkpoint_writer *sft_checkpoint_writer_find(const char *name);
const struct sft_checkpoint_writer *sft_checkpoint_writer_of(const char *path);

#endif
