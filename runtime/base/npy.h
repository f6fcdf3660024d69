/* SPDX-License-Identifier: Apache-2.0 */
/* Score files: NumPy's .npy format, version 1.0, little-endian float32, one dimension. */
#ifndef SFT_NPY_H
#define SFT_NPY_H

#include <stdint.h>

#include "runtime/base/status.h"

/* SFT_WRITE on failure. */
enum sft_status sft_npy_write(const char *path, int64_t n, const float *values) SFT_MUST_CHECK;

/* Gives an array of *n values, which the caller releases with free(). SFT_DATA where the file is missing,
 * damaged or holds something else; nothing the file says is believed before it is checked. */
enum sft_status sft_npy_read(const char *path, int64_t *n, float **values) SFT_MUST_CHECK;

#endif
