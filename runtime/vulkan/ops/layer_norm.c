/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient of layer norm. Sums over rows come in parts where that occupies a GPU better; dx comes last,
 * as it may lie in dy's memory. */
#include "runtime/base/divide.h"
#include "runtime/ops.h"
#include "runtime/vulkan/ops/columns.h"
#include "shaders/abi/layer_norm.h"

SFT_VK_WORDS(layer_norm_words, SFT_LAYER_NORM_WORDS);
SFT_VK_OPERANDS(layer_norm_dx_operands, SFT_LAYER_NORM_DX_OPERANDS);
SFT_VK_OPERANDS(layer_norm_sums_operands, SFT_LAYER_NORM_SUMS_OPERANDS);

static struct layer_norm_words words_of(const struct sft_graph *graph, const struct sft_node *node)
{
    enum { WANTED_COLUMNS = 16384, LEAST_ROWS = 64 };
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    int64_t parts = WANTED_COLUMNS / x->dim[1], most = x->dim[0] / LEAST_ROWS;
    if (parts > most) parts = most;
    if (parts < 1) parts = 1;
    return (struct layer_norm_words){
        .rows = (uint32_t)x->dim[0],
        .width = (uint32_t)x->dim[1],
        .parts = (uint32_t)parts,
        .part_rows = (uint32_t)sft_divide_up(x->dim[0], parts),
    };
}

/* Of the parts' dgamma, and of their dbeta. */
static size_t part_bytes(const struct layer_norm_words *words)
{
    return (size_t)words->parts * words->width * SFT_STORED_BYTES;
}

size_t sft_vk_layer_norm_grad_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    struct layer_norm_words words = words_of(graph, node);
    return words.parts > 1 ? 2 * part_bytes(&words) : 0;
}

/* Parts of output `i`: in scratch memory, dgamma's first, unless there is only one. */
static struct sft_vk_operand parts_of(const struct sft_node *node, const struct layer_norm_words *words,
                                      int i)
{
    size_t bytes = part_bytes(words);
    if (words->parts == 1) return sft_vk_write(node->out[i]);
    return (struct sft_vk_operand){
        .value = SFT_VK_SCRATCH, .offset = (size_t)(i - 1) * bytes, .bytes = bytes, .write = true};
}

static enum sft_status record_sums(struct sft_vk_recorder *recorder, const struct sft_node *node,
                                   const struct layer_norm_words *words)
{
    struct sft_vk_dispatch dispatch = {.shader = "layer_norm_sums"};
    const struct layer_norm_sums_operands operands = {
        .x = sft_vk_read(node->in[0]),
        .dy = sft_vk_read(node->in[1]),
        .mean = sft_vk_read(node->in[3]),
        .rstd = sft_vk_read(node->in[4]),
        .dgamma = parts_of(node, words, 1),
        .dbeta = parts_of(node, words, 2),
    };
    SFT_VK_PUSH(&dispatch, operands, *words);
    sft_vk_columns(recorder, &dispatch, (int64_t)words->parts * words->width, words->part_rows, false);
    return sft_vk_record(recorder, &dispatch);
}

static enum sft_status add_parts(struct sft_vk_recorder *recorder, const struct sft_node *node,
                                 const struct layer_norm_words *words, int i)
{
    struct sft_vk_reduction reduction = {
        .x = parts_of(node, words, i),
        .y = sft_vk_write(node->out[i]),
        .number = 1.0f,
        .whole = true,
        .shape = SFT_SHAPE(words->parts, words->width),
        .reduced = {true, false},
    };
    reduction.x.write = false;
    reduction.x.read = true;
    return sft_vk_reduce(recorder, &reduction);
}

static enum sft_status record_dx(struct sft_vk_recorder *recorder, const struct sft_node *node,
                                 const struct layer_norm_words *words)
{
    struct sft_vk_dispatch dispatch = {.shader = "layer_norm_dx"};
    const struct layer_norm_dx_operands operands = {
        .x = sft_vk_read(node->in[0]),
        .dy = sft_vk_read(node->in[1]),
        .gamma = sft_vk_read(node->in[2]),
        .mean = sft_vk_read(node->in[3]),
        .rstd = sft_vk_read(node->in[4]),
        .dx = sft_vk_write(node->out[0]),
    };
    SFT_VK_PUSH(&dispatch, operands, *words);
    sft_vk_columns(recorder, &dispatch, words->rows, words->width, true);
    return sft_vk_record(recorder, &dispatch);
}

enum sft_status sft_vk_layer_norm_grad(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                       const struct sft_node *node)
{
    struct layer_norm_words words = words_of(graph, node);
    SFT_TRY(record_sums(recorder, node, &words));
    for (int i = 1; words.parts > 1 && i < 3; i++) SFT_TRY(add_parts(recorder, node, &words, i));
    return record_dx(recorder, node, &words);
}
