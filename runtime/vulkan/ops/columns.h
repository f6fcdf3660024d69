/* SPDX-License-Identifier: Apache-2.0 */
/* The shape of a reduction's work-groups: TX columns by TY rows of lanes (shaders/lib/columns.glsl). */
#ifndef SFT_VULKAN_OPS_COLUMNS_H
#define SFT_VULKAN_OPS_COLUMNS_H

#include "runtime/vulkan/recorder.h"

/* Sets the group's size, TX and the grid, for `columns` results that are each made of `rows` terms.
 * `along_rows`: a column's terms lie next to one another, so neighbouring lanes should share a column. */
void sft_vk_columns(const struct sft_vk_recorder *recorder, struct sft_vk_dispatch *dispatch, int64_t columns,
                    int64_t rows, bool along_rows);

/* A sum over some axes of a contiguous tensor, as shaders/reduce.comp does it. A sum in parts keeps them in
 * the node's scratch memory. */
struct sft_vk_reduction {
    struct sft_vk_operand x;
    struct sft_vk_operand y;
    struct sft_shape shape;     /* of x */
    bool reduced[SFT_MAX_RANK]; /* by axis of x */
    bool square;                /* a sum of squares */
    bool root;                  /* sqrt(sum) + number instead of sum * number */
    float number;
    bool whole; /* in one dispatch, without the node's scratch memory */
};

enum sft_status sft_vk_reduce(struct sft_vk_recorder *recorder,
                              const struct sft_vk_reduction *reduction) SFT_MUST_CHECK;

/* Scratch bytes that `kept` sums of `rows` terms each need. */
size_t sft_vk_reduce_scratch(int64_t kept, int64_t rows);

#endif
