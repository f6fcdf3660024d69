/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/hub_config.h"

#include <math.h>
#include <string.h>

#include "nn/models/families.h"
#include "runtime/base/json_parse.h"
#include "runtime/base/log.h"

/* The object in the file; *json is NULL where there is none. */
static enum sft_status parse(const struct sft_checkpoint *checkpoint, json_t **json)
{
    json_error_t error;
    *json = NULL;
    if (!checkpoint->config) return SFT_OK;
    *json = sft_json_parse(checkpoint->config, strlen(checkpoint->config), 0, &error);
    if (json_is_object(*json)) return SFT_OK;
    if (!*json && sft_json_lacks_memory(&error))
        return sft_fail(SFT_MEMORY, "%s: out of memory for config.json", checkpoint->path);
    sft_log(SFT_LOG_WARNING, "%s: the config.json beside it is no JSON object; it is left out",
            checkpoint->path);
    json_decref(*json);
    *json = NULL;
    return SFT_OK;
}

/* Three numbers of at least `least`; whether they are there. */
static bool read_channels(const json_t *array, double least, float values[3])
{
    if (json_array_size(array) != 3) return false;
    for (size_t c = 0; c < 3; c++) {
        double value = json_number_value(json_array_get(array, c));
        if (!json_is_number(json_array_get(array, c)) || !isfinite(value) || fabs(value) > 10 ||
            value < least)
            return false;
        values[c] = (float)value;
    }
    return true;
}

static void read_normalisation(const json_t *made, struct sft_hub_config *config)
{
    float mean[3], std[3];
    if (!read_channels(json_object_get(made, "mean"), -10, mean) ||
        !read_channels(json_object_get(made, "std"), 1e-6, std))
        return;
    memcpy(config->mean, mean, sizeof(mean));
    memcpy(config->std, std, sizeof(std));
}

static void read_framing(const json_t *made, struct sft_hub_config *config)
{
    const char *filter = json_string_value(json_object_get(made, "interpolation"));
    const char *mode = json_string_value(json_object_get(made, "crop_mode"));
    const double crop = json_number_value(json_object_get(made, "crop_pct"));
    for (int i = SFT_FILTER_BILINEAR; filter && sft_filter_words[i]; i++)
        if (strcmp(filter, sft_filter_words[i]) == 0) config->framing.interpolation = (enum sft_filter)i;
    if (mode && strcmp(mode, "squash") == 0) config->framing.resize = SFT_RESIZE_SQUASH;
    if (mode && strcmp(mode, "center") == 0) config->framing.resize = SFT_RESIZE_SHORT_SIDE;
    if (crop >= SFT_LEAST_CROP && crop <= 1) config->framing.crop = crop;
}

static void read_size(const json_t *made, struct sft_hub_config *config)
{
    const json_t *size = json_object_get(made, "input_size");
    const json_int_t height = json_integer_value(json_array_get(size, 1));
    if (json_array_size(size) == 3 && height > 0 && height <= 4096 &&
        height == json_integer_value(json_array_get(size, 2)))
        config->image_size = (int)height;
}

enum sft_status sft_hub_config_read(const struct sft_checkpoint *checkpoint, struct sft_hub_config *config)
{
    const struct sft_variant *variant;
    const char *name;
    json_t *json, *made;
    *config = (struct sft_hub_config){.architecture = NULL};
    SFT_TRY(parse(checkpoint, &json));
    name = json_string_value(json_object_get(json, "architecture"));
    variant = name ? sft_model_find(name) : NULL;
    if (variant) config->architecture = variant->name;
    made = json_object_get(json, "pretrained_cfg");
    read_normalisation(made, config);
    read_framing(made, config);
    read_size(made, config);
    json_decref(json);
    return SFT_OK;
}

enum sft_status sft_hub_config_labels(const struct sft_checkpoint *checkpoint, int classes,
                                      struct sft_class_names *names)
{
    enum sft_status status = SFT_OK;
    json_t *json, *labels;
    SFT_TRY(parse(checkpoint, &json));
    labels = json_object_get(json, "label_names");
    if (json_array_size(labels) == (size_t)classes) status = sft_class_names_from_json(labels, names);
    if (status == SFT_DATA) {
        sft_class_names_free(names);
        status = SFT_OK;
    }
    json_decref(json);
    return status;
}
