/* SPDX-License-Identifier: Apache-2.0 */
/* Ops along rows: softmax and the losses. A column of lanes works on a row. */
#include "runtime/ops.h"
#include "runtime/vulkan/ops/columns.h"
#include "shaders/abi/loss.h"

_Static_assert((int)SFT_DISTANCE_OE == SFT_LOSS_OE && (int)SFT_DISTANCE_KL_PU == SFT_LOSS_KL_PU &&
                   (int)SFT_DISTANCE_L2 == SFT_LOSS_L2 && (int)SFT_DISTANCE_JS == SFT_LOSS_JS &&
                   (int)SFT_DISTANCE_ENERGY == SFT_LOSS_ENERGY &&
                   (int)SFT_DISTANCE_LOGITNORM == SFT_LOSS_LOGITNORM,
               "shaders/abi/loss.h and enum sft_distance differ");

/* Fills in what all have in common: the first two push words, the work-groups. */
static enum sft_status record(struct sft_vk_recorder *recorder, struct sft_vk_dispatch *dispatch,
                              const struct sft_shape *shape)
{
    uint64_t width = (uint64_t)shape->dim[shape->rank - 1], rows = (uint64_t)sft_shape_count(shape) / width;
    dispatch->push[0] = (uint32_t)rows;
    dispatch->push[1] = (uint32_t)width;
    sft_vk_columns(sft_vk_recorder_limits(recorder), dispatch, rows, width, true);
    return sft_vk_record(recorder, dispatch);
}

enum sft_status sft_vk_softmax(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                               const struct sft_node *node)
{
    struct sft_vk_dispatch dispatch = {
        .shader = "softmax",
        .n_spec = 2,
        .operands = {sft_vk_read(node->in[0]), sft_vk_write(node->out[0])},
        .n_operands = 2,
        .n_push = 2,
    };
    return record(recorder, &dispatch, sft_in_shape(graph, node, 0));
}

enum sft_status sft_vk_softmax_grad(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                    const struct sft_node *node)
{
    struct sft_vk_dispatch dispatch = {
        .shader = "softmax_grad",
        .n_spec = 2,
        .operands = {sft_vk_read(node->in[0]), sft_vk_read(node->in[1]), sft_vk_write(node->out[0])},
        .n_operands = 3,
        .n_push = 2,
    };
    return record(recorder, &dispatch, sft_in_shape(graph, node, 0));
}

static struct sft_vk_dispatch loss_dispatch(const struct sft_node *node, const char *shader)
{
    const struct sft_row_loss_params *params = SFT_NODE_PARAMS(struct sft_row_loss_params, node);
    struct sft_vk_dispatch dispatch = {
        .shader = shader,
        .spec = {0, 0, (uint32_t)params->distance},
        .n_spec = 3,
        .push = {0, 0, sft_vk_bits(params->energy_weight), sft_vk_bits(params->energy_in),
                 sft_vk_bits(params->energy_out)},
        .n_push = 5,
    };
    for (int i = 0; i < node->n_in; i++) dispatch.operands[dispatch.n_operands++] = sft_vk_read(node->in[i]);
    dispatch.operands[dispatch.n_operands++] = sft_vk_write(node->out[0]);
    return dispatch;
}

enum sft_status sft_vk_row_loss(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                const struct sft_node *node)
{
    struct sft_vk_dispatch dispatch = loss_dispatch(node, "row_loss");
    return record(recorder, &dispatch, sft_in_shape(graph, node, 0));
}

enum sft_status sft_vk_row_loss_grad(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                     const struct sft_node *node)
{
    struct sft_vk_dispatch dispatch = loss_dispatch(node, "row_loss_grad");
    return record(recorder, &dispatch, sft_in_shape(graph, node, 0));
}
