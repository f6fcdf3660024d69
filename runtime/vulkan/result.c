/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/vulkan/vk.h"

static const struct {
    VkResult result;
    enum sft_status status;
    const char *text;
} results[] = {
    {VK_NOT_READY, SFT_FAILED, "not ready"},
    {VK_TIMEOUT, SFT_FAILED, "timeout"},
    {VK_INCOMPLETE, SFT_FAILED, "the list grew while it was read"},
    {VK_ERROR_OUT_OF_HOST_MEMORY, SFT_MEMORY, "out of host memory"},
    {VK_ERROR_OUT_OF_DEVICE_MEMORY, SFT_MEMORY, "out of device memory"},
    {VK_ERROR_INITIALIZATION_FAILED, SFT_DEVICE, "the driver could not be started"},
    {VK_ERROR_DEVICE_LOST, SFT_FAILED, "the device was lost"},
    {VK_ERROR_MEMORY_MAP_FAILED, SFT_MEMORY, "memory could not be mapped"},
    {VK_ERROR_LAYER_NOT_PRESENT, SFT_DEVICE, "a layer is missing"},
    {VK_ERROR_EXTENSION_NOT_PRESENT, SFT_DEVICE, "an extension is missing"},
    {VK_ERROR_FEATURE_NOT_PRESENT, SFT_DEVICE, "a feature is missing"},
    {VK_ERROR_INCOMPATIBLE_DRIVER, SFT_DEVICE, "no driver of the wanted version"},
    {VK_ERROR_TOO_MANY_OBJECTS, SFT_MEMORY, "too many objects"},
    {VK_ERROR_UNKNOWN, SFT_FAILED, "unknown error"},
    {VK_ERROR_FRAGMENTATION, SFT_MEMORY, "memory is fragmented"},
    {VK_ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS, SFT_MEMORY, "no addresses left"},
};

const char *sft_vk_result_str(VkResult result)
{
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
        if (results[i].result == result) return results[i].text;
    return "unexpected result";
}

static enum sft_status status_of(VkResult result)
{
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
        if (results[i].result == result) return results[i].status;
    return SFT_FAILED;
}

enum sft_status sft_vk_fail(struct sft_vk *vk, VkResult result, const char *call)
{
    const char *advice = "";
    if (result == VK_ERROR_DEVICE_LOST) {
        if (vk) vk->lost = true;
        advice = "; the driver reset it, perhaps after too long a kernel: try SFT_VK_MAX_SUBMIT_MS=50, a "
                 "smaller --batch or another driver";
    }
    return sft_fail(status_of(result), "Vulkan%s%s: %.*s: %s (VkResult %d)%s", vk ? " on " : "",
                    vk ? vk->adapter.properties.deviceName : "", (int)strcspn(call, "("), call,
                    sft_vk_result_str(result), (int)result, advice);
}
