/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient takes two passes: one by queries, which also leaves D in scratch memory, and one by keys. */
#include "runtime/base/divide.h"
#include "runtime/ops.h"
#include "runtime/vulkan/recorder.h"
#include "shaders/abi/attention.h"

SFT_VK_OPERANDS(attention_operands, SFT_ATTENTION_OPERANDS);
SFT_VK_OPERANDS(attention_dq_operands, SFT_ATTENTION_DQ_OPERANDS);
SFT_VK_OPERANDS(attention_dkv_operands, SFT_ATTENTION_DKV_OPERANDS);
SFT_VK_WORDS(attention_words, SFT_ATTENTION_WORDS);

enum { CPU_GROUP = 8 };

struct attention {
    int64_t tokens, depth, all_heads;
    struct sft_vk_operand part[3]; /* q, k and v */
    struct attention_words words;
    bool vec;
};

/* `first`: the input that is q; k and v follow. */
static struct attention describe(const struct sft_graph *graph, const struct sft_node *node, int first)
{
    const struct sft_attention_params *params = SFT_NODE_PARAMS(struct sft_attention_params, node);
    const struct sft_shape *q = sft_in_shape(graph, node, first);
    bool packed = node->in[first + 1] == SFT_NONE;
    int64_t pitch = q->dim[2], width = packed ? pitch / 3 : pitch;
    struct attention a = {
        .tokens = q->dim[1],
        .depth = width / params->heads,
        .all_heads = q->dim[0] * params->heads,
        .words = {.tokens = (uint32_t)q->dim[1],
                  .heads = (uint32_t)params->heads,
                  .pitch = (uint32_t)pitch,
                  .width = (uint32_t)width,
                  .scale = params->scale},
    };
    a.vec = a.depth % 4 == 0;
    for (int i = 0; i < 3; i++) {
        a.part[i] = sft_vk_read(node->in[packed ? first : first + i]);
        a.vec = a.vec && sft_vk_aligned(graph, a.part[i].value);
        if (packed) a.part[i].offset = (size_t)(i * width) * SFT_STORED_BYTES;
    }
    return a;
}

/* A kernel's files, and how many tensors it keeps of its rows in shared memory. */
struct kernel {
    const char *lanes, *tiled;
    int resident;
};

/* Whether the kernel for GPUs has its shared memory (shaders/lib/attention_tiled.glsl). */
static bool tiles_fit(const struct kernel *kernel, int64_t depth, const struct sft_vk_limits *limits)
{
    const int64_t down = SFT_VK_GROUP / SFT_ATTENTION_ACROSS, pitch = sft_divide_up(depth, 4) + 1;
    int64_t rows = kernel->resident * down * SFT_ATTENTION_EACH + SFT_ATTENTION_TILE;
    int64_t quads = rows * pitch + SFT_ATTENTION_ACROSS + SFT_ATTENTION_TILE * (down + 1) + SFT_VK_GROUP;
    return quads * 4 * SFT_REAL_BYTES <= limits->shared_memory;
}

/* Shader, group, grid and constants. */
static void plan(const struct sft_vk_recorder *recorder, const struct kernel *kernel, struct attention *a,
                 struct sft_vk_dispatch *dispatch)
{
    const struct sft_vk_limits *limits = sft_vk_recorder_limits(recorder);
    bool tiled = !limits->cpu_device && tiles_fit(kernel, a->depth, limits);
    uint32_t group = limits->cpu_device ? CPU_GROUP : SFT_VK_GROUP;
    int64_t rows = tiled ? SFT_VK_GROUP / SFT_ATTENTION_ACROSS * SFT_ATTENTION_EACH : group;
    int64_t blocks = a->all_heads * sft_divide_up(a->tokens, rows);
    a->words.blocks = (uint32_t)blocks;
    dispatch->shader = tiled ? kernel->tiled : kernel->lanes;
    sft_vk_specialise(dispatch, SFT_GROUP_SIZE_ID, group);
    sft_vk_specialise(dispatch, SFT_ATTENTION_DEPTH_ID, (uint32_t)a->depth);
    sft_vk_specialise(dispatch, SFT_ATTENTION_VEC_ID, a->vec);
    sft_vk_grid(limits, blocks, dispatch->groups);
}

enum sft_status sft_vk_attention(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                 const struct sft_node *node)
{
    struct attention a = describe(graph, node, 0);
    static const struct kernel kernel = {"attention_lanes", "attention_tiled", 1};
    struct sft_vk_dispatch dispatch = {0};
    const struct attention_operands operands = {
        .q = a.part[0],
        .k = a.part[1],
        .v = a.part[2],
        .y = sft_vk_write(node->out[0]),
        .lse = sft_vk_write(node->out[1]),
    };
    a.vec = a.vec && sft_vk_aligned(graph, node->out[0]);
    plan(recorder, &kernel, &a, &dispatch);
    SFT_VK_PUSH(&dispatch, operands, a.words);
    return sft_vk_record(recorder, &dispatch);
}

size_t sft_vk_attention_grad_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    return (size_t)sft_in_count(graph, node, 2) * SFT_STORED_BYTES;
}

/* Part `i` of the three side by side in the node's output. */
static struct sft_vk_operand gradient_part(const struct sft_node *node, const struct attention *a, int i)
{
    struct sft_vk_operand part = sft_vk_write(node->out[0]);
    part.offset = (size_t)i * a->words.width * SFT_STORED_BYTES;
    return part;
}

static enum sft_status record_dq(struct sft_vk_recorder *recorder, const struct sft_node *node,
                                 struct attention *a)
{
    static const struct kernel kernel = {"attention_dq_lanes", "attention_dq_tiled", 2};
    struct sft_vk_dispatch dispatch = {0};
    const struct attention_dq_operands operands = {
        .q = a->part[0],
        .k = a->part[1],
        .v = a->part[2],
        .dy = sft_vk_read(node->in[0]),
        .y = sft_vk_read(node->in[1]),
        .lse = sft_vk_read(node->in[2]),
        .along = sft_vk_write_scratch(),
        .dq = gradient_part(node, a, 0),
    };
    plan(recorder, &kernel, a, &dispatch);
    SFT_VK_PUSH(&dispatch, operands, a->words);
    return sft_vk_record(recorder, &dispatch);
}

static enum sft_status record_dkv(struct sft_vk_recorder *recorder, const struct sft_node *node,
                                  struct attention *a)
{
    static const struct kernel kernel = {"attention_dkv_lanes", "attention_dkv_tiled", 2};
    struct sft_vk_dispatch dispatch = {0};
    const struct attention_dkv_operands operands = {
        .q = a->part[0],
        .k = a->part[1],
        .v = a->part[2],
        .dy = sft_vk_read(node->in[0]),
        .lse = sft_vk_read(node->in[2]),
        .along = sft_vk_read_scratch(),
        .dk = gradient_part(node, a, 1),
        .dv = gradient_part(node, a, 2),
    };
    plan(recorder, &kernel, a, &dispatch);
    SFT_VK_PUSH(&dispatch, operands, a->words);
    return sft_vk_record(recorder, &dispatch);
}

enum sft_status sft_vk_attention_grad(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                      const struct sft_node *node)
{
    struct attention a = describe(graph, node, 3);
    a.vec = a.vec && sft_vk_aligned(graph, node->in[0]) && sft_vk_aligned(graph, node->in[1]) &&
            sft_vk_aligned(graph, node->out[0]);
    SFT_TRY(record_dq(recorder, node, &a));
    return record_dkv(recorder, node, &a);
}
