/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/ops.h"
#include "runtime/vulkan/ops/columns.h"

static enum sft_status record(struct sft_vk_recorder *recorder, struct sft_vk_dispatch *dispatch,
                              const struct sft_shape *weight)
{
    uint64_t channels = (uint64_t)weight->dim[weight->rank - 1],
             rows = (uint64_t)sft_shape_count(weight) / channels;
    dispatch->push[0] = (uint32_t)rows;
    dispatch->push[1] = (uint32_t)channels;
    sft_vk_columns(sft_vk_recorder_limits(recorder), dispatch, channels, rows, false);
    return sft_vk_record(recorder, dispatch);
}

enum sft_status sft_vk_weight_standardize(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                          const struct sft_node *node)
{
    float epsilon = SFT_NODE_PARAMS(struct sft_weight_standardize_params, node)->epsilon;
    struct sft_vk_dispatch dispatch = {
        .shader = "standardize",
        .n_spec = 2,
        .operands = {sft_vk_read(node->in[0]), sft_vk_write(node->out[0]), sft_vk_write(node->out[1])},
        .n_operands = 3,
        .push = {0, 0, sft_vk_bits(epsilon)},
        .n_push = 3,
    };
    return record(recorder, &dispatch, sft_in_shape(graph, node, 0));
}

enum sft_status sft_vk_weight_standardize_grad(struct sft_vk_recorder *recorder,
                                               const struct sft_graph *graph, const struct sft_node *node)
{
    struct sft_vk_dispatch dispatch = {
        .shader = "standardize_grad",
        .n_spec = 2,
        .operands = {sft_vk_read(node->in[0]), sft_vk_read(node->in[1]), sft_vk_read(node->in[2]),
                     sft_vk_write(node->out[0])},
        .n_operands = 4,
        .n_push = 2,
    };
    return record(recorder, &dispatch, sft_in_shape(graph, node, 0));
}

enum sft_status sft_vk_running_update(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                      const struct sft_node *node)
{
    const struct sft_running_update_params *params = SFT_NODE_PARAMS(struct sft_running_update_params, node);
    uint32_t count = (uint32_t)sft_in_count(graph, node, 0);
    double n = (double)params->count;
    struct sft_vk_dispatch dispatch = {
        .shader = "running_update",
        .spec = {64},
        .n_spec = 1,
        .operands = {sft_vk_update(node->in[0]), sft_vk_update(node->in[1]), sft_vk_read(node->in[2]),
                     sft_vk_read(node->in[3])},
        .n_operands = 4,
        .push = {count, sft_vk_bits(params->momentum), sft_vk_bits(params->epsilon),
                 sft_vk_bits((float)(n / (n - 1)))},
        .n_push = 4,
    };
    sft_vk_grid(sft_vk_recorder_limits(recorder), sft_vk_divide_up(count, 64), dispatch.groups);
    return sft_vk_record(recorder, &dispatch);
}
