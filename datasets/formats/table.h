/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a data set format (private to datasets/). */
#ifndef SFT_FORMATS_TABLE_H
#define SFT_FORMATS_TABLE_H

#include <stddef.h>

#include "datasets/format.h"

/* Formats in the order of formats.def; NULL past the end. */
const struct sft_format *sft_format_at(int i);

/* The format whose name is the first `length` bytes of `name`; NULL when there is none. */
const struct sft_format *sft_format_find(const char *name, size_t length);

/* The names of all, with commas between. */
enum { SFT_FORMAT_NAMES = 256 };
void sft_format_names(char names[SFT_FORMAT_NAMES]);

/* The format of the file or folder at `path`, found by looking at it. SFT_DATA where nothing is there,
 * or what is to be unpacked first; SFT_USAGE where no format knows it. */
enum sft_status sft_format_look(const char *path, const struct sft_format **format) SFT_MUST_CHECK;

#endif
