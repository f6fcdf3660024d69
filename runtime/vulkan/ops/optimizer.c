/* SPDX-License-Identifier: Apache-2.0 */
/* Updates of flat weights: an invocation for each. */
#include "runtime/ops.h"
#include "runtime/vulkan/recorder.h"
#include "shaders/abi/optimizer.h"

SFT_VK_OPERANDS(perturb_operands, SFT_PERTURB_OPERANDS);
SFT_VK_OPERANDS(sgd_operands, SFT_SGD_OPERANDS);
SFT_VK_OPERANDS(adam_operands, SFT_ADAM_OPERANDS);
SFT_VK_WORDS(optimizer_words, SFT_OPTIMIZER_WORDS);

SFT_HYPERS(SFT_VK_SAME_NUMBER)

static struct optimizer_words words_of(const struct sft_graph *graph, const struct sft_node *node)
{
    return (struct optimizer_words){.count = (uint32_t)sft_in_count(graph, node, 0)};
}

enum sft_status sft_vk_perturb(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                               const struct sft_node *node)
{
    struct sft_vk_dispatch dispatch = {.shader = "perturb"};
    const struct optimizer_words words = words_of(graph, node);
    const struct perturb_operands operands = {
        .w = sft_vk_read(node->in[0]),
        .g = sft_vk_read(node->in[1]),
        .norm = sft_vk_read(node->in[2]),
        .hyper = sft_vk_read(node->in[3]),
        .y = sft_vk_write(node->out[0]),
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_cover(recorder, &dispatch, words.count);
    return sft_vk_record(recorder, &dispatch);
}

enum sft_status sft_vk_sgd(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                           const struct sft_node *node)
{
    const struct sft_update_params *params = SFT_NODE_PARAMS(struct sft_update_params, node);
    struct sft_vk_dispatch dispatch = {.shader = "sgd"};
    const struct optimizer_words words = words_of(graph, node);
    const struct sgd_operands operands = {
        .w = sft_vk_update(node->in[0]),
        .v = sft_vk_update(node->in[1]),
        .g = sft_vk_read(node->in[2]),
        .hyper = sft_vk_read(node->in[3]),
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_cover(recorder, &dispatch, words.count);
    sft_vk_specialise(&dispatch, SFT_SGD_NESTEROV_ID, params->nesterov != 0);
    sft_vk_specialise(&dispatch, SFT_SGD_DECAY_ID, params->decay != 0);
    return sft_vk_record(recorder, &dispatch);
}

enum sft_status sft_vk_adam(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                            const struct sft_node *node)
{
    const struct sft_update_params *params = SFT_NODE_PARAMS(struct sft_update_params, node);
    struct sft_vk_dispatch dispatch = {.shader = "adam"};
    const struct optimizer_words words = words_of(graph, node);
    const struct adam_operands operands = {
        .w = sft_vk_update(node->in[0]),
        .m = sft_vk_update(node->in[1]),
        .v = sft_vk_update(node->in[2]),
        .g = sft_vk_read(node->in[3]),
        .hyper = sft_vk_read(node->in[4]),
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_cover(recorder, &dispatch, words.count);
    sft_vk_specialise(&dispatch, SFT_ADAM_DECOUPLED_ID, params->decoupled != 0);
    sft_vk_specialise(&dispatch, SFT_ADAM_DECAY_ID, params->decay != 0);
    return sft_vk_record(recorder, &dispatch);
}
