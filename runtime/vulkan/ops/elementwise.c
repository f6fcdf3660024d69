/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vulkan/ops/elementwise.h"

#include <string.h>

#include "runtime/ops.h"

SFT_VK_OPERANDS(elementwise_operands, SFT_ELEMENTWISE_OPERANDS);
SFT_VK_WORDS(elementwise_words, SFT_ELEMENTWISE_WORDS);
_Static_assert(sizeof((struct elementwise_words){0}.size) == SFT_MAX_RANK * 4, "a tensor has more axes");

/* How the second operand repeats over the first: sizes and strides, last axis first, neighbours that step
 * alike merged.
 */
struct broadcast {
    int axes; /* 0: same shape */
    uint32_t size[SFT_MAX_RANK];
    uint32_t stride[SFT_MAX_RANK];
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

enum sft_status sft_vk_map(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                           enum sft_vk_map function, float number, sft_value a, sft_value b, sft_value y)
{
    const struct sft_shape *shape = sft_graph_shape(graph, y);
    int64_t count = sft_shape_count(shape);
    struct broadcast how = {0};
    if (b != SFT_NONE) how = broadcast(shape, sft_graph_shape(graph, b));
    bool vec4 = by_four(graph, (sft_value[]){a, b, y}, 3, count, &how);
    struct sft_vk_dispatch dispatch = {.shader = "elementwise"};
    const struct elementwise_operands operands = {
        .a = sft_vk_read(a),
        .b = sft_vk_read(b),
        .y = sft_vk_write(y),
    };
    struct elementwise_words words = {.count = (uint32_t)count, .number = number};
    memcpy(words.size, how.size, sizeof(words.size));
    memcpy(words.stride, how.stride, sizeof(words.stride));
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_cover(recorder, &dispatch, vec4 ? count / 4 : count);
    sft_vk_specialise(&dispatch, SFT_ELEMENTWISE_FUNCTION_ID, function);
    sft_vk_specialise(&dispatch, SFT_ELEMENTWISE_VEC4_ID, vec4);
    sft_vk_specialise(&dispatch, SFT_ELEMENTWISE_AXES_ID, (uint32_t)how.axes);
    return sft_vk_record(recorder, &dispatch);
}

/* The op's first two inputs are the function's operands. */
static enum sft_status map_inputs(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                  const struct sft_node *node, enum sft_vk_map function, float number)
{
    sft_value a = node->n_in > 0 ? node->in[0] : SFT_NONE;
    sft_value b = node->n_in > 1 ? node->in[1] : SFT_NONE;
    return sft_vk_map(recorder, graph, function, number, a, b, node->out[0]);
}

#define MAP(name, function, number)                                                                          \
    enum sft_status sft_vk_##name(struct sft_vk_recorder *recorder, const struct sft_graph *graph,           \
                                  const struct sft_node *node)                                               \
    {                                                                                                        \
        return map_inputs(recorder, graph, node, function, number);                                          \
    }

MAP(add, SFT_MAP_ADD, SFT_NODE_PARAMS(struct sft_add_params, node)->alpha)
MAP(mul, SFT_MAP_MUL, 0.0f)
MAP(div, SFT_MAP_DIV, 0.0f)
MAP(sign, SFT_MAP_SIGN, 0.0f)
MAP(sqrt, SFT_MAP_SQRT, 0.0f)
MAP(exp, SFT_MAP_EXP, 0.0f)
MAP(scale, SFT_MAP_SCALE, SFT_NODE_PARAMS(struct sft_scale_params, node)->factor)
MAP(relu, SFT_MAP_RELU, 0.0f)
MAP(relu_grad, SFT_MAP_RELU_GRAD, 0.0f)
MAP(gelu, SFT_MAP_GELU, 0.0f)
MAP(gelu_grad, SFT_MAP_GELU_GRAD, 0.0f)
MAP(fill, SFT_MAP_FILL, SFT_NODE_PARAMS(struct sft_fill_params, node)->value)

enum sft_status sft_vk_broadcast_to(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                    const struct sft_node *node)
{
    float scale = SFT_NODE_PARAMS(struct sft_sum_to_params, node)->scale;
    return sft_vk_map(recorder, graph, SFT_MAP_REPEAT, scale, SFT_NONE, node->in[0], node->out[0]);
}
