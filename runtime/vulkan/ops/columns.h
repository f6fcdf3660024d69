/* SPDX-License-Identifier: Apache-2.0 */
/* The shape of a reduction's work-groups: TX columns by TY rows of lanes (shaders/lib/columns.glsl). */
#ifndef SFT_VULKAN_OPS_COLUMNS_H
#define SFT_VULKAN_OPS_COLUMNS_H

#include "runtime/vulkan/recorder.h"

/* Sets specialisation constants 0 (the group's size) and 1 (TX) and the grid, for `columns` results that are
 * each made of `rows` terms. `along_rows`: a column's terms lie next to one another, so neighbouring lanes
 * should share a column.
 */
void sft_vk_columns(const struct sft_vk_limits *limits, struct sft_vk_dispatch *dispatch, uint64_t columns,
                    uint64_t rows, bool along_rows);

/* A sum over some axes of a contiguous tensor, as shaders/reduce.comp does it. */
struct sft_vk_reduction {
    struct sft_vk_operand x, y, scratch; /* scratch: sft_vk_reduce_scratch bytes */
    struct sft_shape shape;              /* of x */
    bool reduced[SFT_MAX_RANK];          /* by axis of x */
    bool square, root;                   /* sum of squares; sqrt(sum) + number instead of sum * number */
    float number;
    bool whole; /* in one dispatch, without scratch memory */
};

enum sft_status sft_vk_reduce(struct sft_vk_recorder *recorder,
                              const struct sft_vk_reduction *reduction) SFT_MUST_CHECK;

/* Scratch bytes for `kept` sums of `rows` terms each. */
size_t sft_vk_reduce_scratch(uint64_t kept, uint64_t rows);

#endif
