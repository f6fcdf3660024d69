/* SPDX-License-Identifier: Apache-2.0 */
/* A file with a JSON object a line, one for each step of a run; a resumed run goes on with it. */
#ifndef SFT_LINES_H
#define SFT_LINES_H

#include <stdint.h>
#include <stdio.h>

#include "runtime/base/json.h"

struct sft_lines {
    const char *path; /* borrowed */
    FILE *file;
};

/* Opens the file for more lines behind the first `kept` ones; others are cut off. Close with
 * sft_lines_close(), which takes zeros. */
enum sft_status sft_lines_open(const char *path, int64_t kept, struct sft_lines *lines) SFT_MUST_CHECK;
void sft_lines_close(struct sft_lines *lines);

/* Writes what was made, in a line, and flushes; releases it in any case. SFT_WRITE, or what failed in it. */
enum sft_status sft_lines_write(struct sft_lines *lines, struct sft_json *object) SFT_MUST_CHECK;

/* Waits until the disk has all lines: before something is written there that counts on them. SFT_WRITE. */
enum sft_status sft_lines_sync(struct sft_lines *lines) SFT_MUST_CHECK;

/* All lines as one array: a new reference. */
enum sft_status sft_lines_read(const char *path, json_t **array) SFT_MUST_CHECK;

#endif
