/* SPDX-License-Identifier: Apache-2.0 */
/* Making a zip of stored members in memory: the values of each are put straight into their place. */
#ifndef SFT_NN_CHECKPOINT_ZIP_WRITE_H
#define SFT_NN_CHECKPOINT_ZIP_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/status.h"

/* Members begin at multiples of this in the file, so that they can be mapped. */
enum { SFT_ZIP_ALIGNMENT = 64 };

struct sft_zip_entry;

/* Starts as {0}. */
struct sft_zip_writer {
    uint8_t *bytes; /* aligned to SFT_ZIP_ALIGNMENT */
    size_t size, room;
    struct sft_zip_entry *entries; /* private */
    size_t n, room_entries;
};

/* Makes room for members of `bytes` in all, `n` of them with names of at most `name` bytes, and a comment. */
enum sft_status sft_zip_reserve(struct sft_zip_writer *writer, size_t bytes, size_t n, size_t name,
                                size_t comment) SFT_MUST_CHECK;

/* Adds a member of `size` zeros, whose place *bytes is until the archive is freed. `name` is copied;
 * SFT_FAILED where there was not so much room made. */
enum sft_status sft_zip_add(struct sft_zip_writer *writer, const char *name, size_t size,
                            uint8_t **bytes) SFT_MUST_CHECK;

/* Adds the checksums, the list and the comment, and writes the file. SFT_WRITE, or SFT_FAILED where a name is
 * there twice. */
enum sft_status sft_zip_finish(struct sft_zip_writer *writer, const char *path, const char *comment,
                               size_t comment_size) SFT_MUST_CHECK;
void sft_zip_free(struct sft_zip_writer *writer);

#endif
