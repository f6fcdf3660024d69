/* SPDX-License-Identifier: Apache-2.0 */
/* Names of files (private to datasets/). */
#ifndef SFT_PATHS_H
#define SFT_PATHS_H

#include <stdbool.h>

/* Does `text` end in `end`, letter case aside? */
bool sft_ends_with(const char *text, const char *end);

/* "a/b" in memory of its own; NULL (reported) when there is none. */
char *sft_join_path(const char *folder, const char *name);

#endif
