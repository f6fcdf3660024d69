/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/log.h"
#include "runtime/vulkan/vk.h"

enum sft_status sft_vk_pipelines_init(struct sft_vk *vk)
{
    VkPushConstantRange range = {VK_SHADER_STAGE_COMPUTE_BIT, 0, SFT_VK_PUSH_BYTES};
    VkPipelineLayoutCreateInfo layout = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
        .pushConstantRangeCount = 1,
        .pPushConstantRanges = &range,
    };
    VK_TRY(vk, vkCreatePipelineLayout(vk->device, &layout, NULL, &vk->layout));
    return sft_vk_cache_open(vk);
}

void sft_vk_pipelines_uninit(struct sft_vk *vk)
{
    if (vk->new_pipelines > 0 && !vk->lost) sft_vk_cache_save(vk);
    for (size_t i = 0; i < vk->n_pipelines; i++) vkDestroyPipeline(vk->device, vk->pipelines[i].handle, NULL);
    vkDestroyPipelineCache(vk->device, vk->cache, NULL);
    vkDestroyPipelineLayout(vk->device, vk->layout, NULL);
    free(vk->pipelines);
    vk->pipelines = NULL;
    vk->n_pipelines = 0;
}

/* Whether the module declares an OpCapability GroupNonUniform... (61 to 68). Capabilities come first. */
static bool uses_subgroups(const struct sft_shader *shader)
{
    const uint32_t header = 5, capability = 17;
    for (size_t at = header; at + 1 < shader->bytes / 4 && (shader->words[at] & 0xffff) == capability;
         at += 2)
        if (shader->words[at + 1] >= 61 && shader->words[at + 1] <= 68) return true;
    return false;
}

enum sft_status sft_vk_pipeline_create(struct sft_vk *vk, const struct sft_vk_pipeline *what,
                                       VkPipelineCreateFlags flags, VkPipelineCache cache,
                                       VkPipeline *pipeline)
{
    VkSpecializationMapEntry entries[SFT_VK_MAX_SPEC];
    VkSpecializationInfo spec = {(uint32_t)what->n_spec, entries, (size_t)what->n_spec * 4, what->spec};
    VkShaderModuleCreateInfo code = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
        .codeSize = what->shader->bytes,
        .pCode = what->shader->words,
    };
    VkPipelineShaderStageRequiredSubgroupSizeCreateInfo subgroup = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
        .requiredSubgroupSize = vk->limits.subgroup_size,
    };
    VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .flags = flags,
        .layout = vk->layout,
        .stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
        .stage.stage = VK_SHADER_STAGE_COMPUTE_BIT,
        .stage.pName = "main",
        .stage.pSpecializationInfo = &spec,
    };
    VkResult result;
    for (uint32_t i = 0; i < SFT_VK_MAX_SPEC; i++) entries[i] = (VkSpecializationMapEntry){i, i * 4, 4};
    if (vk->set_subgroup_size && uses_subgroups(what->shader)) info.stage.pNext = &subgroup;
    VK_TRY(vk, vkCreateShaderModule(vk->device, &code, NULL, &info.stage.module));
    result = vkCreateComputePipelines(vk->device, cache, 1, &info, NULL, pipeline);
    vkDestroyShaderModule(vk->device, info.stage.module, NULL);
    if (result == VK_SUCCESS) {
        sft_vk_name(vk->device, VK_OBJECT_TYPE_PIPELINE, (uint64_t)*pipeline, what->shader->name);
        return SFT_OK;
    }
    if (result != VK_ERROR_DEVICE_LOST)
        sft_log(SFT_LOG_ERROR, "shader %s could not be compiled by the driver", what->shader->name);
    return sft_vk_fail(vk, result, "vkCreateComputePipelines");
}

enum sft_status sft_vk_pipeline_get(struct sft_vk *vk, const char *shader, const uint32_t *spec, int n_spec,
                                    VkPipeline *pipeline)
{
    struct sft_vk_pipeline wanted = {.shader = sft_shader_find(shader), .n_spec = n_spec};
    memcpy(wanted.spec, spec, (size_t)n_spec * sizeof(*spec));
    if (!wanted.shader) return sft_fail(SFT_DEVICE, "shader %s is not part of this build", shader);
    for (size_t i = 0; i < vk->n_pipelines; i++) {
        const struct sft_vk_pipeline *known = &vk->pipelines[i];
        if (known->shader != wanted.shader || memcmp(known->spec, wanted.spec, sizeof(wanted.spec)) != 0)
            continue;
        *pipeline = known->handle;
        return SFT_OK;
    }
    SFT_TRY(sft_grow(&vk->pipelines, &vk->pipelines_room, vk->n_pipelines + 1, sizeof(wanted)));
    SFT_TRY(sft_vk_pipeline_create(vk, &wanted, 0, vk->cache, &wanted.handle));
    vk->pipelines[vk->n_pipelines++] = wanted;
    vk->new_pipelines++;
    *pipeline = wanted.handle;
    return SFT_OK;
}
