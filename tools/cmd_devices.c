/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/open.h"
#include "tools/cli/common.h"
#include "tools/cli/terminal.h"

struct devices {
    struct sft_common common;
};

static void print_device(const struct sft_device_info *info)
{
    char memory[32], free_memory[32];
    printf("%s  %s\n", info->word, info->name);
    printf("    id       %s\n", info->id);
    printf("    kind     %s%s\n", info->kind, info->unified_memory ? ", memory shared with the host" : "");
    printf("    driver   %s (%s)\n", info->driver, info->api);
    printf("    memory   %s", sft_bytes_str(info->memory, memory));
    if (info->free) printf(", %s free", sft_bytes_str(info->free, free_memory));
    printf("\n    has      fp16 %s, bf16 %s, cooperative matrix %s\n", info->fp16 ? "yes" : "no",
           info->bf16 ? "yes" : "no", info->cooperative_matrix ? "yes" : "no");
    if (info->subgroup)
        printf("    subgroup %u (%u to %u)\n", info->subgroup, info->subgroup_min, info->subgroup_max);
    printf("    usable   %s%s\n", info->usable ? "yes" : "no: ", info->usable ? "" : info->reason);
}

static enum sft_status run(const struct sft_args *args)
{
    const struct devices *options = args->values;
    struct sft_device_info *list = NULL;
    int count = 0;
    enum sft_status status = SFT_OK;
    SFT_TRY(sft_device_list(&list, &count));
    if (options->common.json) {
        json_t *array = json_array();
        for (int i = 0; i < count; i++) json_array_append_new(array, sft_device_json(&list[i]));
        status = sft_print_json(json_pack("{s:o}", "devices", array));
    } else {
        for (int i = 0; i < count; i++) print_device(&list[i]);
    }
    free(list);
    return status;
}

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
    .run = run,
};
