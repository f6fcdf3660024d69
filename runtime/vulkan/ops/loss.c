/* SPDX-License-Identifier: Apache-2.0 */
/* Ops along rows: softmax and the losses. A column of lanes works on a row. */
#include "runtime/ops.h"
#include "runtime/vulkan/ops/columns.h"
#include "shaders/abi/loss.h"

SFT_VK_OPERANDS(softmax_operands, SFT_SOFTMAX_OPERANDS);
SFT_VK_OPERANDS(softmax_grad_operands, SFT_SOFTMAX_GRAD_OPERANDS);
SFT_VK_WORDS(softmax_words, SFT_SOFTMAX_WORDS);
SFT_VK_OPERANDS(row_loss_operands, SFT_ROW_LOSS_OPERANDS);
SFT_VK_OPERANDS(row_loss_grad_operands, SFT_ROW_LOSS_GRAD_OPERANDS);
SFT_VK_WORDS(row_loss_words, SFT_ROW_LOSS_WORDS);

SFT_DISTANCES(SFT_VK_SAME_NUMBER)

static uint32_t width_of(const struct sft_shape *shape) { return (uint32_t)shape->dim[shape->rank - 1]; }

static uint32_t rows_of(const struct sft_shape *shape)
{
    return (uint32_t)(sft_shape_count(shape) / shape->dim[shape->rank - 1]);
}

/* ---- softmax ---- */

static struct softmax_words softmax_words_of(const struct sft_shape *shape)
{
    return (struct softmax_words){.rows = rows_of(shape), .width = width_of(shape)};
}

enum sft_status sft_vk_softmax(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                               const struct sft_node *node)
{
    struct sft_vk_dispatch dispatch = {.shader = "softmax"};
    const struct softmax_words words = softmax_words_of(sft_in_shape(graph, node, 0));
    const struct softmax_operands operands = {
        .x = sft_vk_read(node->in[0]),
        .y = sft_vk_write(node->out[0]),
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_columns(recorder, &dispatch, words.rows, words.width, true);
    return sft_vk_record(recorder, &dispatch);
}

enum sft_status sft_vk_softmax_grad(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                    const struct sft_node *node)
{
    struct sft_vk_dispatch dispatch = {.shader = "softmax_grad"};
    const struct softmax_words words = softmax_words_of(sft_in_shape(graph, node, 0));
    const struct softmax_grad_operands operands = {
        .dy = sft_vk_read(node->in[0]),
        .y = sft_vk_read(node->in[1]),
        .dx = sft_vk_write(node->out[0]),
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_columns(recorder, &dispatch, words.rows, words.width, true);
    return sft_vk_record(recorder, &dispatch);
}

/* ---- losses ---- */

static struct row_loss_words row_loss_words_of(const struct sft_row_loss_params *params,
                                               const struct sft_shape *logits)
{
    return (struct row_loss_words){
        .rows = rows_of(logits),
        .width = width_of(logits),
        .energy_weight = params->energy_weight,
        .energy_in = params->energy_in,
        .energy_out = params->energy_out,
    };
}

enum sft_status sft_vk_row_loss(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                const struct sft_node *node)
{
    const struct sft_row_loss_params *params = SFT_NODE_PARAMS(struct sft_row_loss_params, node);
    struct sft_vk_dispatch dispatch = {.shader = "row_loss"};
    const struct row_loss_words words = row_loss_words_of(params, sft_in_shape(graph, node, 0));
    const struct row_loss_operands operands = {
        .logits = sft_vk_read(node->in[0]),
        .labels = sft_vk_read(node->in[1]),
        .loss = sft_vk_write(node->out[0]),
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_columns(recorder, &dispatch, words.rows, words.width, true);
    sft_vk_specialise(&dispatch, SFT_ROW_LOSS_DISTANCE_ID, (uint32_t)params->distance);
    return sft_vk_record(recorder, &dispatch);
}

enum sft_status sft_vk_row_loss_grad(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                     const struct sft_node *node)
{
    const struct sft_row_loss_params *params = SFT_NODE_PARAMS(struct sft_row_loss_params, node);
    struct sft_vk_dispatch dispatch = {.shader = "row_loss_grad"};
    const struct row_loss_words words = row_loss_words_of(params, sft_in_shape(graph, node, 0));
    const struct row_loss_grad_operands operands = {
        .logits = sft_vk_read(node->in[0]),
        .labels = sft_vk_read(node->in[1]),
        .dloss = sft_vk_read(node->in[2]),
        .dlogits = sft_vk_write(node->out[0]),
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_columns(recorder, &dispatch, words.rows, words.width, true);
    sft_vk_specialise(&dispatch, SFT_ROW_LOSS_DISTANCE_ID, (uint32_t)params->distance);
    return sft_vk_record(recorder, &dispatch);
}
