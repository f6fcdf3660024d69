/* SPDX-License-Identifier: Apache-2.0 */
/* Things as JSON, under a key (runtime/base/json.h): for run.json and for what commands print with --json. */
#ifndef SFT_NOTES_H
#define SFT_NOTES_H

#include "datasets/dataset.h"
#include "nn/model.h"
#include "runtime/base/json.h"
#include "runtime/device_info.h"

/* What `devices --json` lists, too. */
void sft_json_device(struct sft_json *json, const char *key, const struct sft_device_info *info);

/* "architecture", "image_size" and, of a model with position embeddings, "pos_embed": "file" where they are
 * for that size in its file, otherwise how they were made, and then in "pos_embed_from" the file's size. */
void sft_json_model(struct sft_json *json, const struct sft_model *model);

/* Spec, number of images and hash. Statuses as sft_dataset_hash(). */
enum sft_status sft_json_dataset(struct sft_json *json, const char *key,
                                 const struct sft_dataset *dataset) SFT_MUST_CHECK;

#endif
