/* SPDX-License-Identifier: Apache-2.0 */
/* Power iteration: a column of lanes works on a matrix, its vectors lie in scratch memory. */
#include "runtime/base/divide.h"
#include "runtime/ops.h"
#include "runtime/vulkan/recorder.h"
#include "shaders/abi/lowrank.h"

SFT_VK_OPERANDS(remove_rank_one_operands, SFT_REMOVE_RANK_ONE_OPERANDS);
SFT_VK_WORDS(remove_rank_one_words, SFT_REMOVE_RANK_ONE_WORDS);

enum { LANES = 64, EXACT_ITERATIONS = 1000 };

static uint32_t columns_of(const struct sft_shape *x) { return (uint32_t)x->dim[x->rank - 1]; }

static uint32_t rows_of(const struct sft_shape *x)
{
    return (uint32_t)(sft_shape_count(x) / x->dim[0] / x->dim[x->rank - 1]);
}

size_t sft_vk_remove_rank_one_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    return (size_t)x->dim[0] * (rows_of(x) + columns_of(x)) * SFT_STORED_BYTES;
}

/* Rounds of one dispatch: some drivers that run on the CPU end the loops of a shader after 65536 turns
 * together. */
static uint32_t rounds_at_once(const struct sft_shape *x)
{
    enum { MOST_TURNS = 32768 };
    int64_t rows = rows_of(x);
    int64_t columns = columns_of(x);
    int64_t turns = sft_divide_up(rows, LANES) * columns + sft_divide_up(columns, LANES) * rows;
    return turns < MOST_TURNS ? (uint32_t)(MOST_TURNS / turns) : 1;
}

static enum sft_status record_rounds(struct sft_vk_recorder *recorder, const struct sft_node *node,
                                     const struct sft_shape *x, uint32_t first, uint32_t last, bool finish)
{
    struct sft_vk_dispatch dispatch = {.shader = "remove_rank_one"};
    const struct remove_rank_one_operands operands = {
        .x = sft_vk_read(node->in[0]),
        .start = sft_vk_read(node->in[1]),
        .y = sft_vk_write(node->out[0]),
        .quality = sft_vk_write(node->out[1]),
        .vectors = {.value = SFT_VK_SCRATCH, .read = first > 0, .write = true},
    };
    const struct remove_rank_one_words words = {
        .count = (uint32_t)x->dim[0],
        .rows = rows_of(x),
        .columns = columns_of(x),
        .first = first,
        .last = last,
        .finish = finish,
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_specialise(&dispatch, SFT_GROUP_SIZE_ID, LANES);
    sft_vk_specialise(&dispatch, SFT_TX_ID, 1);
    sft_vk_grid(sft_vk_recorder_limits(recorder), x->dim[0], dispatch.groups);
    return sft_vk_record(recorder, &dispatch);
}

enum sft_status sft_vk_remove_rank_one(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                       const struct sft_node *node)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    int iterations = SFT_NODE_PARAMS(struct sft_remove_rank_one_params, node)->iterations;
    uint32_t end = (uint32_t)(iterations == SFT_EXACT_RANK_ONE ? EXACT_ITERATIONS : iterations) + 1;
    uint32_t rounds = rounds_at_once(x);
    for (uint32_t first = 0; first < end; first += rounds) {
        uint32_t last = first + rounds < end ? first + rounds : end;
        SFT_TRY(record_rounds(recorder, node, x, first, last, last == end));
    }
    return SFT_OK;
}
