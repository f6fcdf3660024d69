/* SPDX-License-Identifier: Apache-2.0 */
/* What torch.save() writes since PyTorch 1.6: a zip of a pickle and of each storage's bytes. */
#ifndef SFT_NN_CHECKPOINT_TORCH_ZIP_H
#define SFT_NN_CHECKPOINT_TORCH_ZIP_H

#include "nn/checkpoint/content.h"
#include "nn/checkpoint/format.h"

extern const struct sft_checkpoint_format sft_checkpoint_torch_zip;

/* Writes a state dict that torch.load(weights_only=True) takes. The metadata lie in a member of the zip that
 * PyTorch does not look at. */
extern const struct sft_checkpoint_writer sft_writer_torch_zip;

#endif
