/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Vulkan backend's own header: one struct for the opened device and the functions of its parts, a file
 * each.
 *
 *     instance.c   the loader and the one VkInstance, validation messages
 *     adapter.c    what a physical device has, and whether it is enough
 *     device.c     opening and closing a device
 *     memory.c     large blocks, cut into tensors and arenas
 *     queue.c      command buffers, submission, waiting
 *     transfer.c   uploads and downloads
 *     pipeline.c   pipelines by shader and specialisation; cache.c keeps them on disk
 *     program.c    a graph as command buffers
 *
 * One queue runs everything, in the order of submission; a timeline semaphore counts the submissions that are
 * done.
 */
#ifndef SFT_VULKAN_VK_H
#define SFT_VULKAN_VK_H

#include <volk.h>

#include "runtime/backend.h"
#include "runtime/vulkan/recorder.h"
#include "shaders/shaders.h"

struct sft_vk;

/* ---- results ---- */

const char *sft_vk_result_str(VkResult result);

/* Describes a failed call (its name is cut from `call`) and gives its status. A lost device makes every later
 * use of `vk` fail, without another message; `vk` may be NULL. */
enum sft_status sft_vk_fail(struct sft_vk *vk, VkResult result, const char *call);

#define VK_TRY(vk, call)                                                                                     \
    do {                                                                                                     \
        VkResult vk_try_result_ = (call);                                                                    \
        if (vk_try_result_ != VK_SUCCESS) return sft_vk_fail(vk, vk_try_result_, #call);                     \
    } while (0)

/* ---- instance ---- */

/* The process's instance, VK_NULL_HANDLE where the machine has no Vulkan: that is no failure. Nothing is
 * logged; `why` (SFT_VK_WHY bytes) gets the reason for a failure or for having none, "" otherwise. */
enum { SFT_VK_WHY = sizeof(((struct sft_device_list *)0)->why) };
enum sft_status sft_vk_instance_get(VkInstance *instance, char *why) SFT_MUST_CHECK;
/* Gives an object the name that messages of the validation layer call it by; does nothing without it. */
void sft_vk_name(VkDevice device, VkObjectType type, uint64_t handle, const char *name);
int sft_vk_validation_messages(void); /* since the process started; 0 without SFT_VK_VALIDATE=1 */

/* ---- switches ---- */

/* Whether SFT_VK_DISABLE lists it: fp16, bf16, coopmat, subgroup, or cpu-kernels (a driver that runs on the
 * CPU then gets the kernels that GPUs get, so that they can be tested anywhere). */
bool sft_vk_disabled(const char *what);

/* 0 where they are not set. */
struct sft_vk_switches {
    VkDeviceSize max_block; /* SFT_VK_MAX_ALLOC, in bytes */
    double submit_seconds;  /* SFT_VK_MAX_SUBMIT_MS */
};

/* SFT_USAGE where a variable holds what it cannot, SFT_VK_DISABLE among them. */
enum sft_status sft_vk_switches_read(struct sft_vk_switches *switches) SFT_MUST_CHECK;

/* ---- adapter ---- */

struct sft_vk_adapter {
    VkPhysicalDevice handle;
    VkPhysicalDeviceProperties properties;
    VkPhysicalDeviceVulkan11Properties properties11;
    VkPhysicalDeviceVulkan12Properties properties12;
    VkPhysicalDeviceVulkan13Properties properties13;
    VkPhysicalDeviceVulkan11Features features11;
    VkPhysicalDeviceVulkan12Features features12;
    VkPhysicalDeviceVulkan13Features features13;
    VkPhysicalDeviceMemoryProperties memory;
    uint32_t heap;   /* the largest device-local one */
    uint32_t family; /* of the queue; UINT32_MAX when no family computes */
    uint32_t timestamp_bits;
    bool portability_subset, memory_budget, executable_properties, cooperative_matrix, bfloat16;
    const char *why_not; /* what it lacks, or NULL */
};

/* Every physical device, in the order that vulkan:N counts. Release with free(). */
VkResult sft_vk_enumerate(VkInstance instance, VkPhysicalDevice **handles, uint32_t *n);

enum sft_status sft_vk_adapter_read(VkPhysicalDevice handle, struct sft_vk_adapter *adapter) SFT_MUST_CHECK;
void sft_vk_adapter_info(const struct sft_vk_adapter *adapter, int index, struct sft_device_info *info);
struct sft_vk_limits sft_vk_adapter_limits(const struct sft_vk_adapter *adapter);

/* Appends a row for each adapter. */
enum sft_status sft_vk_list(struct sft_device_list *list) SFT_MUST_CHECK;

/* ---- memory ---- */

struct sft_vk_block {
    VkBuffer buffer; /* over the whole block */
    VkDeviceMemory memory;
    VkDeviceAddress address;
    uint8_t *mapped; /* NULL when the host cannot see it */
    VkDeviceSize bytes;
    struct sft_vk_range {
        VkDeviceSize offset, bytes;
    } * free; /* by offset, never touching */
    size_t n_free, free_room, n_taken;
};

struct sft_vk_memory {
    struct sft_vk_block *block; /* borrowed */
    VkDeviceSize offset, bytes;
};

/* A block of its own outside the list, of memory type `type`, mapped when the host can see it. */
enum sft_status sft_vk_block_create(struct sft_vk *vk, uint32_t type, VkDeviceSize bytes,
                                    struct sft_vk_block **block) SFT_MUST_CHECK;
void sft_vk_block_destroy(struct sft_vk *vk, struct sft_vk_block **block);

/* Picks the memory types. */
enum sft_status sft_vk_memory_init(struct sft_vk *vk) SFT_MUST_CHECK;
void sft_vk_memory_uninit(struct sft_vk *vk);

/* Contents undefined. Release only when the device no longer uses it. */
enum sft_status sft_vk_memory_create(struct sft_vk *vk, size_t bytes,
                                     struct sft_vk_memory **memory) SFT_MUST_CHECK;
void sft_vk_memory_destroy(struct sft_vk *vk, struct sft_vk_memory **memory);

static inline VkDeviceAddress sft_vk_address(const struct sft_vk_memory *memory)
{
    return memory->block->address + memory->offset;
}

/* ---- queue ---- */

enum sft_status sft_vk_queue_init(struct sft_vk *vk) SFT_MUST_CHECK;
void sft_vk_queue_uninit(struct sft_vk *vk);
enum sft_status sft_vk_commands_create(struct sft_vk *vk, VkCommandBuffer *commands) SFT_MUST_CHECK;

/* Every command buffer starts by waiting for what was submitted before it, and ends by showing its results to
 * the host.
 */
enum sft_status sft_vk_commands_begin(struct sft_vk *vk, VkCommandBuffer commands,
                                      VkCommandBufferUsageFlags usage) SFT_MUST_CHECK;
enum sft_status sft_vk_commands_end(struct sft_vk *vk, VkCommandBuffer commands) SFT_MUST_CHECK;
void sft_vk_barrier(VkCommandBuffer commands, VkPipelineStageFlags2 from, VkPipelineStageFlags2 to);

/* Submits; `*value` (may be NULL) is what the timeline reaches when it is done. */
enum sft_status sft_vk_submit(struct sft_vk *vk, VkCommandBuffer commands, uint64_t *value) SFT_MUST_CHECK;
enum sft_status sft_vk_wait(struct sft_vk *vk, uint64_t value) SFT_MUST_CHECK;
enum sft_status sft_vk_wait_all(struct sft_vk *vk) SFT_MUST_CHECK;
/* Waits until nothing runs, before memory and commands go that may be in use; a lost device comes to an end
 * too. False where that cannot be known: then they must stay. */
bool sft_vk_idle(struct sft_vk *vk) SFT_MUST_CHECK;
enum sft_status sft_vk_done(struct sft_vk *vk,
                            uint64_t *value) SFT_MUST_CHECK; /* what the timeline has reached */

/* ---- transfers ---- */

struct sft_vk_stage {
    struct sft_vk_block *block; /* owned */
    VkCommandBuffer commands;
    uint64_t value; /* free again when the timeline reaches it */
};

void sft_vk_transfer_uninit(struct sft_vk *vk);
enum sft_status sft_vk_zero(struct sft_vk *vk, const struct sft_vk_memory *memory) SFT_MUST_CHECK;
enum sft_status sft_vk_upload(struct sft_vk *vk, const struct sft_vk_memory *memory, size_t offset,
                              const void *data, size_t bytes) SFT_MUST_CHECK;
enum sft_status sft_vk_download(struct sft_vk *vk, const struct sft_vk_memory *memory, size_t offset,
                                void *data, size_t bytes) SFT_MUST_CHECK;

/* ---- pipelines ---- */

struct sft_vk_pipeline {
    const struct sft_shader *shader;
    uint32_t spec[SFT_VK_MAX_SPEC];
    int n_spec;
    VkPipeline handle;
};

enum sft_status sft_vk_pipelines_init(struct sft_vk *vk) SFT_MUST_CHECK;
void sft_vk_pipelines_uninit(struct sft_vk *vk);

/* The pipeline of a shader under constants: from this device's list, or made and kept there. */
enum sft_status sft_vk_pipeline_get(struct sft_vk *vk, const char *shader, const uint32_t *spec, int n_spec,
                                    VkPipeline *pipeline) SFT_MUST_CHECK;

/* Makes one that nobody keeps. */
enum sft_status sft_vk_pipeline_create(struct sft_vk *vk, const struct sft_vk_pipeline *what,
                                       VkPipelineCreateFlags flags, VkPipelineCache cache,
                                       VkPipeline *pipeline) SFT_MUST_CHECK;

/* The cache file of this device and driver: reading one that is missing or damaged gives an empty cache. */
enum sft_status sft_vk_cache_open(struct sft_vk *vk) SFT_MUST_CHECK;
void sft_vk_cache_save(struct sft_vk *vk); /* failures are warnings */

/* ---- programs ---- */

enum sft_status sft_vk_program_prepare(struct sft_program *program) SFT_MUST_CHECK;
void sft_vk_program_forget(struct sft_program *program);
enum sft_status sft_vk_program_run(struct sft_program *program) SFT_MUST_CHECK;

/* ---- the opened device ---- */

extern const struct sft_backend sft_vulkan_backend;

struct sft_vk {
    struct sft_vk_adapter adapter;
    struct sft_vk_limits limits;
    bool set_subgroup_size; /* shaders with subgroup operations are told to use limits.subgroup_size */
    bool lost;
    int messages; /* of the validation layer before this device was opened */
    struct sft_vk_switches switches;
    double submit_seconds; /* estimated work after which a command buffer is cut; 0: never */
    VkDevice device;
    VkQueue queue;

    VkCommandPool command_pool;
    VkSemaphore timeline;
    uint64_t submitted; /* last value handed out */

    uint32_t device_type, host_type; /* memory types */
    VkDeviceSize max_block;          /* bytes of one allocation */
    struct sft_vk_block **blocks;    /* owned */
    size_t n_blocks, blocks_room;

    struct sft_vk_stage *stages;
    size_t n_stages, stages_room;
    VkDeviceSize staged; /* bytes of all stages */

    VkPipelineLayout layout; /* of every pipeline: push constants, no descriptors */
    VkPipelineCache cache;
    struct sft_vk_pipeline *pipelines;
    size_t n_pipelines, pipelines_room;
    size_t new_pipelines; /* made since the cache was read */
};

#endif
