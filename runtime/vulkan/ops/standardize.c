/* SPDX-License-Identifier: Apache-2.0 */
/* Weight standardisation: a column of lanes for each output channel. */
#include "runtime/ops.h"
#include "runtime/vulkan/ops/columns.h"
#include "shaders/abi/standardize.h"

SFT_VK_OPERANDS(standardize_operands, SFT_STANDARDIZE_OPERANDS);
SFT_VK_WORDS(standardize_words, SFT_STANDARDIZE_WORDS);
SFT_VK_OPERANDS(standardize_grad_operands, SFT_STANDARDIZE_GRAD_OPERANDS);
SFT_VK_WORDS(standardize_grad_words, SFT_STANDARDIZE_GRAD_WORDS);

static int64_t channels_of(const struct sft_shape *weight) { return weight->dim[weight->rank - 1]; }

static int64_t rows_of(const struct sft_shape *weight)
{
    return sft_shape_count(weight) / channels_of(weight);
}

enum sft_status sft_vk_weight_standardize(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                          const struct sft_node *node)
{
    const struct sft_shape *weight = sft_in_shape(graph, node, 0);
    struct sft_vk_dispatch dispatch = {.shader = "standardize"};
    const struct standardize_operands operands = {
        .w = sft_vk_read(node->in[0]),
        .y = sft_vk_write(node->out[0]),
        .rstd = sft_vk_write(node->out[1]),
    };
    const struct standardize_words words = {
        .rows = (uint32_t)rows_of(weight),
        .channels = (uint32_t)channels_of(weight),
        .epsilon = SFT_NODE_PARAMS(struct sft_weight_standardize_params, node)->epsilon,
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_columns(recorder, &dispatch, words.channels, words.rows, false);
    return sft_vk_record(recorder, &dispatch);
}

enum sft_status sft_vk_weight_standardize_grad(struct sft_vk_recorder *recorder,
                                               const struct sft_graph *graph, const struct sft_node *node)
{
    const struct sft_shape *weight = sft_in_shape(graph, node, 0);
    struct sft_vk_dispatch dispatch = {.shader = "standardize_grad"};
    const struct standardize_grad_operands operands = {
        .dy = sft_vk_read(node->in[0]),
        .y = sft_vk_read(node->in[1]),
        .rstd = sft_vk_read(node->in[2]),
        .dw = sft_vk_write(node->out[0]),
    };
    const struct standardize_grad_words words = {
        .rows = (uint32_t)rows_of(weight),
        .channels = (uint32_t)channels_of(weight),
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_columns(recorder, &dispatch, words.channels, words.rows, false);
    return sft_vk_record(recorder, &dispatch);
}
