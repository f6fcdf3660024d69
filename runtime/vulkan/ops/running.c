/* SPDX-License-Identifier: Apache-2.0 */
/* Batch norm's running statistics: an invocation for each channel. */
#include "runtime/ops.h"
#include "runtime/vulkan/recorder.h"
#include "shaders/abi/norm.h"

SFT_VK_OPERANDS(running_update_operands, SFT_RUNNING_UPDATE_OPERANDS);
SFT_VK_WORDS(running_update_words, SFT_RUNNING_UPDATE_WORDS);

enum sft_status sft_vk_running_update(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                      const struct sft_node *node)
{
    const struct sft_running_update_params *params = SFT_NODE_PARAMS(struct sft_running_update_params, node);
    double n = (double)params->count;
    struct sft_vk_dispatch dispatch = {.shader = "running_update"};
    const struct running_update_operands operands = {
        .running_mean = sft_vk_update(node->in[0]),
        .running_variance = sft_vk_update(node->in[1]),
        .mean = sft_vk_read(node->in[2]),
        .rstd = sft_vk_read(node->in[3]),
    };
    const struct running_update_words words = {
        .count = (uint32_t)sft_in_count(graph, node, 0),
        .momentum = params->momentum,
        .epsilon = params->epsilon,
        .correction = (float)(n / (n - 1)),
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_cover(recorder, &dispatch, words.count);
    return sft_vk_record(recorder, &dispatch);
}
