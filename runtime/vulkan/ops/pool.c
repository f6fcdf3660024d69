/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/ops.h"
#include "runtime/vulkan/recorder.h"

enum { GROUP = 64 };

/* Adds what pool.comp and pool_grad.comp have in common; x is the large side, y the small one. */
static enum sft_status record(struct sft_vk_recorder *recorder, struct sft_vk_dispatch *dispatch,
                              const struct sft_node *node, const struct sft_shape *x,
                              const struct sft_shape *y, int64_t invocations)
{
    const struct sft_pool_params *p = SFT_NODE_PARAMS(struct sft_pool_params, node);
    const int64_t words[] = {invocations,  x->dim[1],    x->dim[2],    y->dim[1],    y->dim[2], x->dim[3],
                             p->kernel[0], p->kernel[1], p->stride[0], p->stride[1], p->pad[0], p->pad[1]};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        dispatch->push[dispatch->n_push++] = (uint32_t)words[i];
    dispatch->spec[0] = GROUP;
    sft_vk_grid(sft_vk_recorder_limits(recorder), sft_vk_divide_up((uint64_t)invocations, GROUP),
                dispatch->groups);
    return sft_vk_record(recorder, dispatch);
}

static enum sft_status forward(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                               const struct sft_node *node, bool average)
{
    struct sft_vk_dispatch dispatch = {
        .shader = "pool",
        .spec = {0, average, SFT_NODE_PARAMS(struct sft_pool_params, node)->zero_pad != 0},
        .n_spec = 3,
        .operands = {sft_vk_read(node->in[0]), sft_vk_write(node->out[0]),
                     sft_vk_write(average ? SFT_NONE : node->out[1])},
        .n_operands = 3,
    };
    return record(recorder, &dispatch, node, sft_in_shape(graph, node, 0), sft_out_shape(graph, node, 0),
                  sft_out_count(graph, node, 0));
}

static enum sft_status backward(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                const struct sft_node *node, bool average)
{
    struct sft_vk_dispatch dispatch = {
        .shader = "pool_grad",
        .spec = {0, average},
        .n_spec = 2,
        .operands = {sft_vk_read(node->in[0]), sft_vk_read(average ? SFT_NONE : node->in[1]),
                     sft_vk_write(node->out[0])},
        .n_operands = 3,
    };
    return record(recorder, &dispatch, node, sft_out_shape(graph, node, 0), sft_in_shape(graph, node, 0),
                  sft_out_count(graph, node, 0));
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
