/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/vulkan/vk.h"

static VkResult read_extensions(struct sft_vk_adapter *adapter)
{
    struct {
        const char *name;
        bool *has;
    } wanted[] = {
        {"VK_KHR_portability_subset", &adapter->portability_subset},
        {"VK_EXT_memory_budget", &adapter->memory_budget},
        {"VK_KHR_pipeline_executable_properties", &adapter->executable_properties},
        {"VK_KHR_cooperative_matrix", &adapter->cooperative_matrix},
        {"VK_KHR_shader_bfloat16", &adapter->bfloat16},
    };
    VkExtensionProperties *list;
    uint32_t count = 0;
    VkResult result = vkEnumerateDeviceExtensionProperties(adapter->handle, NULL, &count, NULL);
    if (result < VK_SUCCESS) return result;
    list = sft_calloc(count, sizeof(*list));
    if (!list) return VK_ERROR_OUT_OF_HOST_MEMORY;
    result = vkEnumerateDeviceExtensionProperties(adapter->handle, NULL, &count, list);
    for (uint32_t i = 0; result >= VK_SUCCESS && i < count; i++)
        for (size_t k = 0; k < sizeof(wanted) / sizeof(wanted[0]); k++)
            if (strcmp(list[i].extensionName, wanted[k].name) == 0) *wanted[k].has = true;
    free(list);
    return result;
}

/* A family that computes; one without graphics is less likely to share its queue with a desktop. */
static enum sft_status read_family(struct sft_vk_adapter *adapter)
{
    VkQueueFamilyProperties *families;
    uint32_t count = 0;
    adapter->family = UINT32_MAX;
    vkGetPhysicalDeviceQueueFamilyProperties(adapter->handle, &count, NULL);
    families = sft_calloc(count, sizeof(*families));
    if (!families) return SFT_MEMORY;
    vkGetPhysicalDeviceQueueFamilyProperties(adapter->handle, &count, families);
    for (uint32_t i = 0; i < count; i++) {
        bool alone = !(families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT);
        if (!(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT)) continue;
        if (adapter->family != UINT32_MAX && !alone) continue;
        if (adapter->family != UINT32_MAX && !(families[adapter->family].queueFlags & VK_QUEUE_GRAPHICS_BIT))
            continue;
        adapter->family = i;
        adapter->timestamp_bits = families[i].timestampValidBits;
    }
    free(families);
    return SFT_OK;
}

static void read_heap(struct sft_vk_adapter *adapter)
{
    const VkPhysicalDeviceMemoryProperties *memory = &adapter->memory;
    VkDeviceSize best = 0;
    for (uint32_t i = 0; i < memory->memoryHeapCount; i++)
        if ((memory->memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) &&
            memory->memoryHeaps[i].size > best) {
            adapter->heap = i;
            best = memory->memoryHeaps[i].size;
        }
}

static const char *missing(const struct sft_vk_adapter *adapter)
{
    if (adapter->properties.apiVersion < VK_API_VERSION_1_3) return "its driver is older than Vulkan 1.3";
    if (adapter->family == UINT32_MAX) return "no queue that computes";
    if (!adapter->features12.bufferDeviceAddress) return "no buffer device addresses";
    if (!adapter->features12.timelineSemaphore) return "no timeline semaphores";
    if (!adapter->features13.synchronization2) return "no synchronization2";
    if (!adapter->features13.maintenance4) return "no maintenance4";
    return NULL;
}

