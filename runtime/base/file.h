/* SPDX-License-Identifier: Apache-2.0 */
/* Files: read whole, write atomically, hash. */
#ifndef SFT_FILE_H
#define SFT_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/base/sha256.h"
#include "runtime/base/status.h"

/* The bytes of a file, mapped read-only where the system can. */
struct sft_bytes {
    const uint8_t *data;
    size_t size;
    void *mapping; /* private */
};

/* Maps the regular file at `path`. SFT_DATA when it is missing, no regular file or unreadable. */
enum sft_status sft_file_open(const char *path, struct sft_bytes *bytes) SFT_MUST_CHECK;
void sft_file_close(struct sft_bytes *bytes);

/* Puts `size` bytes at `path` so that a reader (or a crash) sees the old file or the new one, never a part:
 * temporary file in the same folder, write, fsync, rename, fsync of the folder. SFT_WRITE on any failure; the
 * old file is then untouched and no temporary file stays. */
enum sft_status sft_file_write(const char *path, const void *data, size_t size) SFT_MUST_CHECK;

/* Creates the folder `path` and those above it. SFT_WRITE where that fails. */
enum sft_status sft_make_folder(const char *path) SFT_MUST_CHECK;

/* The SHA-256 of a file's content, as sft_sha256(); statuses as sft_file_open(). */
enum sft_status sft_file_sha256(const char *path, char hex[65]) SFT_MUST_CHECK;

#endif
