/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/ops.h"
#include "runtime/vulkan/recorder.h"
#include "shaders/abi/unfold.h"

SFT_VK_OPERANDS(unfold_operands, SFT_UNFOLD_OPERANDS);
SFT_VK_WORDS(unfold_words, SFT_UNFOLD_WORDS);

static struct unfold_words words_of(const struct sft_unfold_params *patch, const struct sft_shape *image,
                                    int64_t made)
{
    return (struct unfold_words){
        .count = (uint32_t)made,
        .H = (uint32_t)image->dim[1],
        .W = (uint32_t)image->dim[2],
        .C = (uint32_t)image->dim[3],
        .P = (uint32_t)((image->dim[1] + 2 * patch->pad - patch->kernel) / patch->stride + 1),
        .Q = (uint32_t)((image->dim[2] + 2 * patch->pad - patch->kernel) / patch->stride + 1),
        .kernel = (uint32_t)patch->kernel,
        .stride = (uint32_t)patch->stride,
        .pad = (uint32_t)patch->pad,
    };
}

static enum sft_status record(struct sft_vk_recorder *recorder, const struct sft_node *node,
                              const struct unfold_words *words, bool adjoint)
{
    struct sft_vk_dispatch dispatch = {.shader = "unfold"};
    const struct unfold_operands operands = {
        .x = sft_vk_read(node->in[0]),
        .y = sft_vk_write(node->out[0]),
    };
    SFT_VK_PUSH(&dispatch, operands, *words);
    sft_vk_cover(recorder, &dispatch, words->count);
    sft_vk_specialise(&dispatch, SFT_UNFOLD_ADJOINT_ID, adjoint);
    return sft_vk_record(recorder, &dispatch);
}

enum sft_status sft_vk_unfold(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                              const struct sft_node *node)
{
    const struct unfold_words words = words_of(SFT_NODE_PARAMS(struct sft_unfold_params, node),
                                               sft_in_shape(graph, node, 0), sft_out_count(graph, node, 0));
    return record(recorder, node, &words, false);
}

enum sft_status sft_vk_fold(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                            const struct sft_node *node)
{
    const struct unfold_words words = words_of(&SFT_NODE_PARAMS(struct sft_fold_params, node)->patch,
                                               sft_out_shape(graph, node, 0), sft_out_count(graph, node, 0));
    return record(recorder, node, &words, true);
}
