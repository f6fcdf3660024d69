/* SPDX-License-Identifier: Apache-2.0 */
/* A program with other backends compiles this file with a list of its own as SFT_BACKENDS_DEF and puts the
 * object before the library. */
#include "runtime/backends.h"

#ifndef SFT_BACKENDS_DEF
#define SFT_BACKENDS_DEF "runtime/backends.def"
#endif

#define SFT_BACKEND(name) extern const struct sft_backend sft_##name##_backend;
#include SFT_BACKENDS_DEF
#undef SFT_BACKEND

const struct sft_backend *const sft_backends[] = {
#define SFT_BACKEND(name) &sft_##name##_backend,
#include SFT_BACKENDS_DEF
#undef SFT_BACKEND
};

const int sft_backend_count = (int)(sizeof(sft_backends) / sizeof(sft_backends[0]));
