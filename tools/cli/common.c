/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/common.h"

#include <stdio.h>

#include "datasets/dataset.h"
#include "nn/model.h"
#include "runtime/base/parallel.h"
#include "runtime/base/words.h"
#include "runtime/open.h"
#include "tools/cli/terminal.h"

#define FIELD(member) SFT_FIELD(struct sft_common, member)

static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
SFT_ASSERT_WORDS(levels, SFT_LOG_DEBUG);
static const char *const precisions[] = {"f32", NULL};

const struct sft_option sft_general_options[] = {
    {"json", SFT_OPTION_FLAG, FIELD(json), .incidental = true,
     .help = "the result on stdout as one JSON object"},
    {"quiet", SFT_OPTION_FLAG, FIELD(quiet), .incidental = true,
     .help = "warnings and errors only, no progress"},
    {"verbose", SFT_OPTION_FLAG, FIELD(verbose), .incidental = true,
     .help = "also what helps to look for a fault"},
    {"log", SFT_OPTION_CHOICE, FIELD(log), .value = "LEVEL", .choices = levels, .environment = "SFT_VK_LOG",
     .incidental = true, .help = "least weight of a message to be shown"},
    {"config", SFT_OPTION_TEXT, FIELD(config), .value = "FILE", .incidental = true,
     .help =
         "take settings from an INI file with the names of the options; flags and environment win over it"},
    {"no-color", SFT_OPTION_FLAG, FIELD(no_color), .incidental = true, .help = "no colour"},
    {0},
};

const struct sft_option sft_device_options[] = {
    {"device", SFT_OPTION_TEXT, FIELD(device), .value = "NAME", .environment = "SFT_VK_DEVICE",
     .incidental = true,
     .help = "auto, cpu, vulkan, vulkan:N, an id of `sft-vk devices` or a part of a name; a device that is "
             "not there is an error"},
    {"precision", SFT_OPTION_CHOICE, FIELD(precision), .value = "TYPE", .choices = precisions,
     .help = "number format of the computation"},
    {"memory", SFT_OPTION_SIZE, FIELD(memory), .value = "SIZE", .incidental = true,
     .help =
         "most memory to use on the device, as 512M or 2G; otherwise what is free there. On the CPU it is "
         "for the whole process. A training step is cut into micro-batches and computes values again so "
         "that it fits; inspect --plan shows how"},
    {"threads", SFT_OPTION_INT, FIELD(threads), .value = "N", .min = 0, .max = SFT_MAX_THREADS,
     .environment = "SFT_VK_THREADS", .incidental = true,
     .help = "CPU threads; 0 is one for each core that this process may use"},
    {0},
};

void sft_common_init(struct sft_common *common)
{
    common->log = SFT_LOG_INFO;
    common->device = "auto";
}

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
    return common->log;
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

const char *sft_bytes_str(uint64_t bytes, char *text)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    int unit = 0;
    for (; value >= 1024; unit++) value /= 1024;
    snprintf(text, 32, unit && value < 100 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text;
}
