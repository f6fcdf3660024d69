/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/backend.h"

#include "runtime/base/alloc.h"

enum sft_status sft_device_list_add(struct sft_device_list *list, const struct sft_device_info *info)
{
    SFT_TRY(sft_grow(&list->items, &list->room, list->count + 1, sizeof(*list->items)));
    list->items[list->count++] = *info;
    return SFT_OK;
}

static double mib(uint64_t bytes) { return (double)bytes / 1048576.0; }

enum sft_status sft_device_take(struct sft_device *device, const char *what, size_t bytes)
{
    if (device->budget && device->allocated + bytes > device->budget)
        return sft_fail(
            SFT_MEMORY,
            "%s: %.1f MiB do not fit: %.1f of %.1f MiB are taken on %s; use a larger --memory or a "
            "smaller model",
            what, mib(bytes), mib(device->allocated), mib(device->budget), device->info.name);
    device->allocated += bytes;
    return SFT_OK;
}

void sft_device_give_back(struct sft_device *device, size_t bytes) { device->allocated -= bytes; }
