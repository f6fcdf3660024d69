/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/device.h"

#include <stdlib.h>

#include "runtime/backend.h"
#include "runtime/base/alloc.h"

enum sft_status sft_device_open_listed(const struct sft_device_info *info, uint64_t memory,
                                       struct sft_device **out)
{
    struct sft_device *device;
    enum sft_status status;
    *out = NULL;
    if (!info->usable) return sft_fail(SFT_DEVICE, "device %s cannot be used: %s", info->name, info->reason);
    device = sft_calloc(1, sizeof(*device));
    if (!device) return SFT_MEMORY;
    device->info = *info;
    device->backend = info->owner;
    device->budget = memory ? memory : info->memory;
    status = device->backend->open(device);
    if (status == SFT_OK)
        *out = device;
    else
        free(device);
    return status;
}

void sft_device_close(struct sft_device **device)
{
    if (!*device) return;
    (*device)->backend->close(*device);
    free(*device);
    *device = NULL;
}

const struct sft_device_info *sft_device_get_info(const struct sft_device *device) { return &device->info; }

uint64_t sft_device_largest(const struct sft_device *device) { return device->largest; }

enum sft_status sft_device_wait(struct sft_device *device) { return device->backend->wait(device); }
