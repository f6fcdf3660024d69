/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group norm and its gradient. Statistics come by one of two roads: directly, a column of lanes for each
 * group, where the group's channels fill a memory line or there is one pixel; else by channel over stretches
 * of pixels, then merged. The second road is coalesced for any group width, batch norm's single channels
 * included.
 */
#include "runtime/base/divide.h"
#include "runtime/ops.h"
#include "runtime/vulkan/ops/columns.h"
#include "shaders/abi/norm.h"

SFT_VK_WORDS(norm_words, SFT_NORM_WORDS);
SFT_VK_OPERANDS(norm_parts_operands, SFT_NORM_PARTS_OPERANDS);
SFT_VK_OPERANDS(norm_merge_operands, SFT_NORM_MERGE_OPERANDS);
SFT_VK_OPERANDS(norm_direct_operands, SFT_NORM_DIRECT_OPERANDS);
SFT_VK_OPERANDS(norm_frozen_operands, SFT_NORM_FROZEN_OPERANDS);
SFT_VK_WORDS(norm_frozen_words, SFT_NORM_FROZEN_WORDS);
SFT_VK_OPERANDS(norm_apply_operands, SFT_NORM_APPLY_OPERANDS);
SFT_VK_OPERANDS(norm_sums_operands, SFT_NORM_SUMS_OPERANDS);
SFT_VK_OPERANDS(norm_means_operands, SFT_NORM_MEANS_OPERANDS);
SFT_VK_OPERANDS(norm_dx_operands, SFT_NORM_DX_OPERANDS);

static const struct sft_group_norm_params *params_of(const struct sft_node *node)
{
    return SFT_NODE_PARAMS(struct sft_group_norm_params, node);
}

/* Stretches of pixels enough for a whole GPU; by shape only, like the scratch memory. */
static int64_t parts_of(int64_t columns, int64_t pixels)
{
    enum { WANTED_COLUMNS = 65536, LEAST_PIXELS = 32 };
    int64_t parts = WANTED_COLUMNS / columns, most = pixels / LEAST_PIXELS;
    if (parts > most) parts = most;
    return parts < 1 ? 1 : parts;
}

/* Of an op whose first input is x. */
static struct norm_words words_of(const struct sft_graph *graph, const struct sft_node *node)
{
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    int64_t images = x->dim[0], channels = x->dim[x->rank - 1];
    int64_t pixels = sft_shape_count(x) / images / channels;
    int64_t parts = parts_of(images * channels, pixels);
    return (struct norm_words){
        .images = (uint32_t)images,
        .pixels = (uint32_t)pixels,
        .channels = (uint32_t)channels,
        .width = (uint32_t)(channels / params_of(node)->groups),
        .parts = (uint32_t)parts,
        .part_pixels = (uint32_t)sft_divide_up(pixels, parts),
        .epsilon = params_of(node)->epsilon,
    };
}

/* Groups of all images. */
static int64_t groups_of(const struct norm_words *words)
{
    return (int64_t)words->images * (words->channels / words->width);
}

/* Lanes of a kernel that has one for each image, stretch and channel. */
static int64_t columns_of(const struct norm_words *words)
{
    return (int64_t)words->images * words->parts * words->channels;
}

/* Two numbers for each of these. */
static size_t part_bytes(const struct norm_words *words)
{
    return (size_t)columns_of(words) * 2 * SFT_STORED_BYTES;
}

static bool by_four(const struct sft_graph *graph, const struct norm_words *words, const sft_value *values,
                    int n)
{
    for (int i = 0; i < n; i++)
        if (!sft_vk_aligned(graph, values[i])) return false;
    return words->channels % 4 == 0;
}

/* ---- forward ---- */

static bool direct(const struct norm_words *words)
{
    return words->pixels == 1 || (words->width >= 8 && groups_of(words) >= 64);
}

size_t sft_vk_group_norm_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    struct norm_words words = words_of(graph, node);
    return params_of(node)->frozen || direct(&words) ? 0 : part_bytes(&words);
}

