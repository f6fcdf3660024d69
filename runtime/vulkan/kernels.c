/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vulkan/kernels.h"

#include "runtime/op.h"

/* SPIR-V reads an index as signed. */
#define MAX_ELEMENTS INT64_C(0x7fffffff)

static enum sft_status (*const kernels[SFT_OP_COUNT])(struct sft_vk_recorder *recorder,
                                                      const struct sft_graph *graph,
                                                      const struct sft_node *node) = {
#define SFT_OP(name) [SFT_ID_##name] = sft_vk_##name,
#include "runtime/ops.def"
#undef SFT_OP
};

static size_t (*const scratch[SFT_OP_COUNT])(const struct sft_graph *graph, const struct sft_node *node) = {
#define SFT_SCRATCH(name) [SFT_ID_##name] = sft_vk_##name##_scratch,
#include "runtime/vulkan/scratch.def"
#undef SFT_SCRATCH
};

static enum sft_status check_values(const struct sft_graph *graph, const sft_value *values, int n,
                                    const char *name)
{
    for (int i = 0; i < n; i++) {
        char text[SFT_SHAPE_TEXT];
        const struct sft_shape *shape;
        if (values[i] == SFT_NONE) continue;
        shape = sft_graph_shape(graph, values[i]);
        if (sft_shape_count(shape) > MAX_ELEMENTS)
            return sft_fail(
                SFT_MEMORY,
                "%s: a tensor of shape %s has more elements than a Vulkan kernel can count; make the "
                "batch smaller",
                name, sft_shape_str(shape, text));
    }
    return SFT_OK;
}

enum sft_status sft_vk_record_node(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                   size_t node)
{
    const struct sft_node *what = &graph->nodes[node];
    SFT_TRY(check_values(graph, what->in, what->n_in, what->op->name));
    SFT_TRY(check_values(graph, what->out, what->n_out, what->op->name));
    recorder->node = node;
    return what->op->view ? SFT_OK : kernels[what->op->id](recorder, graph, what);
}

size_t sft_vk_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    return scratch[node->op->id] ? scratch[node->op->id](graph, node) : 0;
}
