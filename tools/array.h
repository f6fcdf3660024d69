/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays as `predict` takes and gives them: NumPy's .npy format. */
#ifndef SFT_ARRAY_H
#define SFT_ARRAY_H

#include <stdbool.h>

#include "runtime/base/file.h"
#include "runtime/base/shape.h"

/* An open array of rank 4 in C order; `data` is not aligned. */
struct sft_array {
    struct sft_bytes file;
    struct sft_shape shape;
    bool is_float; /* little-endian float32; otherwise uint8 */
    const uint8_t *data;
};

/* SFT_DATA for a file that is missing, damaged, or holds anything else. Nothing it says is believed before it
 * is checked. */
enum sft_status sft_array_open(const char *path, struct sft_array *array) SFT_MUST_CHECK;
void sft_array_close(struct sft_array *array);

/* Writes float32 values of that shape, atomically. SFT_WRITE. */
enum sft_status sft_array_write(const char *path, struct sft_shape shape, const float *values) SFT_MUST_CHECK;

#endif