static enum sft_status record_frozen(struct sft_vk_recorder *recorder, const struct sft_node *node,
                                     const struct norm_words *sizes)
{
    struct sft_vk_dispatch dispatch = {.shader = "norm_frozen"};
    const struct norm_frozen_operands operands = {
        .mean_in = sft_vk_read(node->in[3]),
        .variance = sft_vk_read(node->in[4]),
        .mean = sft_vk_write(node->out[1]),
        .rstd = sft_vk_write(node->out[2]),
    };
    const struct norm_frozen_words words = {
        .count = (uint32_t)groups_of(sizes),
        .epsilon = sizes->epsilon,
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_cover(recorder, &dispatch, words.count);
    return sft_vk_record(recorder, &dispatch);
}

static enum sft_status record_direct(struct sft_vk_recorder *recorder, const struct sft_node *node,
                                     const struct norm_words *words)
{
    struct sft_vk_dispatch dispatch = {.shader = "norm_direct"};
    const struct norm_direct_operands operands = {
        .x = sft_vk_read(node->in[0]),
        .mean = sft_vk_write(node->out[1]),
        .rstd = sft_vk_write(node->out[2]),
    };
    SFT_VK_PUSH(&dispatch, operands, *words);
    sft_vk_columns(recorder, &dispatch, groups_of(words), (int64_t)words->width * words->pixels, true);
    return sft_vk_record(recorder, &dispatch);
}

static enum sft_status record_parts(struct sft_vk_recorder *recorder, const struct sft_node *node,
                                    const struct norm_words *words)
{
    struct sft_vk_dispatch dispatch = {.shader = "norm_parts"};
    const struct norm_parts_operands operands = {
        .x = sft_vk_read(node->in[0]),
        .parts_out = sft_vk_write_scratch(),
    };
    SFT_VK_PUSH(&dispatch, operands, *words);
    sft_vk_cover(recorder, &dispatch, columns_of(words));
    return sft_vk_record(recorder, &dispatch);
}

static enum sft_status record_merge(struct sft_vk_recorder *recorder, const struct sft_node *node,
                                    const struct norm_words *words)
{
    struct sft_vk_dispatch dispatch = {.shader = "norm_merge"};
    const struct norm_merge_operands operands = {
        .parts_in = sft_vk_read_scratch(),
        .mean = sft_vk_write(node->out[1]),
        .rstd = sft_vk_write(node->out[2]),
    };
    SFT_VK_PUSH(&dispatch, operands, *words);
    sft_vk_columns(recorder, &dispatch, groups_of(words), (int64_t)words->width * words->parts, true);
    return sft_vk_record(recorder, &dispatch);
}

static enum sft_status record_statistics(struct sft_vk_recorder *recorder, const struct sft_node *node,
                                         const struct norm_words *words)
{
    if (params_of(node)->frozen) return record_frozen(recorder, node, words);
    if (direct(words)) return record_direct(recorder, node, words);
    SFT_TRY(record_parts(recorder, node, words));
    return record_merge(recorder, node, words);
}

enum sft_status sft_vk_group_norm(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                  const struct sft_node *node)
{
    struct norm_words words = words_of(graph, node);
    int64_t count = sft_in_count(graph, node, 0);
    sft_value x = node->in[0], gamma = node->in[1], beta = node->in[2], y = node->out[0];
    bool vec4 = by_four(graph, &words, (sft_value[]){x, gamma, beta, y}, 4);
    struct sft_vk_dispatch dispatch = {.shader = "norm_apply"};
    const struct norm_apply_operands operands = {
        .x = sft_vk_read(x),
        .gamma = sft_vk_read(gamma),
        .beta = sft_vk_read(beta),
        .mean = sft_vk_read(node->out[1]),
        .rstd = sft_vk_read(node->out[2]),
        .y = sft_vk_write(y),
    };
    SFT_TRY(record_statistics(recorder, node, &words));
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_cover(recorder, &dispatch, vec4 ? count / 4 : count);
    sft_vk_specialise(&dispatch, SFT_NORM_APPLY_VEC4_ID, vec4);
    sft_vk_specialise(&dispatch, SFT_NORM_APPLY_RELU_ID, params_of(node)->relu != 0);
    return sft_vk_record(recorder, &dispatch);
}

/* ---- gradient: sums by image and channel ---- */

size_t sft_vk_group_norm_sums_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    struct norm_words words = words_of(graph, node);
    return words.parts > 1 ? part_bytes(&words) : 0;
}

