/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Vulkan driver as strangers' machines have them. SFT_TEST_DRIVER says what is wrong with it:
 *
 *     crash    dies while it is loaded
 *     sleep    takes a minute to load
 *     empty    finds no device (a driver without its GPU)
 *     broken   fails while it looks for devices
 *     refuses  has a device that looks well and cannot be opened
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vulkan/vk_icd.h>
#include <vulkan/vulkan.h>

/* What the loader hands out starts with a word of its own. */
static VK_LOADER_DATA instance_object = {ICD_LOADER_MAGIC}, adapter_object = {ICD_LOADER_MAGIC};

static int is(const char *what)
{
    const char *mode = getenv("SFT_TEST_DRIVER");
    return mode && strcmp(mode, what) == 0;
}

__attribute__((constructor)) static void load(void)
{
    if (is("crash")) abort();
    if (is("sleep")) sleep(60);
}

static VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo *info, const VkAllocationCallbacks *own,
                                           VkInstance *instance)
{
    (void)info;
    (void)own;
    *instance = (VkInstance)&instance_object;
    return VK_SUCCESS;
}

static VkResult VKAPI_CALL enumerate(VkInstance instance, uint32_t *n, VkPhysicalDevice *adapters)
{
    (void)instance;
    if (is("broken")) return VK_ERROR_OUT_OF_HOST_MEMORY;
    if (!is("refuses")) return VK_ERROR_INITIALIZATION_FAILED;
    if (adapters && *n) adapters[0] = (VkPhysicalDevice)&adapter_object;
    *n = 1;
    return VK_SUCCESS;
}

static VkResult VKAPI_CALL create_device(VkPhysicalDevice adapter, const VkDeviceCreateInfo *info,
                                         const VkAllocationCallbacks *own, VkDevice *device)
{
    (void)adapter;
    (void)info;
    (void)own;
    *device = VK_NULL_HANDLE;
    return VK_ERROR_INITIALIZATION_FAILED;
}

static VkResult VKAPI_CALL no_extensions(VkPhysicalDevice adapter, const char *layer, uint32_t *n,
                                         VkExtensionProperties *list)
{
    (void)adapter;
    (void)layer;
    (void)list;
    *n = 0;
    return VK_SUCCESS;
}

static VkResult VKAPI_CALL no_instance_extensions(const char *layer, uint32_t *n, VkExtensionProperties *list)
{
    return no_extensions(NULL, layer, n, list);
}

static VkResult VKAPI_CALL version(uint32_t *number)
{
    *number = VK_API_VERSION_1_3;
    return VK_SUCCESS;
}

static void VKAPI_CALL properties(VkPhysicalDevice adapter, VkPhysicalDeviceProperties *found)
{
    (void)adapter;
    memset(found, 0, sizeof(*found));
    found->apiVersion = VK_API_VERSION_1_3;
    found->deviceType = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
    strcpy(found->deviceName, "a card of another world");
    found->limits.maxComputeSharedMemorySize = 32768;
    found->limits.maxComputeWorkGroupInvocations = 1024;
    found->limits.maxPushConstantsSize = 256;
    for (int i = 0; i < 3; i++) {
        found->limits.maxComputeWorkGroupSize[i] = 1024;
        found->limits.maxComputeWorkGroupCount[i] = 65535;
    }
}

static void VKAPI_CALL properties2(VkPhysicalDevice adapter, VkPhysicalDeviceProperties2 *found)
{
    properties(adapter, &found->properties);
    for (VkBaseOutStructure *next = found->pNext; next; next = next->pNext)
        if (next->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES)
            ((VkPhysicalDeviceVulkan13Properties *)next)->maxBufferSize = 1u << 30;
}

static void VKAPI_CALL features(VkPhysicalDevice adapter, VkPhysicalDeviceFeatures *found)
{
    (void)adapter;
    memset(found, 0, sizeof(*found));
}

static void VKAPI_CALL features2(VkPhysicalDevice adapter, VkPhysicalDeviceFeatures2 *found)
{
    features(adapter, &found->features);
    for (VkBaseOutStructure *next = found->pNext; next; next = next->pNext) {
        VkPhysicalDeviceVulkan12Features *of12 = (VkPhysicalDeviceVulkan12Features *)next;
        VkPhysicalDeviceVulkan13Features *of13 = (VkPhysicalDeviceVulkan13Features *)next;
        if (next->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES)
            of12->bufferDeviceAddress = of12->timelineSemaphore = VK_TRUE;
        if (next->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES)
            of13->synchronization2 = of13->maintenance4 = VK_TRUE;
    }
}

static void VKAPI_CALL families(VkPhysicalDevice adapter, uint32_t *n, VkQueueFamilyProperties *found)
{
    (void)adapter;
    if (found && *n)
        found[0] = (VkQueueFamilyProperties){.queueFlags = VK_QUEUE_COMPUTE_BIT, .queueCount = 1};
    *n = 1;
}

static void VKAPI_CALL memory(VkPhysicalDevice adapter, VkPhysicalDeviceMemoryProperties *found)
{
    const VkMemoryPropertyFlags all = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT |
                                      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                      VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    (void)adapter;
    memset(found, 0, sizeof(*found));
    found->memoryHeapCount = found->memoryTypeCount = 1;
    found->memoryHeaps[0] = (VkMemoryHeap){(VkDeviceSize)1 << 32, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
    found->memoryTypes[0] = (VkMemoryType){all, 0};
}

static void VKAPI_CALL memory2(VkPhysicalDevice adapter, VkPhysicalDeviceMemoryProperties2 *found)
{
    memory(adapter, &found->memoryProperties);
}

static void VKAPI_CALL nothing(void) {}

PFN_vkVoidFunction VKAPI_CALL vk_icdGetInstanceProcAddr(VkInstance instance, const char *name)
{
    static const struct {
        const char *name;
        PFN_vkVoidFunction function;
    } functions[] = {
        {"vkCreateInstance", (PFN_vkVoidFunction)create_instance},
        {"vkEnumeratePhysicalDevices", (PFN_vkVoidFunction)enumerate},
        {"vkEnumerateInstanceExtensionProperties", (PFN_vkVoidFunction)no_instance_extensions},
        {"vkEnumerateDeviceExtensionProperties", (PFN_vkVoidFunction)no_extensions},
        {"vkEnumerateInstanceVersion", (PFN_vkVoidFunction)version},
        {"vkCreateDevice", (PFN_vkVoidFunction)create_device},
        {"vkGetPhysicalDeviceProperties", (PFN_vkVoidFunction)properties},
        {"vkGetPhysicalDeviceProperties2", (PFN_vkVoidFunction)properties2},
        {"vkGetPhysicalDeviceFeatures", (PFN_vkVoidFunction)features},
        {"vkGetPhysicalDeviceFeatures2", (PFN_vkVoidFunction)features2},
        {"vkGetPhysicalDeviceQueueFamilyProperties", (PFN_vkVoidFunction)families},
        {"vkGetPhysicalDeviceMemoryProperties", (PFN_vkVoidFunction)memory},
        {"vkGetPhysicalDeviceMemoryProperties2", (PFN_vkVoidFunction)memory2},
    };
    (void)instance;
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (strcmp(functions[i].name, name) == 0) return functions[i].function;
    return strncmp(name, "vk_icd", 6) == 0 ? NULL : (PFN_vkVoidFunction)nothing;
}

VkResult VKAPI_CALL vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *number);
VkResult VKAPI_CALL vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *number)
{
    if (*number > 5) *number = 5;
    return VK_SUCCESS;
}
