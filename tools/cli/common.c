/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/common.h"

#include <stdio.h>

#include "datasets/dataset.h"
#include "nn/model.h"
#include "runtime/base/parallel.h"
#include "runtime/open.h"
#include "tools/cli/terminal.h"

static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
static const char *const precisions[] = {"f32", NULL};

const struct sft_option sft_general_options[] = {
    {"json", SFT_OPTION_FLAG, offsetof(struct sft_common, json),
     .help = "the result on stdout as one JSON object"},
    {"quiet", SFT_OPTION_FLAG, offsetof(struct sft_common, quiet),
     .help = "warnings and errors only, no progress"},
    {"verbose", SFT_OPTION_FLAG, offsetof(struct sft_common, verbose),
     .help = "also what helps to look for a fault"},
    {"log", SFT_OPTION_CHOICE, offsetof(struct sft_common, log), .value = "LEVEL", .fallback = "info",
     .choices = levels, .environment = "SFT_VK_LOG", .help = "least weight of a message to be shown"},
    {"config", SFT_OPTION_TEXT, offsetof(struct sft_common, config), .value = "FILE",
     .help =
         "take settings from an INI file with the names of the options; flags and environment win over it"},
    {"no-color", SFT_OPTION_FLAG, offsetof(struct sft_common, no_color), .help = "no colour"},
    {0},
};

const struct sft_option sft_device_options[] = {
    {"device", SFT_OPTION_TEXT, offsetof(struct sft_common, device), .value = "NAME", .fallback = "auto",
     .environment = "SFT_VK_DEVICE",
     .help = "auto, cpu, vulkan, vulkan:N, an id of `sft-vk devices` or a part of a name; a device that is "
             "not there is an "
             "error"},
    {"precision", SFT_OPTION_CHOICE, offsetof(struct sft_common, precision), .value = "TYPE",
     .fallback = "f32", .choices = precisions, .help = "number format of the computation"},
    {"memory", SFT_OPTION_SIZE, offsetof(struct sft_common, memory), .value = "SIZE",
     .help = "most memory to use on the device, as 512M or 2G; otherwise what it has"},
    {"threads", SFT_OPTION_INT, offsetof(struct sft_common, threads), .value = "N", .fallback = "0", .min = 0,
     .max = SFT_MAX_THREADS, .environment = "SFT_VK_THREADS",
     .help = "CPU threads; 0 is one for each core that this process may use"},
    {0},
};

const char *sft_data_formats(int i) { return sft_dataset_format_help(i); }

const char *sft_model_list(int i)
{
    static char line[256];
    const struct sft_variant *variant = sft_model_variant(i);
    if (!variant) return NULL;
    snprintf(line, sizeof(line), "%s: %s", variant->name, variant->about);
    return line;
}

static enum sft_log_level wanted_level(const struct sft_common *common)
{
    if (common->verbose) return SFT_LOG_DEBUG;
    if (common->quiet) return SFT_LOG_WARNING;
    return (enum sft_log_level)common->log;
}

void sft_common_start(const struct sft_common *common)
{
    sft_terminal_init(wanted_level(common), !common->quiet, !common->no_color);
}

enum sft_status sft_common_open_device(const struct sft_common *common, struct sft_device **device)
{
    *device = NULL;
    SFT_TRY(sft_parallel_set_threads((int)common->threads));
    return sft_device_open(common->device, common->memory, device);
}

json_t *sft_device_json(const struct sft_device_info *info)
{
    json_t *json =
        json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:I, s:b, s:b, s:b, s:b, s:b}", "id", info->id,
                  "backend", info->backend, "index", info->index, "name", info->name, "kind", info->kind,
                  "driver", info->driver, "api", info->api, "memory", (json_int_t)info->memory, "fp16",
                  info->fp16, "bf16", info->bf16, "cooperative_matrix", info->cooperative_matrix,
                  "unified_memory", info->unified_memory, "usable", info->usable);
    if (!json) return NULL;
    json_object_set_new(json, "memory_free", info->free ? json_integer((json_int_t)info->free) : json_null());
    if (info->subgroup)
        json_object_set_new(json, "subgroup",
                            json_pack("{s:i, s:i, s:i}", "size", (int)info->subgroup, "min",
                                      (int)info->subgroup_min, "max", (int)info->subgroup_max));
    if (!info->usable) json_object_set_new(json, "reason", json_string(info->reason));
    return json;
}

const char *sft_bytes_str(uint64_t bytes, char *text)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    int unit = 0;
    for (; value >= 1024; unit++) value /= 1024;
    snprintf(text, 32, unit && value < 100 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text;
}
