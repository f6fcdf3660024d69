/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process has one instance, made when it is first needed and kept until the process ends: starting the
 * drivers takes tens of milliseconds, and some of them do not stand being unloaded.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/log.h"
#include "runtime/base/trial.h"
#include "runtime/vulkan/vk.h"

#define VALIDATION_LAYER "VK_LAYER_KHRONOS_validation"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static VkInstance the_instance;
static VkDebugUtilsMessengerEXT messenger;
static atomic_int messages;

int sft_vk_validation_messages(void) { return atomic_load(&messages); }

void sft_vk_name(VkDevice device, VkObjectType type, uint64_t handle, const char *name)
{
    VkDebugUtilsObjectNameInfoEXT info = {.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
                                          .objectType = type,
                                          .objectHandle = handle,
                                          .pObjectName = name};
    if (messenger) vkSetDebugUtilsObjectNameEXT(device, &info);
}

static bool validation_wanted(void)
{
    const char *value = getenv("SFT_VK_VALIDATE");
    return value && strcmp(value, "") != 0 && strcmp(value, "0") != 0;
}

static VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                                 VkDebugUtilsMessageTypeFlagsEXT type,
                                                 const VkDebugUtilsMessengerCallbackDataEXT *data,
                                                 void *context)
{
    (void)severity;
    (void)type;
    (void)context;
    atomic_fetch_add(&messages, 1);
    sft_log(SFT_LOG_ERROR, "Vulkan validation: %s", data->pMessage);
    return VK_FALSE;
}

static VkResult find_layer(const char *name, bool *found)
{
    VkLayerProperties *layers;
    uint32_t count = 0;
    VkResult result = vkEnumerateInstanceLayerProperties(&count, NULL);
    *found = false;
    if (result < VK_SUCCESS) return result;
    layers = sft_calloc(count, sizeof(*layers));
    if (!layers) return VK_ERROR_OUT_OF_HOST_MEMORY;
    result = vkEnumerateInstanceLayerProperties(&count, layers);
    for (uint32_t i = 0; result >= VK_SUCCESS && i < count; i++)
        *found = *found || strcmp(layers[i].layerName, name) == 0;
    free(layers);
    return result < VK_SUCCESS ? result : VK_SUCCESS;
}

static VkResult find_extension(const char *name, bool *found)
{
    VkExtensionProperties *extensions;
    uint32_t count = 0;
    VkResult result = vkEnumerateInstanceExtensionProperties(NULL, &count, NULL);
    *found = false;
    if (result < VK_SUCCESS) return result;
    extensions = sft_calloc(count, sizeof(*extensions));
    if (!extensions) return VK_ERROR_OUT_OF_HOST_MEMORY;
    result = vkEnumerateInstanceExtensionProperties(NULL, &count, extensions);
    for (uint32_t i = 0; result >= VK_SUCCESS && i < count; i++)
        *found = *found || strcmp(extensions[i].extensionName, name) == 0;
    free(extensions);
    return result < VK_SUCCESS ? result : VK_SUCCESS;
}

static VkResult create(bool validate, VkInstance *instance)
{
    VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                     .pApplicationName = "sft-vk",
                                     .apiVersion = VK_API_VERSION_1_3};
    VkDebugUtilsMessengerCreateInfoEXT debug = {
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
        .messageSeverity =
            VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
        .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
        .pfnUserCallback = on_message};
    VkValidationFeatureEnableEXT enable[] = {VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
    VkValidationFeaturesEXT features = {.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
                                        .pNext = &debug,
                                        .enabledValidationFeatureCount = 1,
                                        .pEnabledValidationFeatures = enable};
    const char *layers[] = {VALIDATION_LAYER}, *extensions[2];
    VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                 .pApplicationInfo = &application,
                                 .ppEnabledLayerNames = layers,
                                 .ppEnabledExtensionNames = extensions};
    bool portability;
    VkResult result = find_extension(VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME, &portability);
    if (result != VK_SUCCESS) return result;
    if (portability) {
        extensions[info.enabledExtensionCount++] = VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME;
        info.flags |= VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR;
    }
    if (validate) {
        extensions[info.enabledExtensionCount++] = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
        info.enabledLayerCount = 1;
        info.pNext = &features;
    }
    result = vkCreateInstance(&info, NULL, instance);
    if (result != VK_SUCCESS) return result;
    volkLoadInstance(*instance);
    return validate ? vkCreateDebugUtilsMessengerEXT(*instance, &debug, NULL, &messenger) : VK_SUCCESS;
}

