/* SPDX-License-Identifier: Apache-2.0 */
/* What a reader of one file format does; checkpoint.c does the rest. */
#ifndef SFT_NN_CHECKPOINT_FORMAT_H
#define SFT_NN_CHECKPOINT_FORMAT_H

#include <stdbool.h>

#include "nn/checkpoint/stored.h"
#include "runtime/base/file.h"

enum { SFT_MAX_TENSORS = 65536, SFT_MAX_WRAPPER = 64 };

/* An open file. A reader fills in tensors and metadata. */
struct sft_checkpoint {
    const char *path;
    struct sft_stored_tensor *tensors; /* sorted by name once it is open */
    size_t n_tensors;
    struct sft_metadata *metadata;
    size_t n_metadata;
    /* What PyTorch's wrappers put before every name, as "module._orig_mod."; "" mostly. */
    char wrapper[SFT_MAX_WRAPPER];
    struct sft_bytes file;                      /* private */
    const struct sft_checkpoint_format *format; /* private */
    void *state;                                /* private: the format's */
};

struct sft_checkpoint_format {
    const char *name;
    /* Whether the file looks like this format, by its first bytes. */
    bool (*is)(const struct sft_bytes *file);
    /* Fills checkpoint->tensors (in any order) and ->metadata with pointers into `file`, which stays mapped,
     * and into memory that checkpoint->state holds. On failure `release` is called on what there is. */
    enum sft_status (*read)(struct sft_checkpoint *checkpoint, const struct sft_bytes *file);
    void (*release)(struct sft_checkpoint *checkpoint);
};

#endif
