/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/paths.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "runtime/base/alloc.h"

bool sft_ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcasecmp(text + length - tail, end) == 0;
}

char *sft_join_path(const char *folder, const char *name)
{
    size_t length = strlen(folder) + strlen(name) + 2;
    char *path = sft_calloc(length, 1);
    if (path) snprintf(path, length, "%s/%s", folder, name);
    return path;
}
