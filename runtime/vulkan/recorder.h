/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an op's Vulkan side says: which shaders run over which memory. sft_vk_NAME (runtime/vulkan/ops) fills dispatches from
 * shapes and limits only and touches no Vulkan, so it can be tested against invented limits.
 *
 * Every shader's push-constant block is the operands' 64-bit buffer device addresses in order, then 32-bit words:
 *
 *     layout(push_constant) uniform Push { F32 x; F32 y; uint count; float factor; };
 *
 * at most 128 bytes together. Group size and tile are specialisation constants. Barriers come from the recorder, which sees
 * which memory a dispatch reads and writes.
 */
#ifndef SFT_VULKAN_RECORDER_H
#define SFT_VULKAN_RECORDER_H

#include "runtime/op.h"

enum { SFT_VK_MAX_OPERANDS = 10, SFT_VK_MAX_SPEC = 16, SFT_VK_PUSH_BYTES = 128, SFT_VK_SCRATCH = -2 };

/* What kernels may count on; the guaranteed minimum of Vulkan 1.3 where a device says nothing. */
struct sft_vk_limits {
    uint32_t subgroup_size;        /* 0: subgroup operations must not be used */
    uint32_t max_invocations;      /* in a work-group */
    uint32_t max_group_size[3];
    uint32_t max_groups[3];
    uint32_t shared_memory;        /* bytes */
    bool cpu_device;               /* a driver that runs on the CPU: no shared memory tiles, subgroup broadcast */
    bool subgroup_arithmetic, subgroup_shuffle, subgroup_broadcast;
};

struct sft_vk_operand {
    sft_value value;  /* or SFT_VK_SCRATCH: the node's scratch memory */
    size_t offset;    /* bytes */
    size_t bytes;     /* touched from there; 0: to the end of the value */
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
};

static inline struct sft_vk_operand sft_vk_read(sft_value value) { return (struct sft_vk_operand){.value = value, .read = true}; }
static inline struct sft_vk_operand sft_vk_write(sft_value value) { return (struct sft_vk_operand){.value = value, .write = true}; }

static inline uint32_t sft_vk_bits(float number)
{
    union {
        float number;
        uint32_t bits;
    } both = {number};
    return both.bits;
}

const struct sft_vk_limits *sft_vk_recorder_limits(const struct sft_vk_recorder *recorder);

/* Appends one dispatch. An absent operand (SFT_NONE) becomes address 0. */
enum sft_status sft_vk_record(struct sft_vk_recorder *recorder, const struct sft_vk_dispatch *dispatch) SFT_MUST_CHECK;

#endif
