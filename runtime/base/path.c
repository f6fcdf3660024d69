/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/path.h"

#include <stdarg.h>

#include "runtime/base/text.h"

char *sft_path_join(const char *folder, const char *format, ...)
{
    struct sft_text path = {0};
    va_list args;
    sft_text_printf(&path, "%s/", folder);
    va_start(args, format);
    sft_text_vprintf(&path, format, args);
    va_end(args);
    if (path.status != SFT_OK) sft_text_free(&path);
    return path.data;
}
