/* SPDX-License-Identifier: Apache-2.0 */
/* `finetune` for other commands. */
#ifndef SFT_FINETUNE_H
#define SFT_FINETUNE_H

#include "datasets/dataset.h"
#include "nn/model.h"
#include "tools/cli/args.h"

/* Fine-tunes `model`, which was read from --weights, on `id`, which --id names, as `args`, parsed for
 * sft_command_finetune, say; into the folder --out, as the command does, but without evaluation, report and
 * output. */
enum sft_status sft_finetune_model(const struct sft_args *args, struct sft_device *device,
                                   struct sft_model *model, struct sft_dataset *id) SFT_MUST_CHECK;

#endif