/* What stands in the way of an instance: SFT_OK where the machine simply has none of it. */
static enum sft_status check_loader(bool validate, char *why)
{
    bool has_layer = false;
    VkResult result;
    if (volkInitialize() != VK_SUCCESS) {
        snprintf(why, SFT_VK_WHY, "this machine has no loader (libvulkan.so.1)");
        return SFT_OK;
    }
    if (volkGetInstanceVersion() < VK_API_VERSION_1_3) {
        snprintf(why, SFT_VK_WHY, "the loader is older than Vulkan 1.3");
        return SFT_DEVICE;
    }
    result = validate ? find_layer(VALIDATION_LAYER, &has_layer) : VK_SUCCESS;
    if (result != VK_SUCCESS) {
        snprintf(why, SFT_VK_WHY, "vkEnumerateInstanceLayerProperties: %s", sft_vk_result_str(result));
        return SFT_DEVICE;
    }
    if (validate && !has_layer) {
        snprintf(why, SFT_VK_WHY,
                 "SFT_VK_VALIDATE is set, but %s is missing: install vulkan-validationlayers",
                 VALIDATION_LAYER);
        return SFT_DEVICE;
    }
    return SFT_OK;
}

static enum sft_status start(char *why)
{
    bool validate = validation_wanted();
    VkResult result;
    SFT_TRY(check_loader(validate, why));
    if (*why) return SFT_OK;
    result = create(validate, &the_instance);
    if (result == VK_SUCCESS) return SFT_OK;
    if (the_instance) vkDestroyInstance(the_instance, NULL); /* the messenger failed */
    the_instance = VK_NULL_HANDLE;
    snprintf(why, SFT_VK_WHY, "vkCreateInstance: %s (VkResult %d); are drivers installed?",
             sft_vk_result_str(result), (int)result);
    return result == VK_ERROR_INCOMPATIBLE_DRIVER ? SFT_OK : SFT_DEVICE;
}

/* ---- drivers that do not come back ---- */

/* A driver may crash, wait for ever or end the process when it is loaded, and would take us along: a child
 * process loads them first. Longer than this no driver takes, with many GPUs that are asleep. */
enum { LOADING_SECONDS = 20 };

static void load_drivers(void)
{
    char why[SFT_VK_WHY] = "";
    uint32_t count = 0;
    if (start(why) == SFT_OK && the_instance) (void)vkEnumeratePhysicalDevices(the_instance, &count, NULL);
}

static enum sft_status start_if_safe(char *why)
{
    static bool tried;
    static char outcome[SFT_VK_WHY / 2];
    if (!tried) (void)sft_trial(load_drivers, LOADING_SECONDS, outcome, sizeof(outcome));
    tried = true;
    if (!outcome[0]) return start(why);
    snprintf(why, SFT_VK_WHY, "loading its drivers %s; VK_DRIVER_FILES can name those that work", outcome);
    return SFT_DEVICE;
}

enum sft_status sft_vk_instance_get(VkInstance *instance, char *why)
{
    enum sft_status status = SFT_OK;
    *why = '\0';
    pthread_mutex_lock(&lock);
    if (!the_instance) status = start_if_safe(why);
    *instance = the_instance;
    pthread_mutex_unlock(&lock);
    return status;
}
