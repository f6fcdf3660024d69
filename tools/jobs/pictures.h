/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pictures of a job's data sets, read before anything is computed: a damaged one is found in the first
 * minute and not in the last.
 */
#ifndef SFT_PICTURES_H
#define SFT_PICTURES_H

#include "datasets/dataset.h"
#include "datasets/loader.h"
#include "tools/jobs/watch.h"

/* Reads the pictures of `set` that may be damaged, with all threads. Where some are, names the first of them;
 * then, with `skip_bad`, takes them out of the set and says how many, else returns SFT_DATA. */
enum sft_status sft_pictures_check(struct sft_dataset *set, bool skip_bad,
                                   const struct sft_watch *watch) SFT_MUST_CHECK;

/* The same for those alone that trainings read in their steps from `set`, their ID images or their outliers:
 * `seeds` of them, with seeds from params->seed on. */
enum sft_status sft_pictures_check_for(const struct sft_loader_params *params, int seeds,
                                       struct sft_dataset *set, const struct sft_watch *watch) SFT_MUST_CHECK;

#endif
