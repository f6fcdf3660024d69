/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/ops.h"
#include "runtime/vulkan/recorder.h"
#include "shaders/abi/hyper.h"

enum { GROUP = 64 };

_Static_assert((int)SFT_HYPER_LR == SFT_AT_LR && (int)SFT_HYPER_RHO == SFT_AT_RHO &&
                   (int)SFT_HYPER_MOMENTUM == SFT_AT_MOMENTUM &&
                   (int)SFT_HYPER_WEIGHT_DECAY == SFT_AT_WEIGHT_DECAY &&
                   (int)SFT_HYPER_BETA1 == SFT_AT_BETA1 && (int)SFT_HYPER_BETA2 == SFT_AT_BETA2 &&
                   (int)SFT_HYPER_EPSILON == SFT_AT_EPSILON && (int)SFT_HYPER_BIAS1 == SFT_AT_BIAS1 &&
                   (int)SFT_HYPER_BIAS2 == SFT_AT_BIAS2,
               "shaders/abi/hyper.h and enum sft_hyper differ");

/* One invocation for each weight; the inputs in order, those the op mutates being updated, then the output if
 * there is one. */
static enum sft_status record(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                              const struct sft_node *node, const char *shader, bool first, bool second)
{
    uint32_t count = (uint32_t)sft_in_count(graph, node, 0);
    struct sft_vk_dispatch dispatch = {
        .shader = shader,
        .spec = {GROUP, first, second},
        .n_spec = 3,
        .push = {count},
        .n_push = 1,
    };
    for (int i = 0; i < node->n_in; i++)
        dispatch.operands[dispatch.n_operands++] =
            node->op->mutates >> i & 1 ? sft_vk_update(node->in[i]) : sft_vk_read(node->in[i]);
    if (node->n_out) dispatch.operands[dispatch.n_operands++] = sft_vk_write(node->out[0]);
    sft_vk_grid(sft_vk_recorder_limits(recorder), sft_vk_divide_up(count, GROUP), dispatch.groups);
    return sft_vk_record(recorder, &dispatch);
}

enum sft_status sft_vk_perturb(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                               const struct sft_node *node)
{
    return record(recorder, graph, node, "perturb", false, false);
}

enum sft_status sft_vk_sgd(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                           const struct sft_node *node)
{
    const struct sft_update_params *params = SFT_NODE_PARAMS(struct sft_update_params, node);
    return record(recorder, graph, node, "sgd", params->nesterov != 0, params->decay != 0);
}

enum sft_status sft_vk_adam(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                            const struct sft_node *node)
{
    const struct sft_update_params *params = SFT_NODE_PARAMS(struct sft_update_params, node);
    return record(recorder, graph, node, "adam", params->decoupled != 0, params->decay != 0);
}
