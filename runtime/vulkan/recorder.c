/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vulkan/recorder.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/divide.h"

void sft_vk_recorder_uninit(struct sft_vk_recorder *recorder)
{
    free(recorder->dispatches);
    memset(recorder, 0, sizeof(*recorder));
}

const struct sft_vk_limits *sft_vk_recorder_limits(const struct sft_vk_recorder *recorder)
{
    return &recorder->limits;
}

static const char *misfit(const struct sft_vk_limits *limits, const struct sft_vk_dispatch *dispatch)
{
    for (int i = 0; i < 3; i++)
        if (dispatch->groups[i] > limits->max_groups[i]) return "more work-groups than the device allows";
    if (dispatch->n_spec < 1 || dispatch->n_spec > SFT_VK_MAX_SPEC)
        return "wrong count of specialisation constants";
    if (dispatch->n_operands > SFT_VK_MAX_OPERANDS) return "too many operands";
    if (dispatch->n_operands * 8 + dispatch->n_words * 4 > SFT_VK_PUSH_BYTES)
        return "too many push constants";
    if (dispatch->spec[0] > limits->max_invocations || dispatch->spec[0] > limits->max_group_size[0])
        return "a larger work-group than the device allows";
    return NULL;
}

enum sft_status sft_vk_record(struct sft_vk_recorder *recorder, const struct sft_vk_dispatch *dispatch)
{
    const char *why = misfit(&recorder->limits, dispatch);
    if (why) return sft_fail(SFT_DEVICE, "shader %s: %s", dispatch->shader, why);
    if (dispatch->groups[0] == 0 || dispatch->groups[1] == 0 || dispatch->groups[2] == 0) return SFT_OK;
    SFT_TRY(sft_grow(&recorder->dispatches, &recorder->room, recorder->count + 1, sizeof(*dispatch)));
    recorder->dispatches[recorder->count] = *dispatch;
    recorder->dispatches[recorder->count++].node = recorder->node;
    return SFT_OK;
}

void sft_vk_push(struct sft_vk_dispatch *dispatch, const void *operands, size_t n_operands, const void *words,
                 size_t word_bytes)
{
    memcpy(dispatch->operands, operands, n_operands * sizeof(dispatch->operands[0]));
    memcpy(dispatch->words, words, word_bytes);
    dispatch->n_operands = (int)n_operands;
    dispatch->n_words = (int)(word_bytes / sizeof(dispatch->words[0]));
}

void sft_vk_specialise(struct sft_vk_dispatch *dispatch, int id, uint32_t value)
{
    dispatch->spec[id] = value;
    if (dispatch->n_spec <= id) dispatch->n_spec = id + 1;
}

void sft_vk_grid(const struct sft_vk_limits *limits, int64_t count, uint32_t groups[3])
{
    int64_t most = limits->max_groups[0], rows = sft_divide_up(count, most);
    groups[0] = (uint32_t)(rows > 1 ? sft_divide_up(count, rows) : count);
    groups[1] = (uint32_t)(rows > 1 ? rows : 1);
    groups[2] = 1;
}

void sft_vk_cover(const struct sft_vk_recorder *recorder, struct sft_vk_dispatch *dispatch,
                  int64_t invocations)
{
    sft_vk_specialise(dispatch, SFT_GROUP_SIZE_ID, SFT_VK_GROUP);
    sft_vk_grid(&recorder->limits, sft_divide_up(invocations, SFT_VK_GROUP), dispatch->groups);
}

bool sft_vk_aligned(const struct sft_graph *graph, sft_value value)
{
    int64_t offset = 0;
    for (; value != SFT_NONE; value = graph->values[value].base) offset += graph->values[value].offset;
    return offset % 4 == 0;
}