enum sft_status sft_vk_adapter_read(VkPhysicalDevice handle, struct sft_vk_adapter *adapter)
{
    VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                              .pNext = &adapter->properties11};
    VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                          .pNext = &adapter->features11};
    VkResult extensions;
    memset(adapter, 0, sizeof(*adapter));
    adapter->handle = handle;
    vkGetPhysicalDeviceProperties(handle, &adapter->properties);
    vkGetPhysicalDeviceMemoryProperties(handle, &adapter->memory);
    read_heap(adapter);
    extensions = read_extensions(adapter);
    SFT_TRY(read_family(adapter));
    adapter->properties11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES;
    adapter->properties12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES;
    adapter->properties13.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES;
    adapter->features11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
    adapter->features12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
    adapter->features13.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES;
    adapter->properties11.pNext = &adapter->properties12;
    adapter->properties12.pNext = &adapter->properties13;
    adapter->features11.pNext = &adapter->features12;
    adapter->features12.pNext = &adapter->features13;
    if (adapter->properties.apiVersion >= VK_API_VERSION_1_3) {
        vkGetPhysicalDeviceProperties2(handle, &properties);
        vkGetPhysicalDeviceFeatures2(handle, &features);
    }
    adapter->why_not = extensions < VK_SUCCESS ? "its driver does not list its extensions" : missing(adapter);
    return SFT_OK;
}

/* ---- the row of `sft-vk devices` ---- */

static void uuid_text(const uint8_t uuid[VK_UUID_SIZE], char *text, size_t room)
{
    size_t at = 0;
    for (unsigned i = 0; i < VK_UUID_SIZE && at + 3 < room; i++)
        at += (size_t)snprintf(text + at, room - at, "%s%02x",
                               i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}

/* The driver's budget is a hint that some get wrong (larger than the heap): clamped. */
static uint64_t free_memory(const struct sft_vk_adapter *adapter)
{
    VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
    VkPhysicalDeviceMemoryProperties2 memory = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, .pNext = &budget};
    uint64_t all = adapter->memory.memoryHeaps[adapter->heap].size, most, used;
    if (!adapter->memory_budget) return 0;
    vkGetPhysicalDeviceMemoryProperties2(adapter->handle, &memory);
    most = budget.heapBudget[adapter->heap] < all ? budget.heapBudget[adapter->heap] : all;
    used = budget.heapUsage[adapter->heap];
    return used < most ? most - used : 0;
}

static bool host_sees_heap(const struct sft_vk_adapter *adapter)
{
    for (uint32_t i = 0; i < adapter->memory.memoryTypeCount; i++)
        if (adapter->memory.memoryTypes[i].heapIndex == adapter->heap &&
            (adapter->memory.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT))
            return true;
    return false;
}

void sft_vk_adapter_info(const struct sft_vk_adapter *adapter, int index, struct sft_device_info *info)
{
    static const char *const kinds[] = {"other", "integrated", "discrete", "virtual", "cpu"};
    static const uint8_t no_uuid[VK_UUID_SIZE];
    const VkPhysicalDeviceProperties *p = &adapter->properties;
    VkPhysicalDeviceType type = p->deviceType;
    memset(info, 0, sizeof(*info));
    info->index = index;
    if (memcmp(adapter->properties11.deviceUUID, no_uuid, VK_UUID_SIZE) != 0)
        uuid_text(adapter->properties11.deviceUUID, info->id, sizeof(info->id));
    else
        snprintf(info->id, sizeof(info->id), "pci-%04x-%04x-%d", p->vendorID, p->deviceID, index);
    snprintf(info->name, sizeof(info->name), "%s", p->deviceName);
    snprintf(info->kind, sizeof(info->kind), "%s",
             (size_t)type < sizeof(kinds) / sizeof(kinds[0]) ? kinds[type] : "other");
    snprintf(info->driver, sizeof(info->driver), "%.120s %.120s", adapter->properties12.driverName,
             adapter->properties12.driverInfo);
    snprintf(info->api, sizeof(info->api), "Vulkan %u.%u.%u", VK_API_VERSION_MAJOR(p->apiVersion),
             VK_API_VERSION_MINOR(p->apiVersion), VK_API_VERSION_PATCH(p->apiVersion));
    info->memory = adapter->memory.memoryHeaps[adapter->heap].size;
    info->free = free_memory(adapter);
    info->subgroup = adapter->properties11.subgroupSize;
    info->subgroup_min = adapter->properties13.minSubgroupSize;
    info->subgroup_max = adapter->properties13.maxSubgroupSize;
    info->fp16 = adapter->features12.shaderFloat16 && adapter->features11.storageBuffer16BitAccess &&
                 !sft_vk_disabled("fp16");
    info->bf16 = adapter->bfloat16 && !sft_vk_disabled("bf16");
    info->cooperative_matrix = adapter->cooperative_matrix && !sft_vk_disabled("coopmat");
    info->unified_memory = type != VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU && host_sees_heap(adapter);
    info->usable = !adapter->why_not;
    if (adapter->why_not) snprintf(info->reason, sizeof(info->reason), "%s", adapter->why_not);
}

