/* SPDX-License-Identifier: Apache-2.0 */
/* A run folder has one writer at a time: it holds a lock on a file in it, which ends with the process however
 * that ends. What a killed process leaves of the file is in nobody's way. */
#ifndef SFT_RUN_LOCK_H
#define SFT_RUN_LOCK_H

#include "runtime/base/status.h"

/* Locks the folder, which is there; *lock is -1 on failure, and on file systems without locks, where a
 * warning says so. SFT_USAGE where another process writes there, or another run of this one; SFT_WRITE. */
enum sft_status sft_run_lock(const char *folder, int *lock) SFT_MUST_CHECK;
void sft_run_unlock(const char *folder, int *lock);

#endif
