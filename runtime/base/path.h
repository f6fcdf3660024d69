/* SPDX-License-Identifier: Apache-2.0 */
/* Paths: joined here, however long they are. */
#ifndef SFT_PATH_H
#define SFT_PATH_H

#include "runtime/base/status.h"

/* "FOLDER/" and what `format` makes, in memory that the caller releases with free(); NULL, with a message,
 * without memory. */
char *sft_path_join(const char *folder, const char *format, ...) SFT_PRINTF(2, 3);

#endif
