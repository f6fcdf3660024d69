/* SPDX-License-Identifier: Apache-2.0 */
/* What a checkpoint is written of, and what a writer of one format is. */
#ifndef SFT_NN_CHECKPOINT_CONTENT_H
#define SFT_NN_CHECKPOINT_CONTENT_H

#include "nn/checkpoint/stored.h"

/* What goes into a file. */
struct sft_checkpoint_content {
    const struct sft_stored_tensor *tensors; /* names are unique */
    size_t n_tensors;
    const struct sft_metadata *metadata; /* keys are unique; comes back from sft_checkpoint_metadata() */
    size_t n_metadata;
};

struct sft_checkpoint_writer {
    const char *name;    /* as `--format` has it: "safetensors", "npz", "pth" */
    const char *about;   /* who reads it */
    const char *endings; /* of file names, separated by blanks: ".pth .pt .bin .ckpt" */
    /* SFT_WRITE on failure; SFT_DATA for what the format cannot hold. */
    enum sft_status (*write)(const char *path, const struct sft_checkpoint_content *content);
};

#endif
