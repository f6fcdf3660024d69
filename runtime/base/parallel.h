/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool of threads for loops over independent tasks.
 *
 * How a loop is cut into tasks must depend on the problem and never on the number of threads: then the result
 * is the same bits with one thread and with many. Threads wait without spinning, so that the machine stays
 * usable.
 */
#ifndef SFT_PARALLEL_H
#define SFT_PARALLEL_H

#include <stdint.h>

#include "runtime/base/status.h"

/* The most threads that can be had. */
enum { SFT_MAX_THREADS = 256 };

/* Does task `task` of a loop. `slot` (0 .. sft_parallel_threads()-1) names the thread, for scratch memory. */
typedef void (*sft_task)(void *context, int64_t task, int slot);

/* Sets the number of threads, the caller's included; 0 means sft_thread_cores(). Not while a loop runs. */
enum sft_status sft_parallel_set_threads(int threads) SFT_MUST_CHECK;
int sft_parallel_threads(void);

/* Runs tasks 0 .. count-1 and returns when all are done. From inside a task, or while another thread runs a
 * loop, the tasks run one after the other on the calling thread with slot 0; results do not differ. */
void sft_parallel_for(int64_t count, sft_task task, void *context);

/* Ends the pool's threads (for leak checkers); the next loop starts them again. */
void sft_parallel_shutdown(void);

#endif
