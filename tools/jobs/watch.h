/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever waits for a job: hears how far it is, and may stop it. */
#ifndef SFT_WATCH_H
#define SFT_WATCH_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/status.h"

struct sft_watch {
    /* `done` of `total` things are done; `text` says it as a line for people. NULL for `text` says that
     * nothing is going on any more, as before results are printed. May be NULL. */
    void (*progress)(void *context, int64_t done, int64_t total, const char *text);
    void *context;
    const volatile sig_atomic_t *stop; /* not 0: save and return SFT_INTERRUPTED. May be NULL */
};

/* Calls watch->progress with a formatted line. Does nothing where `watch` is NULL. */
void sft_watch_tell(const struct sft_watch *watch, int64_t done, int64_t total, const char *format, ...)
    SFT_PRINTF(4, 5);
void sft_watch_end(const struct sft_watch *watch);

/* The flag that stops, NULL: none; and whether it does. */
const volatile sig_atomic_t *sft_watch_stop(const struct sft_watch *watch);
bool sft_watch_stopped(const struct sft_watch *watch);

/* For struct sft_evaluation, whose context is the watch: tells how many images of a set are done. */
void sft_watch_images(void *watch, const char *set, int64_t done, int64_t count);

#endif
