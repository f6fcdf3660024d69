/* SPDX-License-Identifier: Apache-2.0 */
/* The backends of this build: the rows of runtime/backends.def, in their order. */
#ifndef SFT_BACKENDS_H
#define SFT_BACKENDS_H

#include "runtime/backend.h"

extern const struct sft_backend *const sft_backends[];
extern const int sft_backend_count;

#endif
