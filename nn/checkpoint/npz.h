/* SPDX-License-Identifier: Apache-2.0 */
/* What numpy.savez() and numpy.savez_compressed() write: a zip of .npy files. */
#ifndef SFT_NN_CHECKPOINT_NPZ_H
#define SFT_NN_CHECKPOINT_NPZ_H

#include "nn/checkpoint/content.h"
#include "nn/checkpoint/format.h"

extern const struct sft_checkpoint_format sft_checkpoint_npz;

/* Writes what numpy.load() reads, with the metadata in the zip's comment. bfloat16, which NumPy does not
 * have, becomes float32. */
extern const struct sft_checkpoint_writer sft_writer_npz;

#endif
