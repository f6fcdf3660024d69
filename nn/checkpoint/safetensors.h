/* SPDX-License-Identifier: Apache-2.0 */
/* The safetensors format: its reader, and the writer of every file of tensors that is made here. */
#ifndef SFT_NN_SAFETENSORS_H
#define SFT_NN_SAFETENSORS_H

#include "nn/checkpoint/content.h"
#include "nn/checkpoint/format.h"

extern const struct sft_checkpoint_format sft_checkpoint_safetensors;
extern const struct sft_checkpoint_writer sft_writer_safetensors;

/* Writes a safetensors file atomically: tensors in the order given, their bytes as they are. The same input
 * gives the same bytes. Names have to be unique. SFT_WRITE on failure. */
enum sft_status sft_safetensors_write(const char *path, const struct sft_stored_tensor *tensors,
                                      size_t n_tensors, const struct sft_metadata *metadata,
                                      size_t n_metadata) SFT_MUST_CHECK;

#endif
