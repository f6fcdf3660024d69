/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoint files: name -> type, shape, bytes; and strings about the file.
 *
 * Readers look at bytes, never run anything that is in a file, and check every number before they use it: a
 * damaged or hostile file is SFT_DATA with a message that says what is wrong with which tensor.
 */
#ifndef SFT_NN_CHECKPOINT_H
#define SFT_NN_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/base/file.h"
#include "runtime/base/shape.h"

enum sft_stored_dtype {
    SFT_STORED_F32,
    SFT_STORED_F16,
    SFT_STORED_BF16,
    SFT_STORED_F64,
    SFT_STORED_I64,
    SFT_STORED_I32,
    SFT_STORED_U8,
    SFT_STORED_OTHER
};

struct sft_checkpoint_format;

struct sft_stored_tensor {
    const char *name;
    enum sft_stored_dtype dtype;
    struct sft_shape shape; /* a size may be 0 */
    const void *data;       /* little-endian, not aligned */
    size_t bytes;
};

struct sft_metadata {
    const char *key, *value;
};

struct sft_checkpoint {
    const char *path;
    struct sft_stored_tensor *tensors; /* sorted by name */
    size_t n_tensors;
    struct sft_metadata *metadata;
    size_t n_metadata;
    struct sft_bytes file;                      /* private */
    const struct sft_checkpoint_format *format; /* private */
    void *state;                                /* private: the format's */
};

/* Opens a checkpoint; its format is found by looking at it. SFT_DATA when it is missing, damaged or of no
 * known format.
 */
enum sft_status sft_checkpoint_open(const char *path, struct sft_checkpoint **checkpoint) SFT_MUST_CHECK;
void sft_checkpoint_close(struct sft_checkpoint **checkpoint);

/* NULL when there is none. */
const struct sft_stored_tensor *sft_checkpoint_find(const struct sft_checkpoint *checkpoint,
                                                    const char *name);
const char *sft_checkpoint_metadata(const struct sft_checkpoint *checkpoint, const char *key);

/* The tensor's elements as float32 (`out` has room for all). SFT_DATA for a type that holds no numbers we
 * read. */
enum sft_status sft_stored_read(const struct sft_stored_tensor *tensor, float *out) SFT_MUST_CHECK;
const char *sft_stored_dtype_str(enum sft_stored_dtype dtype);

/* Writes a safetensors file atomically: tensors in the order given, their bytes as they are. The same input
 * gives the same bytes. Names have to be unique. SFT_WRITE on failure. */
enum sft_status sft_safetensors_write(const char *path, const struct sft_stored_tensor *tensors,
                                      size_t n_tensors, const struct sft_metadata *metadata,
                                      size_t n_metadata) SFT_MUST_CHECK;

#endif
