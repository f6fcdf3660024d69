/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/ops.h"
#include "runtime/vulkan/ops/columns.h"

size_t sft_vk_sum_to_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    int64_t kept = sft_out_count(graph, node, 0);
    return sft_vk_reduce_scratch(kept, sft_in_count(graph, node, 0) / kept);
}

enum sft_status sft_vk_sum_to(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                              const struct sft_node *node)
{
    const struct sft_sum_to_params *params = SFT_NODE_PARAMS(struct sft_sum_to_params, node);
    struct sft_vk_reduction reduction = {
        .x = sft_vk_read(node->in[0]),
        .y = sft_vk_write(node->out[0]),
        .shape = *sft_in_shape(graph, node, 0),
        .number = params->scale,
    };
    struct sft_shape padded;
    sft_shape_broadcasts(&params->shape, &reduction.shape, &padded);
    for (int i = 0; i < padded.rank; i++) reduction.reduced[i] = padded.dim[i] == 1;
    return sft_vk_reduce(recorder, &reduction);
}

size_t sft_vk_norm2_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    return sft_vk_reduce_scratch(1, sft_in_count(graph, node, 0));
}

enum sft_status sft_vk_norm2(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                             const struct sft_node *node)
{
    struct sft_vk_reduction reduction = {
        .x = sft_vk_read(node->in[0]),
        .y = sft_vk_write(node->out[0]),
        .shape = SFT_SHAPE(sft_in_count(graph, node, 0)),
        .reduced = {true},
        .square = true,
        .root = true,
        .number = SFT_NODE_PARAMS(struct sft_norm2_params, node)->epsilon,
    };
    return sft_vk_reduce(recorder, &reduction);
}
