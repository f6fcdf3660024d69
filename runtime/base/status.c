/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/status.h"

#include <stdarg.h>

#include "runtime/base/log.h"

const char *sft_status_str(enum sft_status status)
{
    static const char *const words[] = {
        [SFT_OK] = "ok",
        [SFT_FAILED] = "failed",
        [SFT_USAGE] = "wrong usage",
        [SFT_DEVICE] = "no such device",
        [SFT_DATA] = "bad input data",
        [SFT_MEMORY] = "out of memory",
        [SFT_WRITE] = "could not write",
        [SFT_INTERRUPTED] = "interrupted",
    };
    if ((unsigned)status >= sizeof(words) / sizeof(words[0])) return "unknown status";
    return words[status];
}

enum sft_status sft_fail(enum sft_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sft_logv(SFT_LOG_ERROR, format, args);
    va_end(args);
    return status;
}
