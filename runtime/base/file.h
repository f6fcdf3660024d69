/* SPDX-License-Identifier: Apache-2.0 */
/* Files: read whole, write atomically, hash. */
#ifndef SFT_FILE_H
#define SFT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/sha256.h"
#include "runtime/base/status.h"

/* The bytes of a file. */
struct sft_bytes {
    const uint8_t *data;
    size_t size;
    void *memory;              /* private: of a small file, which is read at once */
    struct sft_mapped *mapped; /* private: of a large one, which stays where it is */
};

/* Opens the regular file at `path`; pipes, devices and sockets are refused and not waited for. SFT_DATA when
 * it is missing, no regular file or unreadable, SFT_FAILED where too many files are open, SFT_MEMORY. */
enum sft_status sft_file_open(const char *path, struct sft_bytes *bytes) SFT_MUST_CHECK;
void sft_file_close(struct sft_bytes *bytes);

/* Whether nothing is at `path`. What is there and cannot be looked at is not absent. */
bool sft_file_is_absent(const char *path);

/* The first bytes of a regular file, up to `size` of them; how many there are, 0 for what cannot be read. */
size_t sft_file_head(const char *path, void *head, size_t size);

/* Bytes of a file that is not opened. SFT_DATA. */
enum sft_status sft_file_size(const char *path, size_t *size) SFT_MUST_CHECK;

/* Whether every large file was there to its end for as long as it was open. What somebody cuts off reads as
 * zeros; so whoever has used bytes of a file asks before he relies on them. SFT_DATA with a message that
 * names the file, from then on. */
enum sft_status sft_files_whole(void) SFT_MUST_CHECK;

/* Puts `size` bytes at `path` so that a reader (or a crash) sees the old file or the new one, never a part:
 * temporary file in the same folder, write, fsync, rename, fsync of the folder. A link at `path` is replaced
 * and not followed; what is no file, nor a link to one, is refused. SFT_WRITE on any failure; the old file is
 * then untouched and no temporary file stays. Those of writers that were killed are removed. */
enum sft_status sft_file_write(const char *path, const void *data, size_t size) SFT_MUST_CHECK;

/* The same for what is not in memory as one: `next` is called for one piece after the other, and gives one of
 * no bytes behind the last. A piece has to be there until the next call. */
struct sft_piece {
    const void *data;
    size_t size;
};
typedef enum sft_status (*sft_next_piece)(void *context, struct sft_piece *piece);
enum sft_status sft_file_write_pieces(const char *path, sft_next_piece next, void *context) SFT_MUST_CHECK;

/* Creates the folder `path` and those above it. SFT_WRITE where that fails. */
enum sft_status sft_make_folder(const char *path) SFT_MUST_CHECK;

/* SFT_WRITE where `path` is a link: what is written there would land at somebody else's. */
enum sft_status sft_refuse_link(const char *path) SFT_MUST_CHECK;

/* Creates the folders of `below` ("plots/energy") inside `folder`. None of them may be a link, whose target
 * is somebody else's: SFT_WRITE. */
enum sft_status sft_make_folder_in(const char *folder, const char *below) SFT_MUST_CHECK;

/* The SHA-256 of a file's content, as sft_sha256(); statuses as sft_file_open(). */
enum sft_status sft_file_sha256(const char *path, char hex[65]) SFT_MUST_CHECK;

#endif
