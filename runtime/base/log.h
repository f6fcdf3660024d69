/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one sink for the process, stderr unless a program sets another. A level says what follows from a
 * message: an error means that something asked for was not done; a warning, that it was done but deserves a
 * look; info is what a user wants to know once; debug is for people who look for a fault.
 */
#ifndef SFT_LOG_H
#define SFT_LOG_H

#include <stdarg.h>
#include <stddef.h>

#include "runtime/base/attributes.h"

enum sft_log_level { SFT_LOG_ERROR, SFT_LOG_WARNING, SFT_LOG_INFO, SFT_LOG_DEBUG };

/* Receives one whole message: one line without its end, in which control characters and bytes that are no
 * UTF-8 are spelled (runtime/base/visible.h). Called under a lock, from any thread; may not log. */
typedef void (*sft_log_sink)(void *context, enum sft_log_level level, const char *message);

/* Messages above `level` are dropped. The default is SFT_LOG_INFO. */
void sft_log_set_level(enum sft_log_level level);
enum sft_log_level sft_log_get_level(void);

/* Sends messages to `sink` from now on; NULL goes back to stderr. */
void sft_log_set_sink(sft_log_sink sink, void *context);

/* Catches the errors of the calling thread: from now on they are not logged, and the first of them goes into
 * text[size], cut to the room; NULL ends it. For those whose failure is one among many. */
void sft_log_catch(char *text, size_t size);

void sft_log(enum sft_log_level level, const char *format, ...) SFT_PRINTF(2, 3);
void sft_logv(enum sft_log_level level, const char *format, va_list args);

#endif
