/* SPDX-License-Identifier: Apache-2.0 */
/* Files that may be packed with gzip or xz (private to datasets/). */
#ifndef SFT_UNPACK_H
#define SFT_UNPACK_H

#include "runtime/base/file.h"

/* The unpacked bytes of a file. */
struct sft_unpacked {
    const uint8_t *data;
    size_t size;
    struct sft_bytes file; /* private: the mapping, when the file is not packed */
    uint8_t *memory;       /* private: the bytes, when it is */
};

/* Opens `path`, unpacking what starts as a gzip or xz file does. SFT_DATA when the file is missing, damaged,
 * cut off or unpacks to more than `limit` bytes. */
enum sft_status sft_unpack(const char *path, size_t limit, struct sft_unpacked *out) SFT_MUST_CHECK;
void sft_unpacked_free(struct sft_unpacked *unpacked);

#endif
