/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Vulkan layer, VK_LAYER_SFT_fault, that makes one call fail without asking the driver:
 *
 *     SFT_FAIL_VK=vkWaitSemaphores:3:-4   the 3rd call gives VkResult -4 (VK_ERROR_DEVICE_LOST)
 *
 * A changed value starts counting anew, so that a test can set it in its own process, and SFT_FAIL_VK_SEEN is
 * set there when the call has failed. One device at a time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

/* CALL(function, parameters, arguments): the calls of the backend that can fail, of a device. */
#define CALLS                                                                                                \
    CALL(vkAllocateMemory,                                                                                   \
         (VkDevice device, const VkMemoryAllocateInfo *info, const VkAllocationCallbacks *own,               \
          VkDeviceMemory *made),                                                                             \
         (device, info, own, made))                                                                          \
    CALL(                                                                                                    \
        vkCreateBuffer,                                                                                      \
        (VkDevice device, const VkBufferCreateInfo *info, const VkAllocationCallbacks *own, VkBuffer *made), \
        (device, info, own, made))                                                                           \
    CALL(vkBindBufferMemory, (VkDevice device, VkBuffer buffer, VkDeviceMemory memory, VkDeviceSize offset), \
         (device, buffer, memory, offset))                                                                   \
    CALL(vkMapMemory,                                                                                        \
         (VkDevice device, VkDeviceMemory memory, VkDeviceSize offset, VkDeviceSize size,                    \
          VkMemoryMapFlags flags, void **data),                                                              \
         (device, memory, offset, size, flags, data))                                                        \
    CALL(vkCreateCommandPool,                                                                                \
         (VkDevice device, const VkCommandPoolCreateInfo *info, const VkAllocationCallbacks *own,            \
          VkCommandPool *made),                                                                              \
         (device, info, own, made))                                                                          \
    CALL(vkCreateSemaphore,                                                                                  \
         (VkDevice device, const VkSemaphoreCreateInfo *info, const VkAllocationCallbacks *own,              \
          VkSemaphore *made),                                                                                \
         (device, info, own, made))                                                                          \
    CALL(vkCreatePipelineLayout,                                                                             \
         (VkDevice device, const VkPipelineLayoutCreateInfo *info, const VkAllocationCallbacks *own,         \
          VkPipelineLayout *made),                                                                           \
         (device, info, own, made))                                                                          \
    CALL(vkCreatePipelineCache,                                                                              \
         (VkDevice device, const VkPipelineCacheCreateInfo *info, const VkAllocationCallbacks *own,          \
          VkPipelineCache *made),                                                                            \
         (device, info, own, made))                                                                          \
    CALL(vkGetPipelineCacheData, (VkDevice device, VkPipelineCache cache, size_t * size, void *data),        \
         (device, cache, size, data))                                                                        \
    CALL(vkCreateShaderModule,                                                                               \
         (VkDevice device, const VkShaderModuleCreateInfo *info, const VkAllocationCallbacks *own,           \
          VkShaderModule *made),                                                                             \
         (device, info, own, made))                                                                          \
    CALL(vkCreateComputePipelines,                                                                           \
         (VkDevice device, VkPipelineCache cache, uint32_t n, const VkComputePipelineCreateInfo *info,       \
          const VkAllocationCallbacks *own, VkPipeline *made),                                               \
         (device, cache, n, info, own, made))                                                                \
    CALL(vkAllocateCommandBuffers,                                                                           \
         (VkDevice device, const VkCommandBufferAllocateInfo *info, VkCommandBuffer *made),                  \
         (device, info, made))                                                                               \
    CALL(vkBeginCommandBuffer, (VkCommandBuffer commands, const VkCommandBufferBeginInfo *info),             \
         (commands, info))                                                                                   \
    CALL(vkEndCommandBuffer, (VkCommandBuffer commands), (commands))                                         \
    CALL(vkQueueSubmit2, (VkQueue queue, uint32_t n, const VkSubmitInfo2 *info, VkFence fence),              \
         (queue, n, info, fence))                                                                            \
    CALL(vkWaitSemaphores, (VkDevice device, const VkSemaphoreWaitInfo *info, uint64_t timeout),             \
         (device, info, timeout))                                                                            \
    CALL(vkGetSemaphoreCounterValue, (VkDevice device, VkSemaphore semaphore, uint64_t * value),             \
         (device, semaphore, value))                                                                         \
    CALL(vkDeviceWaitIdle, (VkDevice device), (device))

static PFN_vkGetInstanceProcAddr next_instance;
static PFN_vkGetDeviceProcAddr next_device;
static VkInstance the_instance;

#define CALL(name, parameters, arguments) static PFN_##name next_##name;
CALLS
#undef CALL

/* ---- which call fails ---- */

static char plan[128]; /* the value that is counted for */
static long calls;

