/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/ops.h"
#include "runtime/vulkan/ops/gemm.h"

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

enum sft_status sft_vk_matmul(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                              const struct sft_node *node)
{
    struct sft_vk_gemm gemm = product(graph, node);
    int relu = SFT_NODE_PARAMS(struct sft_matmul_params, node)->relu;
    int64_t splits = sft_vk_gemm_splits(&gemm), part = (gemm.depth / splits + 4) / 4 * 4;
    bool split = splits > 1;
    sft_value y = node->out[0], bias = node->in[2];
    struct sft_vk_operand b = sft_vk_read(node->in[1]),
                          to = split ? sft_vk_gemm_parts(&gemm) : sft_vk_write(y);
    struct sft_vk_gemm plan = gemm;
    SFT_TRY(sft_vk_gemm_untranspose(recorder, &plan, &b));
    to.write = true;
    struct sft_vk_dispatch dispatch = {
        .operands = {sft_vk_read(node->in[0]), b, sft_vk_read(split ? SFT_NONE : bias), to},
        .n_operands = 4,
        .push = {(uint32_t)gemm.rows, (uint32_t)gemm.columns, (uint32_t)gemm.depth,
                 (uint32_t)(gemm.transposed_a ? 1 : gemm.depth),
                 (uint32_t)(gemm.transposed_a ? gemm.rows : 1),
                 (uint32_t)(plan.transposed_b ? gemm.depth : gemm.columns), relu && !split, (uint32_t)splits,
                 (uint32_t)part, (uint32_t)gemm.matrices},
        .n_push = 10,
    };
    if (split) plan.vec_d = gemm.columns % 4 == 0;
    sft_vk_gemm_plan(&plan, sft_vk_recorder_limits(recorder), "matmul_lanes", "matmul_tiled",
                     gemm.matrices * splits, &dispatch);
    SFT_TRY(sft_vk_record(recorder, &dispatch));
    return split ? sft_vk_gemm_reduce(recorder, graph, &gemm, bias, y, relu) : SFT_OK;
}
