/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "runtime/base/visible.h"

static atomic_int log_level = SFT_LOG_INFO;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static sft_log_sink log_sink;
static void *log_context;

/* Where errors of this thread go. */
static _Thread_local struct {
    char *text;
    size_t size;
} caught;

static void to_stderr(enum sft_log_level level, const char *message)
{
    static const char *const words[] = {"error: ", "warning: ", "", "debug: "};
    fprintf(stderr, "sft-vk: %s%s\n", words[level], message);
}

void sft_log_set_level(enum sft_log_level level) { atomic_store(&log_level, (int)level); }

enum sft_log_level sft_log_get_level(void) { return (enum sft_log_level)atomic_load(&log_level); }

void sft_log_set_sink(sft_log_sink sink, void *context)
{
    pthread_mutex_lock(&log_lock);
    log_sink = sink;
    log_context = context;
    pthread_mutex_unlock(&log_lock);
}

void sft_log_catch(char *text, size_t size)
{
    caught.text = text;
    caught.size = size;
}

/* The first error of this thread, in its place. */
static void keep(const char *format, va_list args)
{
    if (!*caught.text) vsnprintf(caught.text, caught.size, format, args);
}

/* The message as it may be shown. Its memory belongs to the lock, and not to stacks, which may be small. */
static const char *compose(const char *format, va_list args)
{
    enum { LONGEST = 4096, SPELLED = 4 };
    static char message[LONGEST], shown[SPELLED * LONGEST];
    vsnprintf(message, sizeof(message), format, args);
    sft_visible(message, "", shown, sizeof(shown));
    return shown;
}

void sft_logv(enum sft_log_level level, const char *format, va_list args)
{
    const char *message;
    if (level == SFT_LOG_ERROR && caught.text) {
        keep(format, args);
        return;
    }
    if ((int)level > atomic_load(&log_level)) return;
    pthread_mutex_lock(&log_lock);
    message = compose(format, args);
    if (log_sink)
        log_sink(log_context, level, message);
    else
        to_stderr(level, message);
    pthread_mutex_unlock(&log_lock);
}

void sft_log(enum sft_log_level level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sft_logv(level, format, args);
    va_end(args);
}
