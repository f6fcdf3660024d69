/* SPDX-License-Identifier: Apache-2.0 */
/* What a reader of one file format does; checkpoint.c does the rest. */
#ifndef SFT_NN_CHECKPOINT_FORMAT_H
#define SFT_NN_CHECKPOINT_FORMAT_H

#include <stdbool.h>

#include "nn/checkpoint/checkpoint.h"

enum { SFT_MAX_TENSORS = 65536 };

struct sft_checkpoint_format {
    const char *name;
    /* Whether the file looks like this format, by its first bytes. */
    bool (*is)(const struct sft_bytes *file);
    /* Fills checkpoint->tensors (in any order) and ->metadata with pointers into `file`, which stays mapped,
     * and into memory that checkpoint->state holds. On failure `release` is called on what there is. */
    enum sft_status (*read)(struct sft_checkpoint *checkpoint, const struct sft_bytes *file);
    void (*release)(struct sft_checkpoint *checkpoint);
};

extern const struct sft_checkpoint_format sft_format_safetensors;

/* Bytes of an element; 0 for SFT_STORED_OTHER. */
size_t sft_stored_dtype_size(enum sft_stored_dtype dtype);

#endif
