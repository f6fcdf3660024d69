/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/ops.h"
#include "runtime/vulkan/recorder.h"
#include "shaders/abi/pool.h"

SFT_VK_OPERANDS(pool_operands, SFT_POOL_OPERANDS);
SFT_VK_OPERANDS(pool_grad_operands, SFT_POOL_GRAD_OPERANDS);
SFT_VK_WORDS(pool_words, SFT_POOL_WORDS);

/* `x` is the large side of the pooling, `y` the small one; `made` elements come out. */
static struct pool_words words_of(const struct sft_pool_params *params, const struct sft_shape *x,
                                  const struct sft_shape *y, int64_t made)
{
    return (struct pool_words){
        .count = (uint32_t)made,
        .H = (uint32_t)x->dim[1],
        .W = (uint32_t)x->dim[2],
        .P = (uint32_t)y->dim[1],
        .Q = (uint32_t)y->dim[2],
        .C = (uint32_t)x->dim[3],
        .R = (uint32_t)params->kernel[0],
        .S = (uint32_t)params->kernel[1],
        .stride_h = (uint32_t)params->stride[0],
        .stride_w = (uint32_t)params->stride[1],
        .pad_h = (uint32_t)params->pad[0],
        .pad_w = (uint32_t)params->pad[1],
    };
}

static enum sft_status forward(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                               const struct sft_node *node, bool average)
{
    const struct sft_pool_params *params = SFT_NODE_PARAMS(struct sft_pool_params, node);
    const struct sft_shape *x = sft_in_shape(graph, node, 0), *y = sft_out_shape(graph, node, 0);
    struct sft_vk_dispatch dispatch = {.shader = "pool"};
    const struct pool_words words = words_of(params, x, y, sft_shape_count(y));
    const struct pool_operands operands = {
        .x = sft_vk_read(node->in[0]),
        .y = sft_vk_write(node->out[0]),
        .index = sft_vk_write(average ? SFT_NONE : node->out[1]),
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_cover(recorder, &dispatch, words.count);
    sft_vk_specialise(&dispatch, SFT_POOL_AVERAGE_ID, average);
    sft_vk_specialise(&dispatch, SFT_POOL_ZERO_PAD_ID, params->zero_pad != 0);
    return sft_vk_record(recorder, &dispatch);
}

static enum sft_status backward(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                const struct sft_node *node, bool average)
{
    const struct sft_pool_params *params = SFT_NODE_PARAMS(struct sft_pool_params, node);
    const struct sft_shape *dy = sft_in_shape(graph, node, 0), *dx = sft_out_shape(graph, node, 0);
    struct sft_vk_dispatch dispatch = {.shader = "pool_grad"};
    const struct pool_words words = words_of(params, dx, dy, sft_shape_count(dx));
    const struct pool_grad_operands operands = {
        .dy = sft_vk_read(node->in[0]),
        .index = sft_vk_read(average ? SFT_NONE : node->in[1]),
        .dx = sft_vk_write(node->out[0]),
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_cover(recorder, &dispatch, words.count);
    sft_vk_specialise(&dispatch, SFT_POOL_AVERAGE_ID, average);
    return sft_vk_record(recorder, &dispatch);
}

enum sft_status sft_vk_max_pool(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                const struct sft_node *node)
{
    return forward(recorder, graph, node, false);
}

enum sft_status sft_vk_avg_pool(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                const struct sft_node *node)
{
    return forward(recorder, graph, node, true);
}

enum sft_status sft_vk_max_pool_grad(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                     const struct sft_node *node)
{
    return backward(recorder, graph, node, false);
}

enum sft_status sft_vk_avg_pool_grad(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                     const struct sft_node *node)
{
    return backward(recorder, graph, node, true);
}
