/* SPDX-License-Identifier: Apache-2.0 */
/* What checkpoint files hold: name -> type, shape, bytes; and strings about the file. */
#ifndef SFT_NN_STORED_H
#define SFT_NN_STORED_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/base/shape.h"
#include "runtime/base/status.h"

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

/* The tensor's elements as float32 (`out` has room for all). SFT_DATA for a type that holds no numbers we
 * read. */
enum sft_status sft_stored_read(const struct sft_stored_tensor *tensor, float *out) SFT_MUST_CHECK;

/* The name that safetensors has for the type. */
const char *sft_stored_dtype_str(enum sft_stored_dtype dtype);

/* Bytes of an element; 0 for SFT_STORED_OTHER. */
size_t sft_stored_dtype_size(enum sft_stored_dtype dtype);

#endif