/* Adds the stretches up. */
static enum sft_status add_parts(struct sft_vk_recorder *recorder, const struct sft_node *node,
                                 const struct norm_words *words)
{
    const struct sft_vk_reduction reduction = {
        .x = sft_vk_read_scratch(),
        .y = sft_vk_write(node->out[0]),
        .number = 1.0f,
        .whole = true,
        .shape = SFT_SHAPE(2 * (int64_t)words->images, words->parts, words->channels),
        .reduced = {false, true, false},
    };
    return sft_vk_reduce(recorder, &reduction);
}

enum sft_status sft_vk_group_norm_sums(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                       const struct sft_node *node)
{
    struct norm_words words = words_of(graph, node);
    bool split = words.parts > 1;
    struct sft_vk_dispatch dispatch = {.shader = "norm_sums"};
    const struct norm_sums_operands operands = {
        .x = sft_vk_read(node->in[0]),
        .dy = sft_vk_read(node->in[1]),
        .gamma = sft_vk_read(node->in[2]),
        .beta = sft_vk_read(node->in[3]),
        .mean = sft_vk_read(node->in[4]),
        .rstd = sft_vk_read(node->in[5]),
        .sums = split ? sft_vk_write_scratch() : sft_vk_write(node->out[0]),
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_cover(recorder, &dispatch, columns_of(&words));
    sft_vk_specialise(&dispatch, SFT_NORM_SUMS_RELU_ID, params_of(node)->relu != 0);
    SFT_TRY(sft_vk_record(recorder, &dispatch));
    return split ? add_parts(recorder, node, &words) : SFT_OK;
}

/* ---- gradient: dx ---- */

size_t sft_vk_group_norm_dx_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    struct norm_words words = words_of(graph, node);
    return params_of(node)->frozen ? 0 : (size_t)groups_of(&words) * 2 * SFT_STORED_BYTES;
}

static enum sft_status record_means(struct sft_vk_recorder *recorder, const struct sft_node *node,
                                    const struct norm_words *words)
{
    struct sft_vk_dispatch dispatch = {.shader = "norm_means"};
    const struct norm_means_operands operands = {
        .gamma = sft_vk_read(node->in[2]),
        .sums = sft_vk_read(node->in[6]),
        .means = sft_vk_write_scratch(),
    };
    SFT_VK_PUSH(&dispatch, operands, *words);
    sft_vk_columns(recorder, &dispatch, groups_of(words), words->width, true);
    return sft_vk_record(recorder, &dispatch);
}

enum sft_status sft_vk_group_norm_dx(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                     const struct sft_node *node)
{
    bool frozen = params_of(node)->frozen;
    struct norm_words words = words_of(graph, node);
    int64_t count = sft_in_count(graph, node, 0);
    sft_value x = node->in[0], dy = node->in[1], gamma = node->in[2], beta = node->in[3], dx = node->out[0];
    bool vec4 = by_four(graph, &words, (sft_value[]){x, dy, gamma, beta, dx}, 5);
    struct sft_vk_dispatch dispatch = {.shader = "norm_dx"};
    const struct norm_dx_operands operands = {
        .x = sft_vk_read(x),
        .dy = sft_vk_read(dy),
        .gamma = sft_vk_read(gamma),
        .beta = sft_vk_read(beta),
        .mean = sft_vk_read(node->in[4]),
        .rstd = sft_vk_read(node->in[5]),
        .means = frozen ? sft_vk_read(SFT_NONE) : sft_vk_read_scratch(),
        .dx = sft_vk_write(dx),
    };
    if (!frozen) SFT_TRY(record_means(recorder, node, &words));
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_cover(recorder, &dispatch, vec4 ? count / 4 : count);
    sft_vk_specialise(&dispatch, SFT_NORM_DX_VEC4_ID, vec4);
    sft_vk_specialise(&dispatch, SFT_NORM_DX_RELU_ID, params_of(node)->relu != 0);
    sft_vk_specialise(&dispatch, SFT_NORM_DX_FROZEN_ID, frozen);
    return sft_vk_record(recorder, &dispatch);
}

/* ---- gradient: parameters ---- */

enum sft_status sft_vk_group_norm_dparam(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                         const struct sft_node *node)
{
    const struct sft_shape *sums = sft_in_shape(graph, node, 0);
    int64_t images = sums->dim[1], channels = sums->dim[2];
    size_t plane = (size_t)(images * channels) * SFT_STORED_BYTES;
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
