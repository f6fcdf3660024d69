/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --config files: lines `name = value` with the names of the options, in sections [COMMAND] or before any; an
 * option that may be repeated stands on several lines. Comments are lines that start with # or ;.
 */
#ifndef SFT_CONFIG_H
#define SFT_CONFIG_H

#include "runtime/base/status.h"

struct sft_setting {
    const char *path;
    int line;
    const char *section;      /* "" before any */
    const char *name, *value; /* stay valid with the text */
};

typedef enum sft_status (*sft_config_apply)(void *context, const struct sft_setting *setting);

/* Calls `apply` for each setting of the file. *text takes the memory that names and values point into:
 * release with free(), in any case. SFT_DATA for a file that cannot be read, SFT_USAGE for a line that is
 * none of the above. */
enum sft_status sft_config_read(const char *path, sft_config_apply apply, void *context,
                                char **text) SFT_MUST_CHECK;

#endif
