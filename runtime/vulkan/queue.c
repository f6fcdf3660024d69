/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vulkan/vk.h"

enum sft_status sft_vk_queue_init(struct sft_vk *vk)
{
    VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                    .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                                    .queueFamilyIndex = vk->adapter.family};
    VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                      .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    VkSemaphoreCreateInfo semaphore = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type};
    vkGetDeviceQueue(vk->device, vk->adapter.family, 0, &vk->queue);
    VK_TRY(vk, vkCreateCommandPool(vk->device, &pool, NULL, &vk->command_pool));
    VK_TRY(vk, vkCreateSemaphore(vk->device, &semaphore, NULL, &vk->timeline));
    return SFT_OK;
}

void sft_vk_queue_uninit(struct sft_vk *vk)
{
    vkDestroySemaphore(vk->device, vk->timeline, NULL);
    vkDestroyCommandPool(vk->device, vk->command_pool, NULL);
}

enum sft_status sft_vk_commands_create(struct sft_vk *vk, VkCommandBuffer *commands)
{
    VkCommandBufferAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                        .commandPool = vk->command_pool,
                                        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                        .commandBufferCount = 1};
    VK_TRY(vk, vkAllocateCommandBuffers(vk->device, &info, commands));
    return SFT_OK;
}

void sft_vk_barrier(VkCommandBuffer commands, VkPipelineStageFlags2 from, VkPipelineStageFlags2 to)
{
    bool host = to == VK_PIPELINE_STAGE_2_HOST_BIT;
    VkMemoryBarrier2 barrier = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
                                .srcStageMask = from,
                                .srcAccessMask = VK_ACCESS_2_MEMORY_WRITE_BIT,
                                .dstStageMask = to,
                                .dstAccessMask =
                                    host ? VK_ACCESS_2_HOST_READ_BIT
                                         : VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT};
    VkDependencyInfo info = {
        .sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO, .memoryBarrierCount = 1, .pMemoryBarriers = &barrier};
    vkCmdPipelineBarrier2(commands, &info);
}

static const VkPipelineStageFlags2 work =
    VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT;

enum sft_status sft_vk_commands_begin(struct sft_vk *vk, VkCommandBuffer commands,
                                      VkCommandBufferUsageFlags usage)
{
    VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, .flags = usage};
    VK_TRY(vk, vkBeginCommandBuffer(commands, &info));
    sft_vk_barrier(commands, work, work);
    return SFT_OK;
}

enum sft_status sft_vk_commands_end(struct sft_vk *vk, VkCommandBuffer commands)
{
    sft_vk_barrier(commands, work, VK_PIPELINE_STAGE_2_HOST_BIT);
    VK_TRY(vk, vkEndCommandBuffer(commands));
    return SFT_OK;
}

/* The loss was told when it happened. */
static enum sft_status usable(const struct sft_vk *vk) { return vk->lost ? SFT_FAILED : SFT_OK; }

enum sft_status sft_vk_submit(struct sft_vk *vk, VkCommandBuffer commands, uint64_t *value)
{
    VkCommandBufferSubmitInfo buffer = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                                        .commandBuffer = commands};
    VkSemaphoreSubmitInfo signal = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
                                    .semaphore = vk->timeline,
                                    .value = vk->submitted + 1,
                                    .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
    VkSubmitInfo2 info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                          .commandBufferInfoCount = 1,
                          .pCommandBufferInfos = &buffer,
                          .signalSemaphoreInfoCount = 1,
                          .pSignalSemaphoreInfos = &signal};
    SFT_TRY(usable(vk));
    VK_TRY(vk, vkQueueSubmit2(vk->queue, 1, &info, VK_NULL_HANDLE));
    vk->submitted++;
    if (value) *value = vk->submitted;
    return SFT_OK;
}

enum sft_status sft_vk_done(struct sft_vk *vk, uint64_t *value)
{
    SFT_TRY(usable(vk));
    VK_TRY(vk, vkGetSemaphoreCounterValue(vk->device, vk->timeline, value));
    return SFT_OK;
}

enum sft_status sft_vk_wait(struct sft_vk *vk, uint64_t value)
{
    VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                .semaphoreCount = 1,
                                .pSemaphores = &vk->timeline,
                                .pValues = &value};
    SFT_TRY(usable(vk));
    VK_TRY(vk, vkWaitSemaphores(vk->device, &info, UINT64_MAX));
    if (sft_vk_validation_messages() > vk->messages)
        return sft_fail(SFT_DEVICE, "Vulkan on %s: %d messages from the validation layer (see above)",
                        vk->adapter.properties.deviceName, sft_vk_validation_messages() - vk->messages);
    return SFT_OK;
}

enum sft_status sft_vk_wait_all(struct sft_vk *vk) { return sft_vk_wait(vk, vk->submitted); }

bool sft_vk_idle(struct sft_vk *vk)
{
    VkResult result = vkDeviceWaitIdle(vk->device);
    if (result != VK_SUCCESS && !vk->lost) (void)sft_vk_fail(vk, result, "vkDeviceWaitIdle");
    return result == VK_SUCCESS || result == VK_ERROR_DEVICE_LOST;
}
