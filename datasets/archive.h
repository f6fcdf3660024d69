/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tars, plain or packed with gzip, xz, bzip2 or zstd (private to datasets/). Nothing else that libarchive
 * knows is tried: some of its packers are programs that it would look for in PATH and start.
 */
#ifndef SFT_ARCHIVE_H
#define SFT_ARCHIVE_H

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>

#include "runtime/base/file.h"

/* Calls take(context, archive, entry) for each member of the tar in `file`, which `path` names in messages,
 * until one fails. SFT_DATA where it is no tar, damaged or cut off; SFT_MEMORY. */
typedef enum sft_status (*sft_take_member)(void *context, struct archive *archive,
                                           struct archive_entry *entry);
enum sft_status sft_archive_each(const struct sft_bytes *file, const char *path, sft_take_member take,
                                 void *context) SFT_MUST_CHECK;

/* What a failure of libarchive means: SFT_MEMORY where it ran out of it, else SFT_DATA. With its message. */
enum sft_status sft_archive_fail(struct archive *archive, const char *path);

/* A member's name, and what a link leads to, as bytes, NULL where it has none: libarchive has those of a pax
 * header as UTF-8 and others as they are. */
const char *sft_archive_name(struct archive_entry *entry);
const char *sft_archive_hard_link(struct archive_entry *entry);
const char *sft_archive_symbolic_link(struct archive_entry *entry);

#endif
