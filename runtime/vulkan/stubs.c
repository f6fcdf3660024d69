/* SPDX-License-Identifier: Apache-2.0 */
/* The Vulkan backend of a build without Vulkan: it has no devices, so nothing but `list` is ever called. */
#include "runtime/backend.h"
#include "runtime/vulkan/pipeline_report.h"

static enum sft_status list_none(struct sft_device_info **list, size_t *count, size_t *room)
{
    (void)list;
    (void)count;
    (void)room;
    return SFT_OK;
}

const struct sft_backend sft_vulkan_backend = {.kind = SFT_VULKAN, .list = list_none};

enum sft_status sft_pipeline_report(struct sft_device *device, struct sft_pipeline_report **list,
                                    size_t *count)
{
    (void)device;
    *list = NULL;
    *count = 0;
    return sft_fail(SFT_DEVICE, "this build has no Vulkan");
}
