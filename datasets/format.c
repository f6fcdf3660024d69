/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/format.h"

#include <stdarg.h>
#include <stdio.h>

enum sft_status sft_split_absent(struct sft_source *source, enum sft_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(source->absent, sizeof(source->absent), format, args);
    va_end(args);
    return status;
}
