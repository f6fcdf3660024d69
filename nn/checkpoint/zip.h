/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a zip archive in memory.
 *
 * The list at the end of the archive is what counts (NumPy writes no sizes before the members); ZIP64 is
 * known. Members that are stored stay where they are, deflated ones are inflated when they are asked for, and
 * all of them together take no more memory than a bomb must not have.
 */
#ifndef SFT_NN_CHECKPOINT_ZIP_H
#define SFT_NN_CHECKPOINT_ZIP_H

#include <stdbool.h>

#include "runtime/base/file.h"

struct sft_zip_member {
    const char *name;      /* a folder's ends in '/' */
    uint64_t packed, size; /* bytes in the archive, and of the member */
    uint64_t header;       /* where it begins */
    uint32_t crc;
    unsigned method;
    bool encrypted;
    bool checked;      /* private */
    uint8_t *inflated; /* private: owned */
};

struct sft_zip {
    const char *path; /* for messages; the caller's */
    const struct sft_bytes *file;
    struct sft_zip_member *members; /* sorted by name */
    size_t n;
    const uint8_t *comment;
    size_t comment_size;
    bool lenient;      /* a stored member with another checksum is a warning */
    char *names;       /* private */
    uint64_t inflated; /* private: bytes so far */
};

/* Whether the file begins as a zip, and whether its list is there, and names something with `part` in it. */
bool sft_zip_begins(const struct sft_bytes *file);
bool sft_zip_has_list(const struct sft_bytes *file);
bool sft_zip_mentions(const struct sft_bytes *file, const char *part);

/* Reads the list of an archive that stays where it is. SFT_DATA when it is damaged. */
enum sft_status sft_zip_open(const char *path, const struct sft_bytes *file,
                             struct sft_zip *zip) SFT_MUST_CHECK;
void sft_zip_close(struct sft_zip *zip);

/* NULL where there is none. */
struct sft_zip_member *sft_zip_find(const struct sft_zip *zip, const char *name);

/* The bytes of a member (only data and size are set), valid until the archive is closed. SFT_DATA when it is
 * damaged, encrypted, packed by another method, or inflates to more than can be meant. */
enum sft_status sft_zip_take(struct sft_zip *zip, struct sft_zip_member *member,
                             struct sft_bytes *bytes) SFT_MUST_CHECK;

#endif
