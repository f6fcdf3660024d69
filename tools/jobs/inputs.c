/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/inputs.h"

#include <string.h>

enum sft_status sft_job_model_config(const struct sft_job_model *source, struct sft_model_config *config)
{
    if (source->mean.given != source->std.given)
        return sft_fail(SFT_USAGE, "--mean and --std belong together: give both, or none of them");
    *config = (struct sft_model_config){.name = source->variant,
                                         .gn_groups = source->gn_groups,
                                         .image_size = source->image_size,
                                         .pos_embed = source->pos_embed};
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

enum sft_status sft_open_set(const char *spec, int64_t limit, struct sft_dataset **set)
{
    SFT_TRY(sft_dataset_open(spec, set));
    if (limit) sft_dataset_limit(*set, limit);
    return SFT_OK;
}
