/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an op's Vulkan side says: which shaders run over which memory. sft_vk_NAME (runtime/vulkan/ops) fills
 * dispatches from shapes and limits only and touches no Vulkan, so it can be tested against invented limits.
 *
 * A shader's push constants are its operands' 64-bit buffer device addresses, then 32-bit words, at most 128
 * bytes together. Both lists stand in shaders/abi (shaders/abi/common.h says how), so that a shader's block
 * and the structs of the op that fills it are made of the same lines:
 *
 *     SFT_VK_OPERANDS(softmax_operands, SFT_SOFTMAX_OPERANDS);
 *     SFT_VK_WORDS(softmax_words, SFT_SOFTMAX_WORDS);
 *
 *     struct sft_vk_dispatch dispatch = {.shader = "softmax"};
 *     const struct softmax_operands operands = {.x = sft_vk_read(x), .y = sft_vk_write(y)};
 *     const struct softmax_words words = {.rows = rows, .width = width};
 *     SFT_VK_PUSH(&dispatch, operands, words);
 *     sft_vk_columns(recorder, &dispatch, rows, width, true);
 *     return sft_vk_record(recorder, &dispatch);
 *
 * Group size and tile are specialisation constants. Barriers come from the program, which sees which memory a
 * dispatch reads and writes.
 */
#ifndef SFT_VULKAN_RECORDER_H
#define SFT_VULKAN_RECORDER_H

#include "runtime/graph.h"
#include "shaders/abi/common.h"

enum {
    SFT_VK_MAX_OPERANDS = 10,
    SFT_VK_MAX_SPEC = 16,
    SFT_VK_PUSH_BYTES = 128,
    SFT_VK_GROUP = 64,   /* lanes of a work-group where the op has no reason for another size */
    SFT_VK_SCRATCH = -2, /* in place of a value */
};

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
    const char *shader;             /* file name in shaders/ without .comp */
    uint32_t spec[SFT_VK_MAX_SPEC]; /* by number; set by sft_vk_specialise */
    int n_spec;
    struct sft_vk_operand operands[SFT_VK_MAX_OPERANDS]; /* set by SFT_VK_PUSH, like the words */
    int n_operands;
    uint32_t words[SFT_VK_PUSH_BYTES / 4];
    int n_words;
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

static inline struct sft_vk_operand sft_vk_read_scratch(void)
{
    return (struct sft_vk_operand){.value = SFT_VK_SCRATCH, .read = true};
}

static inline struct sft_vk_operand sft_vk_write_scratch(void)
{
    return (struct sft_vk_operand){.value = SFT_VK_SCRATCH, .write = true};
}

/* ---- from the lists of shaders/abi ---- */

#define SFT_VK_TYPE_uint uint32_t
#define SFT_VK_TYPE_float float
#define SFT_VK_WORD_MEMBER(type, name) SFT_VK_TYPE_##type name;
#define SFT_VK_OPERAND_MEMBER(type, name) struct sft_vk_operand name;
#define SFT_VK_ENUMERATOR(name, number) name = number,
#define SFT_VK_SAME_NUMBER(name, number)                                                                     \
    _Static_assert((int)(name) == (number), #name " has another number in shaders/abi");

/* Declares the struct that holds a shader's operands, and that of its words. */
#define SFT_VK_OPERANDS(tag, LIST)                                                                           \
    struct tag {                                                                                             \
        LIST(SFT_VK_OPERAND_MEMBER)                                                                          \
    }
#define SFT_VK_WORDS(tag, LIST)                                                                              \
    struct tag {                                                                                             \
        LIST(SFT_VK_WORD_MEMBER)                                                                             \
    }

#define SFT_VK_OPERAND_COUNT(operands) (sizeof(operands) / sizeof(struct sft_vk_operand))
#define SFT_VK_PUSH_SIZE(operands, words) (8 * SFT_VK_OPERAND_COUNT(operands) + sizeof(words))

/* Copies both structs into the dispatch; `operands` and `words` are variables. */
#define SFT_VK_PUSH(dispatch, operands, words)                                                               \
    do {                                                                                                     \
        _Static_assert(SFT_VK_OPERAND_COUNT(operands) <= SFT_VK_MAX_OPERANDS, "too many operands");          \
        _Static_assert(SFT_VK_PUSH_SIZE(operands, words) <= SFT_VK_PUSH_BYTES, "too many push constants");   \
        sft_vk_push((dispatch), &(operands), SFT_VK_OPERAND_COUNT(operands), &(words), sizeof(words));       \
    } while (0)

void sft_vk_push(struct sft_vk_dispatch *dispatch, const void *operands, size_t n_operands, const void *words,
                 size_t word_bytes);

/* Gives specialisation constant `id` (an _ID of shaders/abi) its value. */
void sft_vk_specialise(struct sft_vk_dispatch *dispatch, int id, uint32_t value);

/* ---- recording ---- */

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
void sft_vk_grid(const struct sft_vk_limits *limits, int64_t count, uint32_t groups[3]);

/* Sets the group's size to SFT_VK_GROUP and the grid, for that many invocations at least. */
void sft_vk_cover(const struct sft_vk_recorder *recorder, struct sft_vk_dispatch *dispatch,
                  int64_t invocations);

/* Whether the value starts at a whole quad of elements, so that it may be read four at a time. */
bool sft_vk_aligned(const struct sft_graph *graph, sft_value value);

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
