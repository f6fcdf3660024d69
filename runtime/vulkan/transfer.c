/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uploads and downloads in the order of the calls. An upload never waits for a program that still runs: while
 * the device is busy the data goes through a staging block and a copy that queues behind the program. Blocks
 * come back when their copy is done; new ones are made as long as STAGED_MAX allows. Memory that the host
 * sees is written directly while the device idles.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/vulkan/vk.h"

#define STAGE_MIN ((VkDeviceSize)64 << 10)
#define STAGE_MAX ((VkDeviceSize)16 << 20)
#define STAGED_MAX ((VkDeviceSize)256 << 20)

static void destroy_stages(struct sft_vk *vk)
{
    for (size_t i = 0; i < vk->n_stages; i++) {
        vkFreeCommandBuffers(vk->device, vk->command_pool, 1, &vk->stages[i].commands);
        sft_vk_block_destroy(vk, &vk->stages[i].block);
    }
    vk->n_stages = 0;
    vk->staged = 0;
}

void sft_vk_transfer_uninit(struct sft_vk *vk)
{
    destroy_stages(vk);
    free(vk->stages);
    vk->stages = NULL;
}

static struct sft_vk_stage *find_stage(struct sft_vk *vk, VkDeviceSize bytes, uint64_t done)
{
    struct sft_vk_stage *best = NULL;
    for (size_t i = 0; i < vk->n_stages; i++) {
        struct sft_vk_stage *stage = &vk->stages[i];
        if (stage->value > done || stage->block->bytes < bytes) continue;
        if (!best || stage->block->bytes < best->block->bytes) best = stage;
    }
    return best;
}

/* A stage counts once it is whole, so that find_stage() never meets one without commands. */
static enum sft_status add_stage(struct sft_vk *vk, VkDeviceSize bytes, struct sft_vk_stage **stage)
{
    struct sft_vk_stage made = {0};
    VkDeviceSize size = STAGE_MIN;
    enum sft_status status;
    while (size < bytes) size *= 2;
    SFT_TRY(sft_grow(&vk->stages, &vk->stages_room, vk->n_stages + 1, sizeof(*vk->stages)));
    SFT_TRY(sft_vk_commands_create(vk, &made.commands));
    SFT_TRY_OUT(sft_vk_block_create(vk, vk->host_type, size, &made.block));
    sft_vk_name(vk->device, VK_OBJECT_TYPE_BUFFER, (uint64_t)made.block->buffer, "stage of transfers");
    *stage = &vk->stages[vk->n_stages++];
    **stage = made;
    vk->staged += size;
    return SFT_OK;
out:
    vkFreeCommandBuffers(vk->device, vk->command_pool, 1, &made.commands);
    return status;
}

/* A stage of at least `bytes` (at most STAGE_MAX) that nobody uses. */
static enum sft_status get_stage(struct sft_vk *vk, VkDeviceSize bytes, struct sft_vk_stage **stage)
{
    uint64_t done;
    SFT_TRY(sft_vk_done(vk, &done));
    *stage = find_stage(vk, bytes, done);
    if (*stage) return SFT_OK;
    if (vk->staged + STAGE_MAX > STAGED_MAX) {
        SFT_TRY(sft_vk_wait_all(vk));
        *stage = find_stage(vk, bytes, vk->submitted);
        if (*stage) return SFT_OK;
        destroy_stages(vk);
    }
    return add_stage(vk, bytes, stage);
}

static enum sft_status copy(struct sft_vk *vk, struct sft_vk_stage *stage, VkBuffer from, VkBuffer to,
                            VkBufferCopy region)
{
    SFT_TRY(sft_vk_commands_begin(vk, stage->commands, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT));
    vkCmdCopyBuffer(stage->commands, from, to, 1, &region);
    SFT_TRY(sft_vk_commands_end(vk, stage->commands));
    return sft_vk_submit(vk, stage->commands, &stage->value);
}

/* Where the host may touch the memory now; NULL when it cannot see it or the device may be using it. */
static enum sft_status direct(struct sft_vk *vk, const struct sft_vk_memory *memory, uint8_t **at)
{
    uint64_t done;
    *at = NULL;
    SFT_TRY(sft_vk_done(vk, &done));
    if (memory->block->mapped && done >= vk->submitted) *at = memory->block->mapped + memory->offset;
    return SFT_OK;
}

enum sft_status sft_vk_zero(struct sft_vk *vk, const struct sft_vk_memory *memory)
{
    struct sft_vk_stage *stage;
    uint8_t *at;
    SFT_TRY(direct(vk, memory, &at));
    if (at) {
        memset(at, 0, (size_t)memory->bytes);
        return SFT_OK;
    }
    SFT_TRY(get_stage(vk, 1, &stage));
    SFT_TRY(sft_vk_commands_begin(vk, stage->commands, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT));
    vkCmdFillBuffer(stage->commands, memory->block->buffer, memory->offset, memory->bytes, 0);
    SFT_TRY(sft_vk_commands_end(vk, stage->commands));
    return sft_vk_submit(vk, stage->commands, &stage->value);
}

enum sft_status sft_vk_upload(struct sft_vk *vk, const struct sft_vk_memory *memory, size_t offset,
                              const void *data, size_t bytes)
{
    const uint8_t *from = data;
    uint8_t *at;
    SFT_TRY(direct(vk, memory, &at));
    if (at) {
        memcpy(at + offset, data, bytes);
        return SFT_OK;
    }
    while (bytes > 0) {
        size_t part = bytes < STAGE_MAX ? bytes : (size_t)STAGE_MAX;
        struct sft_vk_stage *stage;
        SFT_TRY(get_stage(vk, part, &stage));
        memcpy(stage->block->mapped, from, part);
        SFT_TRY(copy(vk, stage, stage->block->buffer, memory->block->buffer,
                     (VkBufferCopy){0, memory->offset + offset, part}));
        from += part;
        offset += part;
        bytes -= part;
    }
    return SFT_OK;
}

/* Memory that the host sees but does not cache (a graphics card's, over the bus) is too slow to read. */
static bool reads_well(const struct sft_vk *vk)
{
    return vk->adapter.memory.memoryTypes[vk->device_type].propertyFlags & VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
}

enum sft_status sft_vk_download(struct sft_vk *vk, const struct sft_vk_memory *memory, size_t offset,
                                void *data, size_t bytes)
{
    uint8_t *to = data, *at;
    SFT_TRY(sft_vk_wait_all(vk));
    SFT_TRY(direct(vk, memory, &at));
    if (at && reads_well(vk)) {
        memcpy(data, at + offset, bytes);
        return SFT_OK;
    }
    while (bytes > 0) {
        size_t part = bytes < STAGE_MAX ? bytes : (size_t)STAGE_MAX;
        struct sft_vk_stage *stage;
        SFT_TRY(get_stage(vk, part, &stage));
        SFT_TRY(copy(vk, stage, memory->block->buffer, stage->block->buffer,
                     (VkBufferCopy){memory->offset + offset, 0, part}));
        SFT_TRY(sft_vk_wait(vk, stage->value));
        memcpy(to, stage->block->mapped, part);
        to += part;
        offset += part;
        bytes -= part;
    }
    return SFT_OK;
}
