/* SPDX-License-Identifier: Apache-2.0 */
/* What draws random numbers: an invocation makes the four elements of one Philox block. */
#include "runtime/base/divide.h"
#include "runtime/base/rng.h"
#include "runtime/ops.h"
#include "runtime/vulkan/recorder.h"
#include "shaders/abi/random.h"

SFT_VK_OPERANDS(dropout_operands, SFT_DROPOUT_OPERANDS);
SFT_VK_WORDS(dropout_words, SFT_DROPOUT_WORDS);
SFT_VK_OPERANDS(normal_operands, SFT_NORMAL_OPERANDS);
SFT_VK_WORDS(normal_words, SFT_NORMAL_WORDS);

enum { BLOCK = 4 };

enum sft_status sft_vk_dropout(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                               const struct sft_node *node)
{
    const struct sft_dropout_params *params = SFT_NODE_PARAMS(struct sft_dropout_params, node);
    int64_t count = sft_in_count(graph, node, 0);
    struct sft_vk_dispatch dispatch = {.shader = "dropout"};
    const struct dropout_operands operands = {
        .x = sft_vk_read(node->in[0]),
        .key = sft_vk_read(node->in[1]),
        .y = sft_vk_write(node->out[0]),
    };
    const struct dropout_words words = {
        .count = (uint32_t)count,
        .stream = params->stream,
        .purpose = SFT_STREAM_DROPOUT,
        .probability = params->probability,
        .factor = 1.0f / (1.0f - params->probability),
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_cover(recorder, &dispatch, sft_divide_up(count, BLOCK));
    return sft_vk_record(recorder, &dispatch);
}

enum sft_status sft_vk_normal(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                              const struct sft_node *node)
{
    int64_t count = sft_out_count(graph, node, 0);
    struct sft_vk_dispatch dispatch = {.shader = "normal"};
    const struct normal_operands operands = {
        .key = sft_vk_read(node->in[0]),
        .y = sft_vk_write(node->out[0]),
    };
    const struct normal_words words = {
        .count = (uint32_t)count,
        .stream = SFT_NODE_PARAMS(struct sft_normal_params, node)->stream,
        .purpose = SFT_STREAM_PERTURB,
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_cover(recorder, &dispatch, sft_divide_up(count, BLOCK));
    return sft_vk_record(recorder, &dispatch);
}
