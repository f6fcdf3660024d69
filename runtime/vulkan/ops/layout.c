/* SPDX-License-Identifier: Apache-2.0 */
/* Ops that only move elements. */
#include "runtime/ops.h"
#include "runtime/vulkan/ops/copy.h"
#include "runtime/vulkan/ops/elementwise.h"

static void strides(const struct sft_shape *shape, int64_t *stride)
{
    int64_t next = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        stride[i] = next;
        next *= shape->dim[i];
    }
}

/* Drops axes of one element and merges neighbours that are contiguous on both sides. */
static struct sft_vk_box simplify(const struct sft_vk_box *box)
{
    struct sft_vk_box out = {.from_start = box->from_start, .to_start = box->to_start};
    for (int i = 0; i < box->rank; i++) {
        int last = out.rank - 1;
        if (box->size[i] == 1) continue;
        if (last >= 0 && out.from_stride[last] == box->size[i] * box->from_stride[i] &&
            out.to_stride[last] == box->size[i] * box->to_stride[i]) {
            out.size[last] *= box->size[i];
        } else {
            last = out.rank++;
            out.size[last] = box->size[i];
        }
        out.from_stride[last] = box->from_stride[i];
        out.to_stride[last] = box->to_stride[i];
    }
    if (out.rank == 0) {
        out.rank = 1;
        out.size[0] = out.from_stride[0] = out.to_stride[0] = 1;
    }
    return out;
}

/* Turns a box of elements into one of quads, where all its rows are whole quads. */
static bool make_quads(struct sft_vk_box *box)
{
    int last = box->rank - 1;
    bool whole = box->from_stride[last] == 1 && box->to_stride[last] == 1 && box->size[last] % 4 == 0 &&
                 box->from_start % 4 == 0 && box->to_start % 4 == 0;
    for (int i = 0; i < last; i++)
        whole = whole && box->from_stride[i] % 4 == 0 && box->to_stride[i] % 4 == 0;
    if (!whole) return false;
    for (int i = 0; i < last; i++) {
        box->from_stride[i] /= 4;
        box->to_stride[i] /= 4;
    }
    box->size[last] /= 4;
    box->from_start /= 4;
    box->to_start /= 4;
    return true;
}

static enum sft_status copy(struct sft_vk_recorder *recorder, const struct sft_graph *graph, sft_value from,
                            sft_value to, const struct sft_vk_box *whole)
{
    struct sft_vk_box box = simplify(whole);
    bool quads = sft_vk_aligned(graph, from) && sft_vk_aligned(graph, to) && make_quads(&box);
    return sft_vk_copy(recorder, sft_vk_read(from), sft_vk_write(to), &box, quads);
}

static int64_t start_of(const struct sft_node *node, const struct sft_shape *whole)
{
    const struct sft_slice_params *params = SFT_NODE_PARAMS(struct sft_slice_params, node);
    int64_t stride[SFT_MAX_RANK], start = 0;
    strides(whole, stride);
    for (int i = 0; i < whole->rank; i++) start += params->start[i] * stride[i];
    return start;
}

/* The box of `shape` that both sides hold, without starts. */
static struct sft_vk_box common_box(const struct sft_shape *shape, const struct sft_shape *from,
                                    const struct sft_shape *to)
{
    struct sft_vk_box box = {.rank = shape->rank};
    for (int i = 0; i < shape->rank; i++) box.size[i] = shape->dim[i];
    strides(from, box.from_stride);
    strides(to, box.to_stride);
    return box;
}

enum sft_status sft_vk_slice(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                             const struct sft_node *node)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0), *y = sft_out_shape(graph, node, 0);
    struct sft_vk_box box = common_box(y, x, y);
    box.from_start = start_of(node, x);
    return copy(recorder, graph, node->in[0], node->out[0], &box);
}

enum sft_status sft_vk_pad(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                           const struct sft_node *node)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0), *y = sft_out_shape(graph, node, 0);
    struct sft_vk_box box = common_box(x, x, y);
    box.to_start = start_of(node, y);
    SFT_TRY(sft_vk_map(recorder, graph, SFT_MAP_FILL, 0.0f, SFT_NONE, SFT_NONE, node->out[0]));
    return copy(recorder, graph, node->in[0], node->out[0], &box);
}

enum sft_status sft_vk_permute(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                               const struct sft_node *node)
{
    const struct sft_permute_params *params = SFT_NODE_PARAMS(struct sft_permute_params, node);
    const struct sft_shape *x = sft_in_shape(graph, node, 0), *y = sft_out_shape(graph, node, 0);
    struct sft_vk_box box = common_box(y, y, y);
    int64_t stride[SFT_MAX_RANK];
    strides(x, stride);
    for (int i = 0; i < y->rank; i++) box.from_stride[i] = stride[params->axis[i]];
    return copy(recorder, graph, node->in[0], node->out[0], &box);
}

enum sft_status sft_vk_concat(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                              const struct sft_node *node)
{
    const struct sft_shape *y = sft_out_shape(graph, node, 0);
    int axis = SFT_NODE_PARAMS(struct sft_concat_params, node)->axis;
    int64_t start = 0;
    for (int i = 0; i < 2; i++) {
        const struct sft_shape *part = sft_in_shape(graph, node, i);
        struct sft_vk_box box = common_box(part, part, y);
        box.to_start = start * box.to_stride[axis];
        start += part->dim[axis];
        SFT_TRY(copy(recorder, graph, node->in[i], node->out[0], &box));
    }
    return SFT_OK;
}
