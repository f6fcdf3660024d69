/* SPDX-License-Identifier: Apache-2.0 */
/* What a file is, by its first bytes and by its name (private to datasets/). */
#ifndef SFT_KINDS_H
#define SFT_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a file's beginning that are enough to tell. */
enum { SFT_HEAD = 512 };

/* Kinds of pictures. Those below SFT_PICTURES_READ are read; the others are known by name only. */
enum sft_picture_kind {
    SFT_PICTURE_NONE = -1,
    SFT_PNG,
    SFT_JPEG,
    SFT_WEBP,
    SFT_BMP,
    SFT_PNM,
    SFT_PICTURES_READ,
    SFT_GIF = SFT_PICTURES_READ,
    SFT_TIFF,
    SFT_HEIC,
    SFT_AVIF,
    SFT_JPEG_XL,
    SFT_JPEG_2000,
    SFT_RAW,
    SFT_PSD,
    SFT_OTHER_PICTURE,
    SFT_PICTURE_KINDS,
};

/* Those that are read, in words: "PNG, JPEG, ... and PNM". */
#define SFT_PICTURES_READ_WORDS "PNG, JPEG, WebP, BMP and PNM"

/* Is a picture of this kind read? Not NONE. */
bool sft_picture_is_read(enum sft_picture_kind kind);

/* "PNG". */
const char *sft_picture_name(enum sft_picture_kind kind);

/* By the first `size` bytes of a file, 0 where it is empty. */
enum sft_picture_kind sft_picture_by_content(const uint8_t *head, size_t size);

/* Does `text` end in `end`, letter case aside? */
bool sft_ends_with(const char *text, const char *end);

/* By the ending of a file's name, letter case aside. */
enum sft_picture_kind sft_picture_by_name(const char *name);

/* Is a file or folder of this name hidden, or one that systems leave behind (Thumbs.db, @eaDir, __MACOSX)?
 * `name` is its own, without the folders above it. */
bool sft_is_debris(const char *name);

/* Do these bytes begin the run.json of a run of sft-vk? */
bool sft_is_own_run(const uint8_t *head, size_t size);

#endif
