/* SPDX-License-Identifier: Apache-2.0 */
/* Things as JSON, under a key (runtime/base/json.h): for run.json and for what commands print with --json. */
#ifndef SFT_NOTES_H
#define SFT_NOTES_H

#include "datasets/dataset.h"
#include "runtime/base/json.h"
#include "runtime/device_info.h"

/* What `devices --json` lists, too. */
void sft_json_device(struct sft_json *json, const char *key, const struct sft_device_info *info);

/* Spec, number of images and hash. Statuses as sft_dataset_hash(). */
enum sft_status sft_json_dataset(struct sft_json *json, const char *key,
                                 const struct sft_dataset *dataset) SFT_MUST_CHECK;

#endif
