/* SPDX-License-Identifier: Apache-2.0 */
/* What torch.save() wrote before PyTorch 1.6, and writes with _use_new_zipfile_serialization=False. */
#ifndef SFT_NN_CHECKPOINT_TORCH_LEGACY_H
#define SFT_NN_CHECKPOINT_TORCH_LEGACY_H

#include "nn/checkpoint/format.h"

extern const struct sft_checkpoint_format sft_checkpoint_torch_legacy;

#endif
