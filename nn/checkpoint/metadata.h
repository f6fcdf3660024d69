/* SPDX-License-Identifier: Apache-2.0 */
/* The strings about a file, as a JSON object: safetensors has a place for them; a zip carries them where its
 * other readers do not look. */
#ifndef SFT_NN_CHECKPOINT_METADATA_H
#define SFT_NN_CHECKPOINT_METADATA_H

#include "nn/checkpoint/format.h"
#include "runtime/base/text.h"

/* The member of a PyTorch zip that holds them. */
#define SFT_METADATA_MEMBER "sft_vk_metadata.json"

/* Fills checkpoint->metadata. SFT_DATA where the bytes are no JSON object of strings. */
enum sft_status sft_metadata_read(struct sft_checkpoint *checkpoint,
                                  const struct sft_bytes *bytes) SFT_MUST_CHECK;

/* Appends the JSON object. */
enum sft_status sft_metadata_text(const struct sft_metadata *metadata, size_t n,
                                  struct sft_text *text) SFT_MUST_CHECK;

#endif
