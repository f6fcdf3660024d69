/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/watch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

void sft_watch_tell(const struct sft_watch *watch, int64_t done, int64_t total, const char *format, ...)
{
    char text[256];
    va_list args;
    if (!watch || !watch->progress) return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    watch->progress(watch->context, done, total, text);
}

void sft_watch_end(const struct sft_watch *watch)
{
    if (watch && watch->progress) watch->progress(watch->context, 0, 0, NULL);
}

const volatile sig_atomic_t *sft_watch_stop(const struct sft_watch *watch)
{
    return watch ? watch->stop : NULL;
}

bool sft_watch_stopped(const struct sft_watch *watch)
{
    const volatile sig_atomic_t *stop = sft_watch_stop(watch);
    return stop && *stop;
}

void sft_watch_images(void *watch, const char *set, int64_t done, int64_t count)
{
    sft_watch_tell(watch, done, count, "evaluating %s: %" PRId64 " of %" PRId64 " images", set, done, count);
}
