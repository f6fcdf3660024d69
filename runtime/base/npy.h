/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NumPy's .npy files: arrays in C order, read where they lie, and written.
 *
 * Nothing that a file says is believed before it is checked against the bytes that are there.
 */
#ifndef SFT_NPY_H
#define SFT_NPY_H

#include "runtime/base/file.h"
#include "runtime/base/shape.h"

/* What such a file begins with. */
#define SFT_NPY_MAGIC "\x93NUMPY"

/* Types of values; floats are little-endian. */
enum sft_npy_type { SFT_NPY_U8, SFT_NPY_F32, SFT_NPY_F64 };

/* What a reader takes. */
struct sft_npy_wanted {
    unsigned types;         /* a bit 1 << type each */
    const char *type_words; /* for another type: "float32 and float64 are read" */
    int rank;
    const char *shape_words; /* for another shape: "images are (N, H, W, C)" */
};

/* An open file. */
struct sft_npy {
    struct sft_bytes file;
    enum sft_npy_type type;
    struct sft_shape shape;
    const uint8_t *values; /* sft_shape_count(&shape) of them, not aligned */
};

/* Opens a file of version 1 to 3 that holds what is wanted, and at least one value. SFT_DATA where it is
 * missing, damaged or holds something else. */
enum sft_status sft_npy_open(const char *path, const struct sft_npy_wanted *wanted,
                             struct sft_npy *npy) SFT_MUST_CHECK;
void sft_npy_close(struct sft_npy *npy);

/* Value i of the array, which holds floats of either size or bytes. */
double sft_npy_value(const struct sft_npy *npy, int64_t i);

/* Gives a copy of an array of one dimension and type float32: *n values, which the caller releases with
 * free(). Statuses as sft_npy_open(). */
enum sft_status sft_npy_read(const char *path, int64_t *n, float **values) SFT_MUST_CHECK;

/* Writes float32 values of that shape, atomically, in version 1.0. SFT_WRITE on failure. */
enum sft_status sft_npy_write(const char *path, const struct sft_shape *shape,
                              const float *values) SFT_MUST_CHECK;

#endif
