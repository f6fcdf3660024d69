/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/notes.h"

static void add_subgroup(struct sft_json *json, const struct sft_device_info *info)
{
    sft_json_object(json, "subgroup");
    sft_json_integer(json, "size", info->subgroup);
    sft_json_integer(json, "min", info->subgroup_min);
    sft_json_integer(json, "max", info->subgroup_max);
    sft_json_end(json);
}

void sft_json_device(struct sft_json *json, const char *key, const struct sft_device_info *info)
{
    sft_json_object(json, key);
    sft_json_text(json, "id", info->id);
    sft_json_text(json, "backend", info->backend);
    sft_json_integer(json, "index", info->index);
    sft_json_text(json, "name", info->name);
    sft_json_text(json, "kind", info->kind);
    sft_json_text(json, "driver", info->driver);
    sft_json_text(json, "api", info->api);
    sft_json_integer(json, "memory", (int64_t)info->memory);
    sft_json_boolean(json, "fp16", info->fp16);
    sft_json_boolean(json, "bf16", info->bf16);
    sft_json_boolean(json, "cooperative_matrix", info->cooperative_matrix);
    sft_json_boolean(json, "unified_memory", info->unified_memory);
    sft_json_boolean(json, "usable", info->usable);
    if (info->free)
        sft_json_integer(json, "memory_free", (int64_t)info->free);
    else
        sft_json_null(json, "memory_free");
    if (info->subgroup) add_subgroup(json, info);
    if (!info->usable) sft_json_text(json, "reason", info->reason);
    sft_json_end(json);
}

void sft_json_model(struct sft_json *json, const struct sft_model *model)
{
    const bool own = model->native_size == model->image_size;
    sft_json_text(json, "architecture", model->variant->name);
    sft_json_integer(json, "image_size", model->image_size);
    if (!model->native_size) return;
    sft_json_text(json, "pos_embed", own ? "file" : sft_pos_embed_words[model->pos_embed]);
    if (!own) sft_json_integer(json, "pos_embed_from", model->native_size);
}

enum sft_status sft_json_dataset(struct sft_json *json, const char *key, const struct sft_dataset *dataset)
{
    char hash[65];
    SFT_TRY(sft_dataset_hash(dataset, hash));
    sft_json_object(json, key);
    sft_json_text(json, "spec", sft_dataset_spec(dataset));
    sft_json_integer(json, "images", sft_dataset_count(dataset));
    sft_json_text(json, "sha256", hash);
    sft_json_end(json);
    return SFT_OK;
}
