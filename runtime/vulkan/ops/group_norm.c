/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group norm and its gradient. Statistics come by one of two roads: directly, a column of lanes for each
 * group, where the group's channels fill a memory line or there is one pixel; else by channel over stretches
 * of pixels, then merged. The second road is coalesced for any group width, batch norm's single channels
 * included.
 */
#include "runtime/ops.h"
#include "runtime/vulkan/ops/columns.h"

enum { GROUP = 64 };

struct sizes {
    uint32_t images, pixels, channels, width, parts, part_pixels;
};

enum { N_SIZES = 6 };

/* Stretches of pixels enough for a whole GPU; by shape only, like the scratch memory. */
static uint64_t parts_of(uint64_t columns, uint64_t pixels)
{
    enum { WANTED_COLUMNS = 65536, LEAST_PIXELS = 32 };
    uint64_t parts = WANTED_COLUMNS / columns, most = pixels / LEAST_PIXELS;
    if (parts > most) parts = most;
    return parts < 1 ? 1 : parts;
}

static struct sizes sizes_of(const struct sft_graph *graph, const struct sft_node *node)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    int64_t groups = SFT_NODE_PARAMS(struct sft_group_norm_params, node)->groups;
    int64_t images = x->dim[0], channels = x->dim[x->rank - 1],
            pixels = sft_shape_count(x) / images / channels;
    uint64_t parts = parts_of((uint64_t)(images * channels), (uint64_t)pixels);
    return (struct sizes){(uint32_t)images,   (uint32_t)pixels,
                          (uint32_t)channels, (uint32_t)(channels / groups),
                          (uint32_t)parts,    (uint32_t)sft_vk_divide_up((uint64_t)pixels, parts)};
}

static void push_sizes(struct sft_vk_dispatch *dispatch, const struct sizes *sizes)
{
    const uint32_t words[N_SIZES] = {sizes->images, sizes->pixels, sizes->channels,
                                     sizes->width,  sizes->parts,  sizes->part_pixels};
    for (int i = 0; i < N_SIZES; i++) dispatch->push[dispatch->n_push++] = words[i];
}

static void push_word(struct sft_vk_dispatch *dispatch, uint32_t word)
{
    dispatch->push[dispatch->n_push++] = word;
}

static void cover(const struct sft_vk_recorder *recorder, struct sft_vk_dispatch *dispatch,
                  uint64_t invocations)
{
    dispatch->spec[0] = GROUP;
    sft_vk_grid(sft_vk_recorder_limits(recorder), sft_vk_divide_up(invocations, GROUP), dispatch->groups);
}

static struct sft_vk_operand scratch_write(void)
{
    return (struct sft_vk_operand){.value = SFT_VK_SCRATCH, .write = true};
}

static struct sft_vk_operand scratch_read(void)
{
    return (struct sft_vk_operand){.value = SFT_VK_SCRATCH, .read = true};
}

static uint64_t columns_of(const struct sizes *sizes)
{
    return (uint64_t)sizes->images * sizes->parts * sizes->channels;
}

static size_t part_bytes(const struct sizes *sizes) { return (size_t)columns_of(sizes) * 2 * sizeof(float); }

static bool by_four(const struct sft_graph *graph, const struct sizes *sizes, const sft_value *values, int n)
{
    for (int i = 0; i < n; i++)
        if (!sft_vk_aligned(graph, values[i])) return false;
    return sizes->channels % 4 == 0;
}

/* ---- forward ---- */

static bool direct(const struct sizes *sizes)
{
    uint64_t groups = (uint64_t)sizes->images * (sizes->channels / sizes->width);
    return sizes->pixels == 1 || (sizes->width >= 8 && groups >= 64);
}

size_t sft_vk_group_norm_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    struct sizes sizes = sizes_of(graph, node);
    if (SFT_NODE_PARAMS(struct sft_group_norm_params, node)->frozen || direct(&sizes)) return 0;
    return part_bytes(&sizes);
}

