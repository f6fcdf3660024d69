/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/device.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/backend.h"
#include "runtime/base/alloc.h"
#include "runtime/base/memory.h"

#define THRIFT ((uint64_t)4 << 30)

/* What is free, less a reserve for what others take meanwhile, and for what the driver needs itself. */
static uint64_t free_bytes(const struct sft_device *device)
{
    const struct sft_device_info *info = &device->info;
    uint64_t bytes = info->free ? info->free : info->memory;
    if (sft_device_is_host(device)) {
        uint64_t available = sft_memory_available();
        if (available) bytes = available + sft_memory_resident();
        if (info->memory && bytes > info->memory) bytes = info->memory;
    }
    return bytes - bytes / 16;
}

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
    device->budget = memory ? memory : free_bytes(device);
    device->thrift = memory || !sft_device_is_host(device) ? device->budget : THRIFT;
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

bool sft_device_is_host(const struct sft_device *device)
{
    return device->backend->host || strcmp(device->info.kind, "cpu") == 0;
}

static uint64_t room_of(const struct sft_device *device, uint64_t budget)
{
    uint64_t taken = device->allocated, resident = sft_memory_resident();
    if (sft_device_is_host(device) && resident > taken) taken = resident;
    return budget > taken ? budget - taken : 0;
}

uint64_t sft_device_room(const struct sft_device *device) { return room_of(device, device->budget); }

uint64_t sft_device_thrift(const struct sft_device *device)
{
    uint64_t thrift = device->thrift < device->budget ? device->thrift : device->budget;
    return thrift > device->allocated ? thrift - device->allocated : 0;
}

uint64_t sft_device_largest(const struct sft_device *device) { return device->largest; }

enum sft_status sft_device_wait(struct sft_device *device) { return device->backend->wait(device); }
