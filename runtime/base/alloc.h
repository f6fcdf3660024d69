/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host memory. Products of sizes are checked, and running out is a message and a NULL (or a status), never an
 * abort.
 */
#ifndef SFT_ALLOC_H
#define SFT_ALLOC_H

#include <stddef.h>

#include "runtime/base/status.h"

/* Zeroed array of `count` elements of `size` bytes; NULL and a logged error when it cannot be had. Release
 * with free(). Zero elements give a valid pointer that must not be read. */
void *sft_calloc(size_t count, size_t size);

/* A zeroed array as by sft_calloc, aligned to 64 bytes (a cache line, and the widest vector). Release with
 * free(). */
void *sft_calloc_aligned(size_t count, size_t size);

/* Grows the array at *array, which has room for *capacity elements of `size` bytes, so that it has room for
 * `needed`. The old elements are kept, new ones are zero. */
enum sft_status sft_grow(void *array, size_t *capacity, size_t needed, size_t size) SFT_MUST_CHECK;

char *sft_strdup(const char *text);

#endif