static enum sft_status frozen_statistics(struct sft_vk_recorder *recorder, const struct sft_node *node,
                                         const struct sizes *sizes, float epsilon)
{
    uint32_t count = sizes->images * (sizes->channels / sizes->width);
    struct sft_vk_dispatch dispatch = {
        .shader = "norm_frozen",
        .n_spec = 1,
        .operands = {sft_vk_read(node->in[3]), sft_vk_read(node->in[4]), sft_vk_write(node->out[1]),
                     sft_vk_write(node->out[2])},
        .n_operands = 4,
        .push = {count, sft_vk_bits(epsilon)},
        .n_push = 2,
    };
    cover(recorder, &dispatch, count);
    return sft_vk_record(recorder, &dispatch);
}

/* The last pass of either road: statistics by group from x or from the parts. */
static enum sft_status finish_statistics(struct sft_vk_recorder *recorder, const struct sft_node *node,
                                         const struct sizes *sizes, float epsilon)
{
    bool whole = direct(sizes);
    struct sft_vk_dispatch dispatch = {
        .shader = whole ? "norm_direct" : "norm_merge",
        .n_spec = 2,
        .operands = {whole ? sft_vk_read(node->in[0]) : scratch_read(), sft_vk_write(node->out[1]),
                     sft_vk_write(node->out[2])},
        .n_operands = 3,
    };
    push_sizes(&dispatch, sizes);
    push_word(&dispatch, sft_vk_bits(epsilon));
    sft_vk_columns(sft_vk_recorder_limits(recorder), &dispatch,
                   (uint64_t)sizes->images * (sizes->channels / sizes->width),
                   (uint64_t)sizes->width * (whole ? sizes->pixels : sizes->parts), true);
    return sft_vk_record(recorder, &dispatch);
}

static enum sft_status statistics(struct sft_vk_recorder *recorder, const struct sft_node *node,
                                  const struct sizes *sizes, float epsilon)
{
    struct sft_vk_dispatch dispatch = {
        .shader = "norm_parts",
        .n_spec = 1,
        .operands = {sft_vk_read(node->in[0]), scratch_write()},
        .n_operands = 2,
    };
    if (!direct(sizes)) {
        push_sizes(&dispatch, sizes);
        cover(recorder, &dispatch, columns_of(sizes));
        SFT_TRY(sft_vk_record(recorder, &dispatch));
    }
    return finish_statistics(recorder, node, sizes, epsilon);
}

enum sft_status sft_vk_group_norm(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                  const struct sft_node *node)
{
    const struct sft_group_norm_params *params = SFT_NODE_PARAMS(struct sft_group_norm_params, node);
    struct sizes sizes = sizes_of(graph, node);
    sft_value x = node->in[0], gamma = node->in[1], beta = node->in[2], y = node->out[0];
    bool vec4 = by_four(graph, &sizes, (sft_value[]){x, gamma, beta, y}, 4);
    struct sft_vk_dispatch dispatch = {
        .shader = "norm_apply",
        .spec = {0, vec4, params->relu != 0},
        .n_spec = 3,
        .operands = {sft_vk_read(x), sft_vk_read(gamma), sft_vk_read(beta), sft_vk_read(node->out[1]),
                     sft_vk_read(node->out[2]), sft_vk_write(y)},
        .n_operands = 6,
    };
    if (params->frozen)
        SFT_TRY(frozen_statistics(recorder, node, &sizes, params->epsilon));
    else
        SFT_TRY(statistics(recorder, node, &sizes, params->epsilon));
    push_sizes(&dispatch, &sizes);
    cover(recorder, &dispatch, (uint64_t)sft_in_count(graph, node, 0) / (vec4 ? 4 : 1));
    return sft_vk_record(recorder, &dispatch);
}

/* ---- gradient: sums by image and channel ---- */

size_t sft_vk_group_norm_sums_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    struct sizes sizes = sizes_of(graph, node);
    return sizes.parts > 1 ? part_bytes(&sizes) : 0;
}

