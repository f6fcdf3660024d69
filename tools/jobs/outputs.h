/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a job is to write: looked at before it computes anything for them. */
#ifndef SFT_OUTPUTS_H
#define SFT_OUTPUTS_H

#include <stdbool.h>

#include "runtime/base/status.h"

/* Whether `where`, an option or a command for messages, may put a file at `path`. SFT_USAGE where a file is
 * there already and `overwrite` is not set; SFT_WRITE for what is there and no file, and where the folder is
 * missing or takes no files. */
enum sft_status sft_output_check(const char *where, const char *path, bool overwrite) SFT_MUST_CHECK;

#endif
