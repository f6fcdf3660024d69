/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/vulkan/kernels.h"
#include "runtime/vulkan/vk.h"

static enum sft_status find_adapter(VkInstance instance, const struct sft_device_info *info,
                                    struct sft_vk *vk)
{
    VkPhysicalDevice *handles;
    uint32_t n = 0;
    VkResult result = sft_vk_enumerate(instance, &handles, &n);
    enum sft_status status;
    if (result < VK_SUCCESS)
        status = sft_vk_fail(NULL, result, "vkEnumeratePhysicalDevices");
    else if (info->index < 0 || (uint32_t)info->index >= n)
        status = sft_fail(SFT_DEVICE, "%s (%s) is gone", info->word, info->name);
    else
        status = sft_vk_adapter_read(handles[info->index], &vk->adapter);
    free(handles);
    if (status == SFT_OK && vk->adapter.why_not)
        status = sft_fail(SFT_DEVICE, "%s cannot be used: %s", info->name, vk->adapter.why_not);
    return status;
}

/* Where a driver picks among subgroup sizes by itself, kernels that count on one have to ask for it. */
static bool subgroup_size_varies(const struct sft_vk_adapter *adapter)
{
    return adapter->features13.subgroupSizeControl &&
           adapter->properties13.minSubgroupSize != adapter->properties13.maxSubgroupSize &&
           (adapter->properties13.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT);
}

static enum sft_status create_device(struct sft_vk *vk)
{
    float priority = 1.0f;
    const char *extensions[2];
    VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                     .queueFamilyIndex = vk->adapter.family,
                                     .queueCount = 1,
                                     .pQueuePriorities = &priority};
    VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR executable = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR,
        .pipelineExecutableInfo = VK_TRUE};
    VkPhysicalDeviceVulkan13Features features13 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
        .pNext = vk->adapter.executable_properties ? &executable : NULL,
        .synchronization2 = VK_TRUE,
        .maintenance4 = VK_TRUE,
        .subgroupSizeControl = vk->set_subgroup_size};
    VkPhysicalDeviceVulkan12Features features12 = {.sType =
                                                       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
                                                   .pNext = &features13,
                                                   .timelineSemaphore = VK_TRUE,
                                                   .bufferDeviceAddress = VK_TRUE};
    VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                               .pNext = &features12,
                               .queueCreateInfoCount = 1,
                               .pQueueCreateInfos = &queue,
                               .ppEnabledExtensionNames = extensions};
    if (vk->adapter.portability_subset)
        extensions[info.enabledExtensionCount++] = "VK_KHR_portability_subset";
    if (vk->adapter.executable_properties)
        extensions[info.enabledExtensionCount++] = VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME;
    VK_TRY(vk, vkCreateDevice(vk->adapter.handle, &info, NULL, &vk->device));
    return SFT_OK;
}

/* What was asked for, or what no watchdog minds; the CPU has no watchdog. */
static double submit_seconds(const struct sft_vk *vk)
{
    if (vk->switches.submit_seconds > 0) return vk->switches.submit_seconds;
    return vk->limits.cpu_device ? 0 : 0.1;
}

static enum sft_status start(struct sft_vk *vk, VkInstance instance, const struct sft_device_info *info)
{
    SFT_TRY(sft_vk_switches_read(&vk->switches));
    SFT_TRY(find_adapter(instance, info, vk));
    vk->messages = sft_vk_validation_messages();
    vk->limits = sft_vk_adapter_limits(&vk->adapter);
    vk->submit_seconds = submit_seconds(vk);
    vk->set_subgroup_size = vk->limits.subgroup_size > 0 && subgroup_size_varies(&vk->adapter);
    SFT_TRY(create_device(vk));
    SFT_TRY(sft_vk_queue_init(vk));
    SFT_TRY(sft_vk_memory_init(vk));
    return sft_vk_pipelines_init(vk);
}

static void close_device(struct sft_device *device)
{
    struct sft_vk *vk = device->state;
    if (!vk) return;
    if (vk->device && !sft_vk_idle(vk)) return; /* better lost than taken from a kernel that runs */
    if (vk->device) {
        sft_vk_pipelines_uninit(vk);
        sft_vk_transfer_uninit(vk);
        sft_vk_memory_uninit(vk);
        sft_vk_queue_uninit(vk);
        vkDestroyDevice(vk->device, NULL);
    }
    free(vk);
    device->state = NULL;
}

static enum sft_status get_instance(const struct sft_device *device, VkInstance *instance)
{
    char why[SFT_VK_WHY];
    enum sft_status status = sft_vk_instance_get(instance, why);
    if (status == SFT_OK && *instance) return SFT_OK;
    return sft_fail(SFT_DEVICE, "%s: Vulkan is gone: %s", device->info.name, why);
}

static enum sft_status open_device(struct sft_device *device)
{
    struct sft_vk *vk = sft_calloc(1, sizeof(*vk));
    VkInstance instance = VK_NULL_HANDLE;
    enum sft_status status = vk ? get_instance(device, &instance) : SFT_MEMORY;
    device->state = vk;
    if (status == SFT_OK) status = start(vk, instance, &device->info);
    if (status == SFT_OK) device->largest = vk->max_block;
    if (status == SFT_FAILED) status = SFT_DEVICE; /* it fails before it has begun to run */
    if (status != SFT_OK) close_device(device);
    return status;
}

static enum sft_status wait_device(struct sft_device *device) { return sft_vk_wait_all(device->state); }

static void release(struct sft_device *device, void *memory)
{
    struct sft_vk *vk = device->state;
    struct sft_vk_memory *owned = memory;
    if (sft_vk_idle(vk)) sft_vk_memory_destroy(vk, &owned);
}

static enum sft_status allocate(struct sft_device *device, size_t bytes, void **memory)
{
    struct sft_vk_memory *made;
    enum sft_status status;
    *memory = NULL;
    SFT_TRY(sft_vk_memory_create(device->state, bytes, &made));
    status = sft_vk_zero(device->state, made);
    if (status == SFT_OK)
        *memory = made;
    else
        release(device, made);
    return status;
}

static enum sft_status upload(struct sft_device *device, void *memory, size_t offset, const void *data,
                              size_t bytes)
{
    return sft_vk_upload(device->state, memory, offset, data, bytes);
}

static enum sft_status download(struct sft_device *device, void *memory, size_t offset, void *data,
                                size_t bytes)
{
    return sft_vk_download(device->state, memory, offset, data, bytes);
}

const struct sft_backend sft_vulkan_backend = {
    .name = "vulkan",
    .list = sft_vk_list,
    .open = open_device,
    .close = close_device,
    .wait = wait_device,
    .allocate = allocate,
    .release = release,
    .upload = upload,
    .download = download,
    .scratch = sft_vk_scratch,
    .prepare = sft_vk_program_prepare,
    .forget = sft_vk_program_forget,
    .run = sft_vk_program_run,
};
