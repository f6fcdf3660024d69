/* SPDX-License-Identifier: Apache-2.0 */
/* What a fine-tuning came to, on stdout: for `finetune` and for those parts of `reproduce` that are one. */
#ifndef SFT_SHOW_H
#define SFT_SHOW_H

#include "tools/jobs/finetune.h"

/* Prints tables and the places of model and report, or all of it as one JSON object. SFT_WRITE. */
enum sft_status sft_show_finetune(const struct sft_finetune_result *result, const char *folder,
                                  bool json) SFT_MUST_CHECK;

#endif
