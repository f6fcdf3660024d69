/* SPDX-License-Identifier: Apache-2.0 */
/* The same fine-tuning from the same weights under several seeds, each in a run folder of its own:
 * FOLDER/seed-N. */
#ifndef SFT_SEED_RUNS_H
#define SFT_SEED_RUNS_H

#include "nn/model.h"

struct sft_seed_runs {
    const char *folder;
    int64_t first; /* seeds are first .. first + count - 1 */
    int count;
    struct sft_model *model; /* has the weights of the start whenever `run` is called, and at the end */

    /* Whether the run in `folder` is done, and left as it is. */
    enum sft_status (*is_done)(void *context, int64_t seed, const char *folder, bool *done);
    /* Does one run into `folder`. */
    enum sft_status (*run)(void *context, int64_t seed, const char *folder);
    void *context;
};

enum sft_status sft_seed_runs(const struct sft_seed_runs *runs) SFT_MUST_CHECK;

#endif