static VkResult result_of(const char *function)
{
    const char *value = getenv("SFT_FAIL_VK");
    char wanted[64];
    long number;
    int result;
    if (!value) {
        *plan = '\0';
        return VK_SUCCESS;
    }
    if (strcmp(value, plan) != 0) {
        snprintf(plan, sizeof(plan), "%s", value);
        calls = 0;
    }
    if (sscanf(plan, "%63[^:]:%ld:%d", wanted, &number, &result) != 3) return VK_SUCCESS;
    if (strcmp(wanted, function) != 0 || ++calls != number) return VK_SUCCESS;
    setenv("SFT_FAIL_VK_SEEN", plan, 1);
    return (VkResult)result;
}

#define CALL(name, parameters, arguments)                                                                    \
    static VKAPI_ATTR VkResult VKAPI_CALL my_##name parameters                                               \
    {                                                                                                        \
        VkResult result = result_of(#name);                                                                  \
        return result != VK_SUCCESS ? result : next_##name arguments;                                        \
    }
CALLS
#undef CALL

/* ---- the layer among the others ---- */

static VKAPI_ATTR VkResult VKAPI_CALL my_vkCreateDevice(VkPhysicalDevice adapter,
                                                        const VkDeviceCreateInfo *info,
                                                        const VkAllocationCallbacks *own, VkDevice *device)
{
    VkLayerDeviceCreateInfo *link = (VkLayerDeviceCreateInfo *)info->pNext;
    VkResult result = result_of("vkCreateDevice");
    while (link && (link->sType != VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO ||
                    link->function != VK_LAYER_LINK_INFO))
        link = (VkLayerDeviceCreateInfo *)link->pNext;
    if (!link) return VK_ERROR_INITIALIZATION_FAILED;
    next_device = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    if (result == VK_SUCCESS)
        result =
            ((PFN_vkCreateDevice)next_instance(the_instance, "vkCreateDevice"))(adapter, info, own, device);
    if (result != VK_SUCCESS) return result;
#define CALL(name, parameters, arguments) next_##name = (PFN_##name)next_device(*device, #name);
    CALLS
#undef CALL
    return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL my_vkCreateInstance(const VkInstanceCreateInfo *info,
                                                          const VkAllocationCallbacks *own,
                                                          VkInstance *instance)
{
    VkLayerInstanceCreateInfo *link = (VkLayerInstanceCreateInfo *)info->pNext;
    VkResult result;
    while (link && (link->sType != VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO ||
                    link->function != VK_LAYER_LINK_INFO))
        link = (VkLayerInstanceCreateInfo *)link->pNext;
    if (!link) return VK_ERROR_INITIALIZATION_FAILED;
    next_instance = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    result = ((PFN_vkCreateInstance)next_instance(NULL, "vkCreateInstance"))(info, own, instance);
    if (result == VK_SUCCESS) the_instance = *instance;
    return result;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL my_vkGetInstanceProcAddr(VkInstance instance,
                                                                         const char *name);
static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL my_vkGetDeviceProcAddr(VkDevice device, const char *name);

static PFN_vkVoidFunction own_function(const char *name)
{
    static const struct {
        const char *name;
        PFN_vkVoidFunction function;
    } functions[] = {
#define CALL(call, parameters, arguments) {#call, (PFN_vkVoidFunction)my_##call},
        CALLS
#undef CALL
        {"vkCreateInstance", (PFN_vkVoidFunction)my_vkCreateInstance},
        {"vkCreateDevice", (PFN_vkVoidFunction)my_vkCreateDevice},
        {"vkGetInstanceProcAddr", (PFN_vkVoidFunction)my_vkGetInstanceProcAddr},
        {"vkGetDeviceProcAddr", (PFN_vkVoidFunction)my_vkGetDeviceProcAddr},
    };
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (strcmp(functions[i].name, name) == 0) return functions[i].function;
    return NULL;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL my_vkGetInstanceProcAddr(VkInstance instance,
                                                                         const char *name)
{
    PFN_vkVoidFunction own = own_function(name);
    return own || !next_instance ? own : next_instance(instance, name);
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL my_vkGetDeviceProcAddr(VkDevice device, const char *name)
{
    PFN_vkVoidFunction own = own_function(name);
    return own || !next_device ? own : next_device(device, name);
}

VKAPI_ATTR VkResult VKAPI_CALL vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface *layer);
VKAPI_ATTR VkResult VKAPI_CALL vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface *layer)
{
    if (layer->loaderLayerInterfaceVersion > 2) layer->loaderLayerInterfaceVersion = 2;
    layer->pfnGetInstanceProcAddr = my_vkGetInstanceProcAddr;
    layer->pfnGetDeviceProcAddr = my_vkGetDeviceProcAddr;
    layer->pfnGetPhysicalDeviceProcAddr = NULL;
    return VK_SUCCESS;
}
