/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TRAINING_RUN_H
#define SFT_TRAINING_RUN_H

#include "tools/jobs/training.h"

/* One run, whole: begins the folder, or goes on with what is there, evaluates, trains, evaluates, ends the
 * folder, makes the report. */
enum sft_status sft_training_run(struct sft_training *training) SFT_MUST_CHECK;

#endif
