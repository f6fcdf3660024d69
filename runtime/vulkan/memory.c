/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device memory comes in blocks, each one VkDeviceMemory under one VkBuffer, and is cut first-fit. Drivers
 * allow few allocations (4096 is the guaranteed minimum), and one address for each block is all that kernels
 * need.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/divide.h"
#include "runtime/vulkan/vk.h"

enum { ALIGNMENT = 256 };
#define BLOCK_BYTES ((VkDeviceSize)64 << 20)

static const VkBufferUsageFlags usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
                                        VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
                                        VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;

/* ---- memory types ---- */

/* How well a type serves: what is asked for weighs more than what would be nice. */
static int fitness(const struct sft_vk_adapter *adapter, uint32_t type, VkMemoryPropertyFlags needed,
                   VkMemoryPropertyFlags nice)
{
    VkMemoryPropertyFlags has = adapter->memory.memoryTypes[type].propertyFlags;
    if (has & (VK_MEMORY_PROPERTY_PROTECTED_BIT | VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT)) return -1;
    if ((has & needed) != needed) return -1;
    return __builtin_popcount(has & nice);
}

static uint32_t pick_type(const struct sft_vk_adapter *adapter, uint32_t allowed, int heap,
                          VkMemoryPropertyFlags needed, VkMemoryPropertyFlags nice)
{
    uint32_t best = UINT32_MAX;
    int best_fitness = -1;
    for (uint32_t i = 0; i < adapter->memory.memoryTypeCount; i++) {
        int fits = fitness(adapter, i, needed, nice);
        if (!(allowed & 1u << i) || (heap >= 0 && adapter->memory.memoryTypes[i].heapIndex != (uint32_t)heap))
            continue;
        if (fits > best_fitness) {
            best = i;
            best_fitness = fits;
        }
    }
    return best;
}

enum sft_status sft_vk_memory_init(struct sft_vk *vk)
{
    const VkMemoryPropertyFlags host =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    const struct sft_vk_adapter *adapter = &vk->adapter;
    VkBufferCreateInfo buffer = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = ALIGNMENT, .usage = usage};
    VkDeviceBufferMemoryRequirements ask = {.sType = VK_STRUCTURE_TYPE_DEVICE_BUFFER_MEMORY_REQUIREMENTS,
                                            .pCreateInfo = &buffer};
    VkMemoryRequirements2 needs = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2};
    uint32_t allowed;
    vkGetDeviceBufferMemoryRequirements(vk->device, &ask, &needs);
    allowed = needs.memoryRequirements.memoryTypeBits;
    vk->device_type = pick_type(adapter, allowed, (int)adapter->heap, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
                                host | VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
    vk->host_type = pick_type(adapter, allowed, -1, host, VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
    if (vk->device_type == UINT32_MAX) vk->device_type = vk->host_type;
    if (vk->host_type == UINT32_MAX)
        return sft_fail(SFT_DEVICE, "%s: no memory that the host can see", adapter->properties.deviceName);
    /* maxMemoryAllocationSize is a soft limit (a driver that means it refuses), maxBufferSize a hard one. */
    vk->max_block = adapter->properties13.maxBufferSize;
    if (vk->switches.max_block && vk->switches.max_block < vk->max_block)
        vk->max_block = vk->switches.max_block;
    return SFT_OK;
}

void sft_vk_memory_uninit(struct sft_vk *vk)
{
    for (size_t i = 0; i < vk->n_blocks; i++) sft_vk_block_destroy(vk, &vk->blocks[i]);
    free(vk->blocks);
    vk->blocks = NULL;
    vk->n_blocks = 0;
}

/* ---- blocks ---- */

static enum sft_status allocate(struct sft_vk *vk, uint32_t type, struct sft_vk_block *block)
{
    VkMemoryAllocateFlagsInfo flags = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
                                       .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT};
    VkMemoryAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .pNext = &flags, .memoryTypeIndex = type};
    VkBufferCreateInfo buffer = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = block->bytes, .usage = usage};
    VkBufferDeviceAddressInfo address = {.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO};
    VkMemoryRequirements needs;
    VK_TRY(vk, vkCreateBuffer(vk->device, &buffer, NULL, &block->buffer));
    vkGetBufferMemoryRequirements(vk->device, block->buffer, &needs);
    info.allocationSize = needs.size;
    VK_TRY(vk, vkAllocateMemory(vk->device, &info, NULL, &block->memory));
    VK_TRY(vk, vkBindBufferMemory(vk->device, block->buffer, block->memory, 0));
    address.buffer = block->buffer;
    block->address = vkGetBufferDeviceAddress(vk->device, &address);
    if (vk->adapter.memory.memoryTypes[type].propertyFlags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)
        VK_TRY(vk, vkMapMemory(vk->device, block->memory, 0, VK_WHOLE_SIZE, 0, (void **)&block->mapped));
    return SFT_OK;
}

enum sft_status sft_vk_block_create(struct sft_vk *vk, uint32_t type, VkDeviceSize bytes,
                                    struct sft_vk_block **block)
{
    struct sft_vk_block *made = sft_calloc(1, sizeof(*made));
    enum sft_status status = made ? SFT_OK : SFT_MEMORY;
    *block = NULL;
    if (status == SFT_OK) status = sft_grow(&made->free, &made->free_room, 1, sizeof(*made->free));
    if (status == SFT_OK) {
        made->bytes = bytes;
        made->free[0] = (struct sft_vk_range){0, bytes};
        made->n_free = 1;
        status = allocate(vk, type, made);
    }
    if (status == SFT_OK)
        *block = made;
    else
        sft_vk_block_destroy(vk, &made);
    return status;
}

