/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/open.h"
#include "tools/cli/common.h"
#include "tools/cli/terminal.h"
#include "tools/jobs/notes.h"

struct devices {
    struct sft_common common;
};

static void print_device(const struct sft_device_info *info)
{
    char memory[32], free_memory[32];
    sft_print_line("%s  %s", info->word, info->name);
    sft_print_line("    id       %s", info->id);
    sft_print_line("    kind     %s%s", info->kind,
                   info->unified_memory ? ", memory shared with the host" : "");
    sft_print_line("    driver   %s (%s)", info->driver, info->api);
    sft_bytes_str(info->memory, memory);
    sft_bytes_str(info->free, free_memory);
    if (info->free)
        sft_print_line("    memory   %s, %s free", memory, free_memory);
    else
        sft_print_line("    memory   %s", memory);
    sft_print_line("    has      fp16 %s, bf16 %s, cooperative matrix %s", info->fp16 ? "yes" : "no",
                   info->bf16 ? "yes" : "no", info->cooperative_matrix ? "yes" : "no");
    if (info->subgroup)
        sft_print_line("    subgroup %u (%u to %u)", info->subgroup, info->subgroup_min, info->subgroup_max);
    sft_print_line("    usable   %s%s", info->usable ? "yes" : "no: ", info->usable ? "" : info->reason);
}

static enum sft_status print_json(const struct sft_device_info *list, int count)
{
    struct sft_json json = {0};
    sft_json_object(&json, NULL);
    sft_json_array(&json, "devices");
    for (int i = 0; i < count; i++) sft_json_device(&json, NULL, &list[i]);
    sft_json_end(&json);
    sft_json_end(&json);
    return sft_print_json(&json);
}

static enum sft_status run(const struct sft_args *args)
{
    const struct devices *options = args->values;
    struct sft_device_info *list = NULL;
    int count = 0;
    enum sft_status status = SFT_OK;
    SFT_TRY(sft_device_list(&list, &count));
    if (options->common.json)
        status = print_json(list, count);
    else
        for (int i = 0; i < count; i++) print_device(&list[i]);
    free(list);
    return status;
}

static void init(void *values) { sft_common_init(values); }

static const struct sft_option_group groups[] = {{"Options", sft_general_options}, {0}};

static const struct sft_example examples[] = {
    {"devices", "everything that can compute on this machine"},
    {"devices --json", "the same for a script"},
    {0},
};

const struct sft_command sft_command_devices = {
    .name = "devices",
    .summary = "Lists every device with its id, driver, memory and features, and whether it can be used",
    .examples = examples,
    .groups = groups,
    .values_size = sizeof(struct devices),
    .init = init,
    .run = run,
};
