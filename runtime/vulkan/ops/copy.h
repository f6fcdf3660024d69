/* SPDX-License-Identifier: Apache-2.0 */
/* Boxes of 32-bit elements moved from one strided place to another, by shaders/copy.comp. */
#ifndef SFT_VULKAN_OPS_COPY_H
#define SFT_VULKAN_OPS_COPY_H

#include "runtime/vulkan/recorder.h"

/* In elements, or in quads of them; axes outermost first. */
struct sft_vk_box {
    int rank;
    int64_t size[SFT_MAX_RANK];
    int64_t from_start;
    int64_t from_stride[SFT_MAX_RANK];
    int64_t to_start;
    int64_t to_stride[SFT_MAX_RANK];
};

/* Records the copy of one box. `quads`: the box counts quads, and both operands start at a whole one. */
enum sft_status sft_vk_copy(struct sft_vk_recorder *recorder, struct sft_vk_operand from,
                            struct sft_vk_operand to, const struct sft_vk_box *box,
                            bool quads) SFT_MUST_CHECK;

#endif
