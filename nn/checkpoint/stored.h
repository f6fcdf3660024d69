/* SPDX-License-Identifier: Apache-2.0 */
/* What checkpoint files hold: name -> type, shape, elements; and strings about the file. */
#ifndef SFT_NN_STORED_H
#define SFT_NN_STORED_H

#include <stdbool.h>
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
    SFT_STORED_I16,
    SFT_STORED_I8,
    SFT_STORED_U64,
    SFT_STORED_U32,
    SFT_STORED_U16,
    SFT_STORED_U8,
    SFT_STORED_BOOL,
    SFT_STORED_OTHER
};

/* A tensor where its file has it. Most lie packed: in row-major order, one element behind the other. A view
 * of a storage (PyTorch's channels_last, a transposed or an expanded tensor, NumPy's Fortran order) is
 * `strided`.
 */
struct sft_stored_tensor {
    const char *name;
    enum sft_stored_dtype dtype;
    struct sft_shape shape; /* a size may be 0 */
    const void *data;       /* the first element; not aligned */
    size_t bytes;           /* of all its elements, packed */
    bool big_endian;
    bool strided;
    int64_t stride[SFT_MAX_RANK]; /* of a strided one, in elements; none is negative */
};

struct sft_metadata {
    const char *key, *value;
};

/* The tensor's elements as float32 in row-major order (`out` has room for all). SFT_DATA for a type that
 * holds no numbers we read. */
enum sft_status sft_stored_read(const struct sft_stored_tensor *tensor, float *out) SFT_MUST_CHECK;

/* The tensor's elements in its own type, packed and little-endian: tensor->bytes of them. */
void sft_stored_pack(const struct sft_stored_tensor *tensor, uint8_t *out);

/* The name that safetensors has for the type. */
const char *sft_stored_dtype_str(enum sft_stored_dtype dtype);

/* Bytes of an element; 0 for SFT_STORED_OTHER. */
size_t sft_stored_dtype_size(enum sft_stored_dtype dtype);

/* Elements of a shape that may have sizes of 0; false where their bytes do not fit into 63 bits. */
bool sft_stored_count(const struct sft_shape *shape, size_t element, uint64_t *count);

#endif
