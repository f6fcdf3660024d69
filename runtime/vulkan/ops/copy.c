/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vulkan/ops/copy.h"

#include "shaders/abi/copy.h"

SFT_VK_OPERANDS(copy_operands, SFT_COPY_OPERANDS);
SFT_VK_WORDS(copy_words, SFT_COPY_WORDS);

static struct copy_words words_of(const struct sft_vk_box *box)
{
    struct copy_words words = {
        .count = 1,
        .from_start = (uint32_t)box->from_start,
        .to_start = (uint32_t)box->to_start,
        .size = {1, 1, 1, 1},
    };
    for (int i = 0; i < box->rank; i++) {
        int axis = box->rank - 1 - i; /* the shader's first axis is the innermost one */
        if (i < 4) words.size[i] = (uint32_t)box->size[axis];
        words.from_stride[i] = (uint32_t)box->from_stride[axis];
        words.to_stride[i] = (uint32_t)box->to_stride[axis];
        words.count *= (uint32_t)box->size[axis];
    }
    return words;
}

enum sft_status sft_vk_copy(struct sft_vk_recorder *recorder, struct sft_vk_operand from,
                            struct sft_vk_operand to, const struct sft_vk_box *box, bool quads)
{
    struct sft_vk_dispatch dispatch = {.shader = "copy"};
    const struct copy_operands operands = {.from = from, .to = to};
    const struct copy_words words = words_of(box);
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_cover(recorder, &dispatch, words.count);
    sft_vk_specialise(&dispatch, SFT_COPY_VEC4_ID, quads);
    sft_vk_specialise(&dispatch, SFT_COPY_AXES_ID, (uint32_t)box->rank);
    return sft_vk_record(recorder, &dispatch);
}
