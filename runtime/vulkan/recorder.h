/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an op's Vulkan side says: which shaders run over which memory. sft_vk_NAME (runtime/vulkan/ops) fills
 * dispatches from shapes and limits only and touches no Vulkan, so it can be tested against invented limits.
 *
 * Every shader's push-constant block is the operands' 64-bit buffer device addresses in order, then 32-bit
 * words:
 *
 *     layout(push_constant) uniform Push { F32 x; F32 y; uint count; float factor; };
 *
 * at most 128 bytes together. Group size and tile are specialisation constants; constant 0 is the group's
 * size in x. Barriers come from the program, which sees which memory a dispatch reads and writes.
 */
#ifndef SFT_VULKAN_RECORDER_H
#define SFT_VULKAN_RECORDER_H

#include "runtime/graph.h"

enum { SFT_VK_MAX_OPERANDS = 10, SFT_VK_MAX_SPEC = 16, SFT_VK_PUSH_BYTES = 128, SFT_VK_SCRATCH = -2 };

/* What kernels may count on; the guaranteed minimum of Vulkan 1.3 where a device says nothing. */
struct sft_vk_limits {
    uint32_t subgroup_size;   /* 0: subgroup operations must not be used */
    uint32_t max_invocations; /* in a work-group */
    uint32_t max_group_size[3];
    uint32_t max_groups[3];
    uint32_t shared_memory; /* bytes */
    bool cpu_device;        /* a driver that runs on the CPU: no shared memory, no barriers */
};

struct sft_vk_operand {
    sft_value value; /* or SFT_VK_SCRATCH: the node's scratch memory */
    size_t offset;   /* bytes */
    size_t bytes;    /* touched from there; 0: to the end of the value */
    bool read, write;
};

struct sft_vk_dispatch {
    const char *shader; /* file name in shaders/ without .comp */
    uint32_t spec[SFT_VK_MAX_SPEC];
    int n_spec;
    struct sft_vk_operand operands[SFT_VK_MAX_OPERANDS];
    int n_operands;
    uint32_t push[32]; /* words after the addresses; floats through sft_vk_bits */
    int n_push;
    uint32_t groups[3];
    size_t node; /* set by the recorder */
};

/* The list that sft_vk_NAME appends to. */
struct sft_vk_recorder {
    struct sft_vk_limits limits;
    struct sft_vk_dispatch *dispatches;
    size_t count, room;
    size_t node; /* whose dispatches come next */
};

static inline struct sft_vk_operand sft_vk_read(sft_value value)
{
    return (struct sft_vk_operand){.value = value, .read = true};
}

static inline struct sft_vk_operand sft_vk_write(sft_value value)
{
    return (struct sft_vk_operand){.value = value, .write = true};
}

/* An operand that the shader changes. */
static inline struct sft_vk_operand sft_vk_update(sft_value value)
{
    return (struct sft_vk_operand){.value = value, .read = true, .write = true};
}

static inline uint32_t sft_vk_bits(float number)
{
    union {
        float number;
        uint32_t bits;
    } both = {number};
    return both.bits;
}

/* Zeros is a recorder without limits; set .limits. Release with sft_vk_recorder_uninit. */
void sft_vk_recorder_uninit(struct sft_vk_recorder *recorder);

/* ---- for sft_vk_NAME ---- */

const struct sft_vk_limits *sft_vk_recorder_limits(const struct sft_vk_recorder *recorder);

/* Appends one dispatch, after holding its size against the limits. An absent operand (SFT_NONE) becomes
 * address 0. A dispatch without groups is dropped. */
enum sft_status sft_vk_record(struct sft_vk_recorder *recorder,
                              const struct sft_vk_dispatch *dispatch) SFT_MUST_CHECK;

/* Folds `count` groups along x into x and y, so that neither passes the device's limit. The grid may have
 * surplus groups: shaders use linear_group() of shaders/lib/grid.glsl and look at their index. */
void sft_vk_grid(const struct sft_vk_limits *limits, uint64_t count, uint32_t groups[3]);

/* Whether the value starts at a multiple of 16 bytes, so that it may be read as vec4. */
bool sft_vk_aligned(const struct sft_graph *graph, sft_value value);

static inline uint64_t sft_vk_divide_up(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

/* ---- sft_vk_NAME themselves; one that needs scratch memory has a row in runtime/vulkan/scratch.def ---- */

#define SFT_OP(name)                                                                                         \
    enum sft_status sft_vk_##name(struct sft_vk_recorder *recorder, const struct sft_graph *graph,           \
                                  const struct sft_node *node);
#include "runtime/ops.def"
#undef SFT_OP

#define SFT_SCRATCH(name)                                                                                    \
    size_t sft_vk_##name##_scratch(const struct sft_graph *graph, const struct sft_node *node);
#include "runtime/vulkan/scratch.def"
#undef SFT_SCRATCH

#endif
