/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/inputs.h"

#include <string.h>

#include "nn/class_order.h"

enum sft_status sft_job_model_config(const struct sft_job_model *source, struct sft_model_config *config)
{
    if (source->mean.given != source->std.given)
        return sft_fail(SFT_USAGE, "--mean and --std belong together: give both, or none of them");
    *config = (struct sft_model_config){.name = source->variant,
                                        .gn_groups = source->gn_groups,
                                        .image_size = source->image_size,
                                        .pos_embed = source->pos_embed,
                                        .framing = source->framing,
                                        .class_order = source->class_order};
    memcpy(config->mean, source->mean.values, sizeof(config->mean));
    memcpy(config->std, source->std.values, sizeof(config->std));
    return SFT_OK;
}

enum sft_status sft_job_model_open(const struct sft_job_model *source, struct sft_model **model,
                                   struct sft_model **own)
{
    struct sft_model_config config;
    *own = NULL;
    *model = source->open;
    if (source->open) return SFT_OK;
    SFT_TRY(sft_job_model_config(source, &config));
    SFT_TRY(sft_model_open(source->device, source->weights, &config, own));
    *model = *own;
    return SFT_OK;
}

const char *sft_job_order_file(const struct sft_job_model *source)
{
    return source->class_order && !sft_class_order_is_word(source->class_order) ? source->class_order : NULL;
}

static void add_channels(const char *key, const float values[3], struct sft_json *json)
{
    sft_json_array(json, key);
    for (int c = 0; c < 3; c++) sft_json_real(json, NULL, (double)values[c]);
    sft_json_end(json);
}

void sft_job_note_input(const struct sft_model *model, struct sft_json *record)
{
    sft_json_object(record, "input");
    sft_json_integer(record, "image_size", model->image_size);
    sft_json_text(record, "resize", sft_resize_words[model->framing.resize]);
    sft_json_text(record, "interpolation", sft_filter_words[model->framing.interpolation]);
    sft_json_real(record, "crop", model->framing.crop);
    add_channels("mean", model->mean, record);
    add_channels("std", model->std, record);
    sft_json_end(record);
}

enum sft_status sft_open_set(const char *spec, int64_t limit, struct sft_dataset **set)
{
    SFT_TRY(sft_dataset_open(spec, set));
    if (limit) sft_dataset_limit(*set, limit);
    return SFT_OK;
}
