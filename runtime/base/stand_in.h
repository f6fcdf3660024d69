/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the place of a file after a download or a copy that went wrong, by its content: so that a
 * message can name it, whatever the file was to be. */
#ifndef SFT_STAND_IN_H
#define SFT_STAND_IN_H

#include <stdbool.h>

#include "runtime/base/file.h"

struct sft_foreign {
    const char *what;   /* "a Git LFS pointer": so that FILE is that */
    const char *advice; /* what to do */
    bool sure;          /* no data set that is read begins like that */
};

/* NULL where nothing is known that looks like it. */
const struct sft_foreign *sft_stand_in_find(const struct sft_bytes *file);

/* The same of the first `size` bytes of a file at least, and only where it is sure. SFT_OK where there is
 * none, else SFT_DATA with a message that names it. */
enum sft_status sft_stand_in_refuse(const char *name, const void *head, size_t size) SFT_MUST_CHECK;

/* Does the file begin with this text? A byte order mark, blanks and letter case aside. */
bool sft_text_file_starts(const struct sft_bytes *file, const char *text);

#endif
