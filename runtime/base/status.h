/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statuses: what every function of sft-vk that can fail returns.
 *
 * The rule of the house: whoever detects a failure describes it once with sft_fail() (what, where, what to
 * do) and returns its status; everyone above only passes the status on. The values are the exit codes of the
 * program.
 */
#ifndef SFT_STATUS_H
#define SFT_STATUS_H

#include "runtime/base/attributes.h"

enum sft_status {
    SFT_OK = 0,
    SFT_FAILED = 1,      /* failed while running */
    SFT_USAGE = 2,       /* wrong usage: an option, a shape, a combination that makes no sense */
    SFT_DEVICE = 3,      /* the asked-for device is not there or fails its check */
    SFT_DATA = 4,        /* input data or a checkpoint is missing or damaged */
    SFT_MEMORY = 5,      /* out of memory, and no smaller plan exists */
    SFT_WRITE = 6,       /* could not write */
    SFT_INTERRUPTED = 7, /* a signal asked to stop; the program exits with 128 + the signal */
};

/* A word for the status ("out of memory"); never NULL. */
const char *sft_status_str(enum sft_status status);

/* Logs the message at error level and returns `status`, so that a failure is one line: return
 * sft_fail(SFT_DATA, ...).
 */
enum sft_status sft_fail(enum sft_status status, const char *format, ...) SFT_PRINTF(2, 3);

/* Passes a failure on to the caller. */
#define SFT_TRY(call)                                                                                        \
    do {                                                                                                     \
        enum sft_status try_status_ = (call);                                                                \
        if (try_status_ != SFT_OK) return try_status_;                                                       \
    } while (0)

/* Passes a failure on through the function's single exit: needs a variable `status` and a label `out`. */
#define SFT_TRY_OUT(call)                                                                                    \
    do {                                                                                                     \
        status = (call);                                                                                     \
        if (status != SFT_OK) goto out;                                                                      \
    } while (0)

#endif
