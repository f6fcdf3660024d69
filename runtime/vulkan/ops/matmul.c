/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/ops.h"
#include "runtime/vulkan/ops/gemm.h"
#include "shaders/abi/matmul.h"

SFT_VK_OPERANDS(matmul_operands, SFT_MATMUL_OPERANDS);
SFT_VK_WORDS(matmul_words, SFT_MATMUL_WORDS);

static struct sft_vk_gemm product(const struct sft_graph *graph, const struct sft_node *node)
{
    const struct sft_matmul_params *params = SFT_NODE_PARAMS(struct sft_matmul_params, node);
    const struct sft_shape *a = sft_in_shape(graph, node, 0), *y = sft_out_shape(graph, node, 0);
    int last = y->rank - 1;
    struct sft_vk_gemm gemm = {
        .rows = y->dim[last - 1],
        .columns = y->dim[last],
        .depth = a->dim[params->transpose_a ? last - 1 : last],
        .matrices = y->rank == 3 ? y->dim[0] : 1,
        .transposed_a = params->transpose_a,
        .transposed_b = params->transpose_b,
    };
    gemm.vec_a = sft_vk_aligned(graph, node->in[0]) && a->dim[last] % 4 == 0;
    gemm.vec_b = sft_vk_aligned(graph, node->in[1]) && sft_in_shape(graph, node, 1)->dim[last] % 4 == 0;
    gemm.vec_d = sft_vk_aligned(graph, node->out[0]) && gemm.columns % 4 == 0 &&
                 (node->in[2] == SFT_NONE || sft_vk_aligned(graph, node->in[2]));
    if (gemm.transposed_b) {
        gemm.b_matrices = gemm.matrices;
        gemm.b_columns = gemm.columns;
        gemm.b_depth = gemm.depth;
    }
    return gemm;
}

size_t sft_vk_matmul_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    struct sft_vk_gemm gemm = product(graph, node);
    return sft_vk_gemm_scratch(&gemm);
}

/* `transposed_b`: as B lies in memory for the kernel. */
static struct matmul_words words_of(const struct sft_vk_gemm *gemm, bool transposed_b, bool relu)
{
    int64_t splits = sft_vk_gemm_splits(gemm);
    return (struct matmul_words){
        .rows = (uint32_t)gemm->rows,
        .columns = (uint32_t)gemm->columns,
        .depth = (uint32_t)gemm->depth,
        .a_row = (uint32_t)(gemm->transposed_a ? 1 : gemm->depth),
        .a_k = (uint32_t)(gemm->transposed_a ? gemm->rows : 1),
        .b_stride = (uint32_t)(transposed_b ? gemm->depth : gemm->columns),
        .relu = relu && splits == 1,
        .splits = (uint32_t)splits,
        .part = (uint32_t)sft_vk_gemm_part(gemm->depth, splits, 4),
        .batch = (uint32_t)gemm->matrices,
    };
}

enum sft_status sft_vk_matmul(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                              const struct sft_node *node)
{
    static const struct sft_vk_gemm_shaders shaders = {.lanes = "matmul_lanes", .tiled = "matmul_tiled"};
    struct sft_vk_gemm gemm = product(graph, node), plan = gemm;
    bool relu = SFT_NODE_PARAMS(struct sft_matmul_params, node)->relu;
    bool split = sft_vk_gemm_splits(&gemm) > 1;
    sft_value bias = node->in[2];
    struct sft_vk_dispatch dispatch = {0};
    struct matmul_operands operands = {
        .a = sft_vk_read(node->in[0]),
        .b = sft_vk_read(node->in[1]),
        .bias = sft_vk_read(split ? SFT_NONE : bias),
        .d = split ? sft_vk_gemm_write_parts(&gemm) : sft_vk_write(node->out[0]),
    };
    SFT_TRY(sft_vk_gemm_untranspose(recorder, &plan, &operands.b));
    const struct matmul_words words = words_of(&gemm, plan.transposed_b, relu);
    if (split) plan.vec_d = gemm.columns % 4 == 0;
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_gemm_plan(&plan, sft_vk_recorder_limits(recorder), &shaders, gemm.matrices * words.splits,
                     &dispatch);
    SFT_TRY(sft_vk_record(recorder, &dispatch));
    return split ? sft_vk_gemm_reduce(recorder, graph, &gemm, bias, node->out[0], relu) : SFT_OK;
}