void sft_vk_block_destroy(struct sft_vk *vk, struct sft_vk_block **block)
{
    if (!*block) return;
    vkDestroyBuffer(vk->device, (*block)->buffer, NULL);
    vkFreeMemory(vk->device, (*block)->memory, NULL); /* unmaps */
    free((*block)->free);
    free(*block);
    *block = NULL;
}

/* ---- cutting ---- */

static bool take(struct sft_vk_block *block, VkDeviceSize bytes, VkDeviceSize *offset)
{
    for (size_t i = 0; i < block->n_free; i++) {
        struct sft_vk_range *range = &block->free[i];
        if (range->bytes < bytes) continue;
        *offset = range->offset;
        range->offset += bytes;
        range->bytes -= bytes;
        if (range->bytes == 0) memmove(range, range + 1, (--block->n_free - i) * sizeof(*range));
        return true;
    }
    return false;
}

/* The list has room: there is never more than one free range beside each taken one, and place() counts. */
static void give_back(struct sft_vk_block *block, VkDeviceSize offset, VkDeviceSize bytes)
{
    struct sft_vk_range *free = block->free;
    size_t i = 0;
    while (i < block->n_free && free[i].offset < offset) i++;
    if (i > 0 && free[i - 1].offset + free[i - 1].bytes == offset) {
        i--;
        free[i].bytes += bytes;
    } else {
        memmove(free + i + 1, free + i, (block->n_free++ - i) * sizeof(*free));
        free[i] = (struct sft_vk_range){offset, bytes};
    }
    if (i + 1 < block->n_free && free[i].offset + free[i].bytes == free[i + 1].offset) {
        free[i].bytes += free[i + 1].bytes;
        memmove(free + i + 1, free + i + 2, (--block->n_free - i - 1) * sizeof(*free));
    }
}

static enum sft_status add_block(struct sft_vk *vk, VkDeviceSize bytes)
{
    VkDeviceSize heap = vk->adapter.memory.memoryHeaps[vk->adapter.heap].size;
    VkDeviceSize usual = heap / 16 < BLOCK_BYTES ? heap / 16 : BLOCK_BYTES;
    if (usual > vk->max_block) usual = vk->max_block;
    SFT_TRY(sft_grow(&vk->blocks, &vk->blocks_room, vk->n_blocks + 1, sizeof(*vk->blocks)));
    SFT_TRY(
        sft_vk_block_create(vk, vk->device_type, bytes > usual ? bytes : usual, &vk->blocks[vk->n_blocks]));
    sft_vk_name(vk->device, VK_OBJECT_TYPE_BUFFER, (uint64_t)vk->blocks[vk->n_blocks++]->buffer,
                "block of tensors and arenas");
    return SFT_OK;
}

static bool take_anywhere(struct sft_vk *vk, struct sft_vk_memory *memory)
{
    for (size_t i = 0; i < vk->n_blocks; i++)
        if (take(vk->blocks[i], memory->bytes, &memory->offset)) {
            memory->block = vk->blocks[i];
            return true;
        }
    return false;
}

static enum sft_status place(struct sft_vk *vk, struct sft_vk_memory *memory)
{
    struct sft_vk_block *block;
    if (!take_anywhere(vk, memory)) {
        SFT_TRY(add_block(vk, memory->bytes));
        take_anywhere(vk, memory);
    }
    block = memory->block;
    block->n_taken++;
    return sft_grow(&block->free, &block->free_room, block->n_taken + 1, sizeof(*block->free));
}

enum sft_status sft_vk_memory_create(struct sft_vk *vk, size_t bytes, struct sft_vk_memory **memory)
{
    struct sft_vk_memory *made;
    enum sft_status status;
    *memory = NULL;
    if (bytes > vk->max_block)
        return sft_fail(
            SFT_MEMORY,
            "%s: %zu MiB in one piece, but its buffers hold %llu MiB at most; make the batch smaller",
            vk->adapter.properties.deviceName, bytes >> 20, (unsigned long long)(vk->max_block >> 20));
    made = sft_calloc(1, sizeof(*made));
    if (!made) return SFT_MEMORY;
    made->bytes = bytes ? (VkDeviceSize)sft_round_up((int64_t)bytes, ALIGNMENT) : ALIGNMENT;
    status = place(vk, made);
    if (status == SFT_OK)
        *memory = made;
    else
        sft_vk_memory_destroy(vk, &made);
    return status;
}

static void drop_block(struct sft_vk *vk, struct sft_vk_block *block)
{
    for (size_t i = 0; i < vk->n_blocks; i++)
        if (vk->blocks[i] == block) {
            sft_vk_block_destroy(vk, &vk->blocks[i]);
            vk->blocks[i] = vk->blocks[--vk->n_blocks];
            return;
        }
}

void sft_vk_memory_destroy(struct sft_vk *vk, struct sft_vk_memory **memory)
{
    struct sft_vk_block *block = *memory ? (*memory)->block : NULL;
    if (block) {
        if (--block->n_taken == 0)
            drop_block(vk, block);
        else
            give_back(block, (*memory)->offset, (*memory)->bytes);
    }
    free(*memory);
    *memory = NULL;
}
