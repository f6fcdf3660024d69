/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vulkan/pipeline_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/base/alloc.h"
#include "runtime/vulkan/vk.h"

static double number(const VkPipelineExecutableStatisticKHR *statistic)
{
    switch (statistic->format) {
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_BOOL32_KHR:
        return statistic->value.b32;
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_INT64_KHR:
        return (double)statistic->value.i64;
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_UINT64_KHR:
        return (double)statistic->value.u64;
    default:
        return statistic->value.f64;
    }
}

static bool mentions(const char *text, const char *word)
{
    for (size_t length = strlen(word); *text; text++)
        if (strncasecmp(text, word, length) == 0) return true;
    return false;
}

static void note(struct sft_pipeline_report *report, const VkPipelineExecutableStatisticKHR *statistic)
{
    struct sft_pipeline_statistic *to = &report->statistics[report->n_statistics];
    if (report->n_statistics == SFT_REPORT_STATISTICS) return;
    snprintf(to->name, sizeof(to->name), "%.63s", statistic->name);
    to->value = number(statistic);
    report->n_statistics++;
    /* NVK's "spills to reg" move predicates into other registers: no memory is touched. */
    if (mentions(to->name, "to reg") || mentions(to->name, "from reg")) return;
    if (mentions(to->name, "spill") || mentions(to->name, "scratch") || mentions(to->name, "fills"))
        report->spills += to->value;
}

static enum sft_status read_statistics(struct sft_vk *vk, VkPipeline pipeline, uint32_t executable,
                                       struct sft_pipeline_report *report)
{
    VkPipelineExecutableInfoKHR info = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR,
        .pipeline = pipeline,
        .executableIndex = executable,
    };
    VkPipelineExecutableStatisticKHR *statistics;
    uint32_t count = 0;
    VkResult result;
    VK_TRY(vk, vkGetPipelineExecutableStatisticsKHR(vk->device, &info, &count, NULL));
    statistics = sft_calloc(count, sizeof(*statistics));
    if (!statistics) return SFT_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        statistics[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR;
    result = vkGetPipelineExecutableStatisticsKHR(vk->device, &info, &count, statistics);
    for (uint32_t i = 0; result >= VK_SUCCESS && i < count; i++) note(report, &statistics[i]);
    free(statistics);
    return result >= VK_SUCCESS ? SFT_OK : sft_vk_fail(vk, result, "vkGetPipelineExecutableStatisticsKHR");
}

static enum sft_status read_executables(struct sft_vk *vk, VkPipeline pipeline,
                                        struct sft_pipeline_report *report)
{
    VkPipelineInfoKHR info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_INFO_KHR, .pipeline = pipeline};
    uint32_t count = 0;
    if (!vk->adapter.executable_properties) return SFT_OK;
    VK_TRY(vk, vkGetPipelineExecutablePropertiesKHR(vk->device, &info, &count, NULL));
    for (uint32_t i = 0; i < count; i++) SFT_TRY(read_statistics(vk, pipeline, i, report));
    return SFT_OK;
}

static enum sft_status report_one(struct sft_vk *vk, const struct sft_vk_pipeline *what,
                                  struct sft_pipeline_report *report)
{
    VkPipelineCreateFlags flags =
        vk->adapter.executable_properties ? VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR : 0;
    VkPipeline pipeline;
    enum sft_status status;
    size_t at = 0;
    report->shader = what->shader->name;
    snprintf(report->constants, sizeof(report->constants), "default");
    for (int i = 0; i < what->n_spec && at < sizeof(report->constants); i++)
        at += (size_t)snprintf(report->constants + at, sizeof(report->constants) - at, "%s%u", i ? " " : "",
                               what->spec[i]);
    SFT_TRY(sft_vk_pipeline_create(vk, what, flags, VK_NULL_HANDLE, &pipeline));
    status = read_executables(vk, pipeline, report);
    vkDestroyPipeline(vk->device, pipeline, NULL);
    return status;
}

enum sft_status sft_pipeline_report(struct sft_device *device, struct sft_pipeline_report **list,
                                    size_t *count)
{
    struct sft_vk *vk = device->state;
    struct sft_pipeline_report *made;
    enum sft_status status = SFT_OK;
    size_t n = 0;
    *list = NULL;
    *count = 0;
    if (device->backend != &sft_vulkan_backend)
        return sft_fail(SFT_USAGE, "%s: only Vulkan devices have pipelines", device->info.name);
    made = sft_calloc((size_t)sft_shader_count + vk->n_pipelines, sizeof(*made));
    if (!made) return SFT_MEMORY;
    for (int i = 0; status == SFT_OK && i < sft_shader_count; i++) {
        struct sft_vk_pipeline plain = {.shader = &sft_shaders[i]};
        status = report_one(vk, &plain, &made[n++]);
    }
    for (size_t i = 0; status == SFT_OK && i < vk->n_pipelines; i++)
        status = report_one(vk, &vk->pipelines[i], &made[n++]);
    if (status != SFT_OK) {
        free(made);
        return status;
    }
    *list = made;
    *count = n;
    return SFT_OK;
}
