/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/format.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum sft_status sft_split_absent(struct sft_source *source, enum sft_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(source->absent, sizeof(source->absent), format, args);
    va_end(args);
    return status;
}

bool sft_ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcasecmp(text + length - tail, end) == 0;
}
