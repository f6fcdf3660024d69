/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a command line names to be written, against those that it names to be read. */
#ifndef SFT_PATHS_H
#define SFT_PATHS_H

#include "tools/cli/args.h"

/* SFT_USAGE where a file that an option would write is there already and is one that another option or an
 * operand reads, under this or another name, or a picture in a folder that one reads. */
enum sft_status sft_paths_check(const struct sft_args *args) SFT_MUST_CHECK;

#endif
