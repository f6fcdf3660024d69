/* SPDX-License-Identifier: Apache-2.0 */
/* Ops that only move elements: boxes copied from one strided place to another by copy.comp. */
#include "runtime/ops.h"
#include "runtime/vulkan/recorder.h"
#include "shaders/abi/elementwise.h"

enum { GROUP = 64 };

struct box {
    int rank; /* axes outermost first */
    int64_t size[SFT_MAX_RANK], from_stride[SFT_MAX_RANK], to_stride[SFT_MAX_RANK];
    int64_t from_start, to_start;
};

static void strides(const struct sft_shape *shape, int64_t *stride)
{
    int64_t next = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        stride[i] = next;
        next *= shape->dim[i];
    }
}

/* Drops axes of one element and merges neighbours that are contiguous on both sides. */
static struct box simplify(const struct box *box)
{
    struct box out = {.from_start = box->from_start, .to_start = box->to_start};
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
static bool make_quads(struct box *box)
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
                            sft_value to, const struct box *whole)
{
    struct box box = simplify(whole);
    bool quads = sft_vk_aligned(graph, from) && sft_vk_aligned(graph, to) && make_quads(&box);
    struct sft_vk_dispatch dispatch = {
        .shader = "copy",
        .spec = {GROUP, quads, (uint32_t)box.rank},
        .n_spec = 3,
        .operands = {sft_vk_read(from), sft_vk_write(to)},
        .n_operands = 2,
        .push = {0, (uint32_t)box.from_start, (uint32_t)box.to_start, 1, 1, 1, 1},
        .n_push = 17,
    };
    uint64_t count = 1;
    for (int i = 0; i < box.rank; i++) {
        int axis = box.rank - 1 - i; /* innermost first */
        if (i < 4) dispatch.push[3 + i] = (uint32_t)box.size[axis];
        dispatch.push[7 + i] = (uint32_t)box.from_stride[axis];
        dispatch.push[12 + i] = (uint32_t)box.to_stride[axis];
        count *= (uint64_t)box.size[axis];
    }
    dispatch.push[0] = (uint32_t)count;
    sft_vk_grid(sft_vk_recorder_limits(recorder), sft_vk_divide_up(count, GROUP), dispatch.groups);
    return sft_vk_record(recorder, &dispatch);
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
static struct box common_box(const struct sft_shape *shape, const struct sft_shape *from,
                             const struct sft_shape *to)
{
    struct box box = {.rank = shape->rank};
    for (int i = 0; i < shape->rank; i++) box.size[i] = shape->dim[i];
    strides(from, box.from_stride);
    strides(to, box.to_stride);
    return box;
}

enum sft_status sft_vk_slice(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                             const struct sft_node *node)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0), *y = sft_out_shape(graph, node, 0);
    struct box box = common_box(y, x, y);
    box.from_start = start_of(node, x);
    return copy(recorder, graph, node->in[0], node->out[0], &box);
}

static enum sft_status clear(struct sft_vk_recorder *recorder, const struct sft_graph *graph, sft_value y)
{
    uint64_t count = (uint64_t)sft_shape_count(sft_graph_shape(graph, y));
    bool vec4 = count % 4 == 0 && sft_vk_aligned(graph, y);
    struct sft_vk_dispatch dispatch = {
        .shader = "elementwise",
        .spec = {GROUP, SFT_MAP_FILL, vec4, 0},
        .n_spec = 4,
        .operands = {sft_vk_read(SFT_NONE), sft_vk_read(SFT_NONE), sft_vk_write(y)},
        .n_operands = 3,
        .push = {(uint32_t)count},
        .n_push = 2 + 2 * SFT_MAX_RANK,
    };
    sft_vk_grid(sft_vk_recorder_limits(recorder), sft_vk_divide_up(count, vec4 ? 4 * GROUP : GROUP),
                dispatch.groups);
    return sft_vk_record(recorder, &dispatch);
}

enum sft_status sft_vk_pad(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                           const struct sft_node *node)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0), *y = sft_out_shape(graph, node, 0);
    struct box box = common_box(x, x, y);
    box.to_start = start_of(node, y);
    SFT_TRY(clear(recorder, graph, node->out[0]));
    return copy(recorder, graph, node->in[0], node->out[0], &box);
}

enum sft_status sft_vk_permute(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                               const struct sft_node *node)
{
    const struct sft_permute_params *params = SFT_NODE_PARAMS(struct sft_permute_params, node);
    const struct sft_shape *x = sft_in_shape(graph, node, 0), *y = sft_out_shape(graph, node, 0);
    struct box box = common_box(y, y, y);
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
        struct box box = common_box(part, part, y);
        box.to_start = start * box.to_stride[axis];
        start += part->dim[axis];
        SFT_TRY(copy(recorder, graph, node->in[i], node->out[0], &box));
    }
    return SFT_OK;
}
