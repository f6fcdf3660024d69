/* SPDX-License-Identifier: Apache-2.0 */
/* All ops that work element by element: one shader, elementwise.comp, whose function is a specialisation
 * constant. */
#include "runtime/ops.h"
#include "runtime/vulkan/recorder.h"
#include "shaders/abi/elementwise.h"

enum { GROUP = 64 };

/* How the second operand repeats over the first: sizes and strides, last axis first, neighbours that step
 * alike merged.
 */
struct broadcast {
    int axes; /* 0: same shape */
    uint32_t size[SFT_MAX_RANK], stride[SFT_MAX_RANK];
};

static struct broadcast broadcast(const struct sft_shape *big, const struct sft_shape *small)
{
    struct broadcast b = {0};
    struct sft_shape padded = *big;
    int64_t stride = 1;
    if (sft_shape_equal(big, small)) return b;
    sft_shape_broadcasts(small, big, &padded);
    for (int i = big->rank - 1; i >= 0; i--) {
        bool repeats = padded.dim[i] == 1;
        if (big->dim[i] == 1) continue;
        if (b.axes > 0 && repeats == (b.stride[b.axes - 1] == 0)) {
            b.size[b.axes - 1] *= (uint32_t)big->dim[i];
        } else {
            b.size[b.axes] = (uint32_t)big->dim[i];
            b.stride[b.axes++] = repeats ? 0 : (uint32_t)stride;
        }
        stride *= padded.dim[i];
    }
    return b;
}

/* Four at a time need whole quads in every operand, and quads of b that lie together or are one number. */
static bool by_four(const struct sft_graph *graph, const sft_value *values, int n, int64_t count,
                    const struct broadcast *b)
{
    for (int i = 0; i < n; i++)
        if (values[i] != SFT_NONE && !sft_vk_aligned(graph, values[i])) return false;
    if (b->axes > 0 && b->size[0] % 4 != 0) return false;
    return count % 4 == 0;
}

/* y = f(a, b); b repeats over y's shape. */
static enum sft_status map(struct sft_vk_recorder *recorder, const struct sft_graph *graph, sft_value a,
                           sft_value b, sft_value y, uint32_t function, float number)
{
    const struct sft_shape *shape = sft_graph_shape(graph, y);
    int64_t count = sft_shape_count(shape);
    struct broadcast how = {0};
    if (b != SFT_NONE) how = broadcast(shape, sft_graph_shape(graph, b));
    bool vec4 = by_four(graph, (sft_value[]){a, b, y}, 3, count, &how);
    struct sft_vk_dispatch dispatch = {
        .shader = "elementwise",
        .spec = {GROUP, function, vec4, (uint32_t)how.axes},
        .n_spec = 4,
        .operands = {sft_vk_read(a), sft_vk_read(b), sft_vk_write(y)},
        .n_operands = 3,
        .push = {(uint32_t)count, sft_vk_bits(number)},
        .n_push = 2 + 2 * SFT_MAX_RANK,
    };
    for (int i = 0; i < how.axes; i++) {
        dispatch.push[2 + i] = how.size[i];
        dispatch.push[2 + SFT_MAX_RANK + i] = how.stride[i];
    }
    sft_vk_grid(sft_vk_recorder_limits(recorder), sft_vk_divide_up((uint64_t)count, vec4 ? 4 * GROUP : GROUP),
                dispatch.groups);
    return sft_vk_record(recorder, &dispatch);
}

#define MAP(name, function, number)                                                                          \
    enum sft_status sft_vk_##name(struct sft_vk_recorder *recorder, const struct sft_graph *graph,           \
                                  const struct sft_node *node)                                               \
    {                                                                                                        \
        return map(recorder, graph, node->n_in > 0 ? node->in[0] : SFT_NONE,                                 \
                   node->n_in > 1 ? node->in[1] : SFT_NONE, node->out[0], function, number);                 \
    }

MAP(add, SFT_MAP_ADD, SFT_NODE_PARAMS(struct sft_add_params, node)->alpha)
MAP(mul, SFT_MAP_MUL, 0.0f)
MAP(div, SFT_MAP_DIV, 0.0f)
MAP(sign, SFT_MAP_SIGN, 0.0f)
MAP(sqrt, SFT_MAP_SQRT, 0.0f)
MAP(scale, SFT_MAP_SCALE, SFT_NODE_PARAMS(struct sft_scale_params, node)->factor)
MAP(relu, SFT_MAP_RELU, 0.0f)
MAP(relu_grad, SFT_MAP_RELU_GRAD, 0.0f)
MAP(gelu, SFT_MAP_GELU, 0.0f)
MAP(gelu_grad, SFT_MAP_GELU_GRAD, 0.0f)
MAP(fill, SFT_MAP_FILL, SFT_NODE_PARAMS(struct sft_fill_params, node)->value)

enum sft_status sft_vk_broadcast_to(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                    const struct sft_node *node)
{
    return map(recorder, graph, SFT_NONE, node->in[0], node->out[0], SFT_MAP_REPEAT,
               SFT_NODE_PARAMS(struct sft_sum_to_params, node)->scale);
}