enum sft_status sft_vk_group_norm_sums(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                       const struct sft_node *node)
{
    struct sizes sizes = sizes_of(graph, node);
    bool split = sizes.parts > 1;
    struct sft_vk_dispatch dispatch = {
        .shader = "norm_sums",
        .spec = {0, SFT_NODE_PARAMS(struct sft_group_norm_params, node)->relu != 0},
        .n_spec = 2,
        .operands = {sft_vk_read(node->in[0]), sft_vk_read(node->in[1]), sft_vk_read(node->in[2]),
                     sft_vk_read(node->in[3]), sft_vk_read(node->in[4]), sft_vk_read(node->in[5]),
                     split ? scratch_write() : sft_vk_write(node->out[0])},
        .n_operands = 7,
    };
    struct sft_vk_reduction add_parts = {
        .x = scratch_read(),
        .y = sft_vk_write(node->out[0]),
        .number = 1.0f,
        .whole = true,
        .shape = SFT_SHAPE(2 * (int64_t)sizes.images, sizes.parts, sizes.channels),
        .reduced = {false, true, false},
    };
    push_sizes(&dispatch, &sizes);
    cover(recorder, &dispatch, columns_of(&sizes));
    SFT_TRY(sft_vk_record(recorder, &dispatch));
    return split ? sft_vk_reduce(recorder, &add_parts) : SFT_OK;
}

/* ---- gradient: dx ---- */

size_t sft_vk_group_norm_dx_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    struct sizes sizes = sizes_of(graph, node);
    if (SFT_NODE_PARAMS(struct sft_group_norm_params, node)->frozen) return 0;
    return (size_t)sizes.images * (sizes.channels / sizes.width) * 2 * sizeof(float);
}

static enum sft_status means(struct sft_vk_recorder *recorder, const struct sft_node *node,
                             const struct sizes *sizes)
{
    struct sft_vk_dispatch dispatch = {
        .shader = "norm_means",
        .n_spec = 2,
        .operands = {sft_vk_read(node->in[2]), sft_vk_read(node->in[6]), scratch_write()},
        .n_operands = 3,
    };
    push_sizes(&dispatch, sizes);
    sft_vk_columns(sft_vk_recorder_limits(recorder), &dispatch,
                   (uint64_t)sizes->images * (sizes->channels / sizes->width), sizes->width, true);
    return sft_vk_record(recorder, &dispatch);
}

enum sft_status sft_vk_group_norm_dx(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                     const struct sft_node *node)
{
    const struct sft_group_norm_params *params = SFT_NODE_PARAMS(struct sft_group_norm_params, node);
    struct sizes sizes = sizes_of(graph, node);
    sft_value x = node->in[0], dy = node->in[1], gamma = node->in[2], beta = node->in[3], dx = node->out[0];
    bool vec4 = by_four(graph, &sizes, (sft_value[]){x, dy, gamma, beta, dx}, 5);
    struct sft_vk_dispatch dispatch = {
        .shader = "norm_dx",
        .spec = {0, vec4, params->relu != 0, params->frozen != 0},
        .n_spec = 4,
        .operands = {sft_vk_read(x), sft_vk_read(dy), sft_vk_read(gamma), sft_vk_read(beta),
                     sft_vk_read(node->in[4]), sft_vk_read(node->in[5]),
                     params->frozen ? sft_vk_read(SFT_NONE) : scratch_read(), sft_vk_write(dx)},
        .n_operands = 8,
    };
    if (!params->frozen) SFT_TRY(means(recorder, node, &sizes));
    push_sizes(&dispatch, &sizes);
    cover(recorder, &dispatch, (uint64_t)sft_in_count(graph, node, 0) / (vec4 ? 4 : 1));
    return sft_vk_record(recorder, &dispatch);
}

/* ---- gradient: parameters ---- */

enum sft_status sft_vk_group_norm_dparam(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                         const struct sft_node *node)
{
    const struct sft_shape *sums = sft_in_shape(graph, node, 0);
    int64_t images = sums->dim[1], channels = sums->dim[2];
    size_t plane = (size_t)(images * channels) * sizeof(float);
    for (int i = 0; i < 2; i++) {
        struct sft_vk_reduction add_images = {
            .x = {.value = node->in[0], .offset = (size_t)i * plane, .bytes = plane, .read = true},
            .y = sft_vk_write(node->out[i]),
            .number = 1.0f,
            .whole = true,
            .shape = SFT_SHAPE(images, channels),
            .reduced = {true, false},
        };
        SFT_TRY(sft_vk_reduce(recorder, &add_images));
    }
    return SFT_OK;
}
