/* SPDX-License-Identifier: Apache-2.0 */
/* What draws random numbers. */
#include "runtime/base/rng.h"
#include "runtime/ops.h"
#include "runtime/vulkan/recorder.h"

enum { GROUP = 64 };

enum sft_status sft_vk_dropout(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                               const struct sft_node *node)
{
    const struct sft_dropout_params *params = SFT_NODE_PARAMS(struct sft_dropout_params, node);
    uint32_t count = (uint32_t)sft_in_count(graph, node, 0);
    struct sft_vk_dispatch dispatch = {
        .shader = "dropout",
        .spec = {GROUP},
        .n_spec = 1,
        .operands = {sft_vk_read(node->in[0]), sft_vk_read(node->in[1]), sft_vk_write(node->out[0])},
        .n_operands = 3,
        .push = {count, params->stream, SFT_STREAM_DROPOUT, sft_vk_bits(params->probability),
                 sft_vk_bits(1.0f / (1.0f - params->probability))},
        .n_push = 5,
    };
    sft_vk_grid(sft_vk_recorder_limits(recorder), sft_vk_divide_up(count, 4 * GROUP), dispatch.groups);
    return sft_vk_record(recorder, &dispatch);
}

enum sft_status sft_vk_normal(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                              const struct sft_node *node)
{
    uint32_t count = (uint32_t)sft_out_count(graph, node, 0);
    struct sft_vk_dispatch dispatch = {
        .shader = "normal",
        .spec = {GROUP},
        .n_spec = 1,
        .operands = {sft_vk_read(node->in[0]), sft_vk_write(node->out[0])},
        .n_operands = 2,
        .push = {count, SFT_NODE_PARAMS(struct sft_normal_params, node)->stream, SFT_STREAM_PERTURB},
        .n_push = 3,
    };
    sft_vk_grid(sft_vk_recorder_limits(recorder), sft_vk_divide_up(count, 4 * GROUP), dispatch.groups);
    return sft_vk_record(recorder, &dispatch);
}
