/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing checkpoints in the formats that others read.
 *
 * Each writer takes the tensors where a reader left them (strided, big-endian: they are packed on the way) or
 * where the caller has them, in the order given, and makes the file appear at once or not at all
 * (sft_file_write). The same input gives the same bytes.
 */
#ifndef SFT_NN_CHECKPOINT_WRITER_H
#define SFT_NN_CHECKPOINT_WRITER_H

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

/* Writer number i, or NULL behind the last. */
const struct sft_checkpoint_writer *sft_checkpoint_writer_at(int i);

/* By its name, or by the ending of a file's name; NULL where there is none. */
const struct sft_checkpoint_writer *sft_checkpoint_writer_find(const char *name);
const struct sft_checkpoint_writer *sft_checkpoint_writer_of(const char *path);

#endif
