/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program says: results on stdout; on stderr the log and progress: on a terminal one line that the
 * log does not tear, elsewhere a plain line now and then, for whoever reads the log of a job.
 */
#ifndef SFT_TERMINAL_H
#define SFT_TERMINAL_H

#include <stdbool.h>

#include "runtime/base/json.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "tools/jobs/watch.h"

/* Takes the log over. `progress` and `colour` are wishes: colour needs a terminal, and that NO_COLOR is
 * unset; lines of progress in a log are of the level SFT_LOG_INFO. */
void sft_terminal_init(enum sft_log_level level, bool progress, bool colour);

/* Drops messages while it is set: around a call whose failure is no failure. */
void sft_terminal_mute(bool mute);

/* Shows the text, with the pace and the time that is left (tools/cli/pace.h), as the line of progress: on a
 * terminal at most ten times a second (always when `done` equals `total`); in a log first after some seconds,
 * then at pauses that grow to a minute. */
void sft_progress(int64_t done, int64_t total, const char *format, ...) SFT_PRINTF(3, 4);

/* Takes the line away; before printing results. */
void sft_progress_end(void);

/* For jobs: their progress is that line, and the first signal stops them. */
struct sft_watch sft_terminal_watch(void);

/* Prints one line of a result on stdout, without what a terminal obeys (runtime/base/visible.h): names and
 * metadata may hold anything. Failures are kept for sft_terminal_finish(). */
void sft_print_line(const char *format, ...) SFT_PRINTF(1, 2);

/* Prints what was made on stdout and releases it. SFT_WRITE, or what failed in it. */
enum sft_status sft_print_json(struct sft_json *json) SFT_MUST_CHECK;

/* Flushes stdout at the end of the program. SFT_WRITE where something printed did not arrive, SFT_MEMORY
 * where a line could not be made. */
enum sft_status sft_terminal_finish(void) SFT_MUST_CHECK;

#endif
