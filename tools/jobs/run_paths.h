/* SPDX-License-Identifier: Apache-2.0 */
/* Where things lie in a run folder, beside the files of ood/results/run_files.h. */
#ifndef SFT_RUN_PATHS_H
#define SFT_RUN_PATHS_H

#include <stdint.h>

#include "ood/results/run_files.h"

enum { SFT_RUN_PATH = 4096 };

/* At the top of the folder: what begins like this, what is told of the run, the lock, a run that is to take
 * the place of the folder's, and one that was stopped when that began. */
#define SFT_RUN_HIDDEN ".sft-vk-"
#define SFT_RUN_ABOUT_FILE SFT_RUN_HIDDEN "run.json"
#define SFT_RUN_LOCK_FILE SFT_RUN_HIDDEN "lock"
#define SFT_RUN_NEXT SFT_RUN_HIDDEN "next"
#define SFT_RUN_STOPPED SFT_RUN_HIDDEN "stopped"

/* "FOLDER/NAME", FOLDER alone where `name` is ""; returns path, "" where that is too long. */
const char *sft_run_file(const char *folder, const char *name, char path[SFT_RUN_PATH]);

/* What follows "FOLDER/" in a path; NULL where it does not begin so. */
const char *sft_run_below(const char *folder, const char *path);

/* Where the folder's unfinished run has its files; the folder itself where it is not to replace another one.
 */
const char *sft_run_place(const char *folder, char path[SFT_RUN_PATH]);

/* The file of the model that a training kept after `steps` steps; returns path, "" where that is too long. */
const char *sft_snapshot_file(const char *folder, int64_t steps, char path[SFT_RUN_PATH]);

#endif