struct sft_vk_limits sft_vk_adapter_limits(const struct sft_vk_adapter *adapter)
{
    const VkPhysicalDeviceLimits *l = &adapter->properties.limits;
    const VkPhysicalDeviceVulkan11Properties *p = &adapter->properties11;
    struct sft_vk_limits limits = {
        .max_invocations = l->maxComputeWorkGroupInvocations,
        .shared_memory = l->maxComputeSharedMemorySize,
        .cpu_device =
            adapter->properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU && !sft_vk_disabled("cpu-kernels"),
    };
    memcpy(limits.max_group_size, l->maxComputeWorkGroupSize, sizeof(limits.max_group_size));
    memcpy(limits.max_groups, l->maxComputeWorkGroupCount, sizeof(limits.max_groups));
    if (sft_vk_disabled("subgroup") || !(p->subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT))
        return limits;
    limits.subgroup_size = p->subgroupSize;
    return limits;
}

/* Names the twins: one card under two drivers, or two cards to which a driver gives one UUID. */
static void mark_twin(struct sft_device_info *first, int n, struct sft_device_info *info)
{
    char id[sizeof(info->id)];
    for (int i = 0; i < n; i++) {
        if (strcmp(first[i].id, info->id) != 0) continue;
        memcpy(id, info->id, sizeof(id));
        snprintf(info->id, sizeof(info->id), "%.36s/%d", id, info->index % 10);
        if (info->usable)
            snprintf(info->reason, sizeof(info->reason), "perhaps the same device as vulkan:%d",
                     first[i].index);
        return;
    }
}

/* ---- the list ---- */

VkResult sft_vk_enumerate(VkInstance instance, VkPhysicalDevice **handles, uint32_t *n)
{
    VkResult result = vkEnumeratePhysicalDevices(instance, n, NULL);
    *handles = NULL;
    if (result < VK_SUCCESS) return result;
    *handles = sft_calloc(*n, sizeof(**handles));
    if (!*handles) return VK_ERROR_OUT_OF_HOST_MEMORY;
    return vkEnumeratePhysicalDevices(instance, n, *handles);
}

static enum sft_status append(VkPhysicalDevice handle, int index, struct sft_device_list *list)
{
    struct sft_vk_adapter *adapter = sft_calloc(1, sizeof(*adapter));
    struct sft_device_info info;
    enum sft_status status = adapter ? sft_vk_adapter_read(handle, adapter) : SFT_MEMORY;
    if (status == SFT_OK) {
        sft_vk_adapter_info(adapter, index, &info);
        mark_twin(list->items, (int)list->count, &info);
        status = sft_device_list_add(list, &info);
    }
    free(adapter);
    return status;
}

enum sft_status sft_vk_list(struct sft_device_list *list)
{
    VkInstance instance;
    VkPhysicalDevice *handles = NULL;
    uint32_t n = 0;
    VkResult result;
    enum sft_status status;
    SFT_TRY(sft_vk_instance_get(&instance, list->why));
    if (!instance) return SFT_OK;
    result = sft_vk_enumerate(instance, &handles, &n);
    status = result < VK_SUCCESS ? SFT_DEVICE : SFT_OK;
    if (status != SFT_OK)
        snprintf(list->why, sizeof(list->why), "vkEnumeratePhysicalDevices: %s (VkResult %d)",
                 sft_vk_result_str(result), (int)result);
    /* The loader's way to say that drivers are installed and none of them has a device. */
    if (result == VK_ERROR_INITIALIZATION_FAILED) status = SFT_OK;
    for (uint32_t i = 0; result >= VK_SUCCESS && status == SFT_OK && i < n; i++)
        status = append(handles[i], (int)i, list);
    free(handles);
    return status;
}
