/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Large files, mapped, of which somebody else may cut off a part at any time. What is gone then reads as
 * zeros instead of ending the process with SIGBUS, and is noted. Private to runtime/base/file.c.
 */
#ifndef SFT_MAPPED_H
#define SFT_MAPPED_H

#include <stdbool.h>
#include <stddef.h>

struct sft_mapped;

/* Maps `size` bytes of the open file, which is kept open from then on, read-only; NULL with errno where that
 * fails (EMFILE: more than 256 of them). `path` is copied for messages. */
struct sft_mapped *sft_mapped_open(int file, const char *path, size_t size);
const void *sft_mapped_bytes(const struct sft_mapped *mapped);
void sft_mapped_close(struct sft_mapped *mapped);

/* The path of a file of which a part was missing while it was mapped, also of one that is closed; NULL where
 * there is none. Stays until the process ends. */
const char *sft_mapped_damaged(void);

#endif
