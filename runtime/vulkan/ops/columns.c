/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vulkan/ops/columns.h"

#include <string.h>

#include "runtime/base/divide.h"
#include "shaders/abi/reduce.h"

SFT_VK_OPERANDS(reduce_operands, SFT_REDUCE_OPERANDS);
SFT_VK_WORDS(reduce_words, SFT_REDUCE_WORDS);

static uint32_t power_of_two_up(int64_t number, uint32_t most)
{
    uint32_t power = 1;
    while (power < number && power < most) power *= 2;
    return power;
}

static uint32_t group_size(const struct sft_vk_limits *limits)
{
    uint32_t most = limits->max_invocations;
    if (most > limits->max_group_size[0]) most = limits->max_group_size[0];
    return most >= 256 ? 256 : 128;
}

void sft_vk_columns(const struct sft_vk_recorder *recorder, struct sft_vk_dispatch *dispatch, int64_t columns,
                    int64_t rows, bool along_rows)
{
    enum { CPU_GROUP = 16, SHARED_ROWS = 16 };
    const struct sft_vk_limits *limits = sft_vk_recorder_limits(recorder);
    uint32_t group = limits->cpu_device ? CPU_GROUP : group_size(limits);
    uint32_t ty = 1;
    if (!limits->cpu_device)
        ty = along_rows ? power_of_two_up(rows, group) : power_of_two_up(rows / 4, SHARED_ROWS);
    sft_vk_specialise(dispatch, SFT_GROUP_SIZE_ID, group);
    sft_vk_specialise(dispatch, SFT_TX_ID, group / ty);
    sft_vk_grid(limits, sft_divide_up(columns, group / ty), dispatch->groups);
}

/* ---- sums ---- */

/* Neighbouring axes of one kind merged, innermost first. */
struct axes {
    int n;
    uint32_t size[3];
    uint32_t stride[3];
    int64_t count; /* of elements */
};

static void add_axis(struct axes *axes, bool merge, int64_t size, int64_t stride)
{
    axes->count *= size;
    if (merge && axes->n > 0) {
        axes->size[axes->n - 1] *= (uint32_t)size;
        return;
    }
    axes->size[axes->n] = (uint32_t)size;
    axes->stride[axes->n++] = (uint32_t)stride;
}

static void split_axes(const struct sft_vk_reduction *reduction, struct axes *kept, struct axes *rows)
{
    struct axes *last = NULL;
    int64_t stride = 1;
    *kept = *rows = (struct axes){.size = {1, 1, 1}, .count = 1};
    for (int i = reduction->shape.rank - 1; i >= 0; i--) {
        int64_t size = reduction->shape.dim[i];
        struct axes *now = reduction->reduced[i] ? rows : kept;
        if (size > 1) {
            add_axis(now, now == last, size, stride);
            last = now;
        }
        stride *= size;
    }
}

/* Into how many parts each sum is cut, so that there is work for a whole GPU; by shape only, like the scratch
 * memory.
 */
static int64_t parts_of(int64_t kept, int64_t rows)
{
    enum { WANTED_COLUMNS = 16384, LEAST_ROWS = 256 };
    int64_t most = rows / LEAST_ROWS;
    int64_t parts = WANTED_COLUMNS / kept;
    if (parts > most) parts = most;
    return parts < 1 ? 1 : parts;
}

size_t sft_vk_reduce_scratch(int64_t kept, int64_t rows)
{
    int64_t parts = parts_of(kept, rows);
    return parts > 1 ? (size_t)(parts * kept) * SFT_STORED_BYTES : 0;
}

static struct reduce_words words_of(const struct axes *kept, const struct axes *rows, int64_t parts,
                                    float number)
{
    struct reduce_words words = {
        .number = number,
        .kept = (uint32_t)kept->count,
        .rows = (uint32_t)rows->count,
        .parts = (uint32_t)parts,
        .part_rows = (uint32_t)sft_divide_up(rows->count, parts),
    };
    memcpy(words.kept_size, kept->size, sizeof(words.kept_size));
    memcpy(words.kept_stride, kept->stride, sizeof(words.kept_stride));
    memcpy(words.size, rows->size, sizeof(words.size));
    memcpy(words.stride, rows->stride, sizeof(words.stride));
    return words;
}

static enum sft_status record_sum(struct sft_vk_recorder *recorder, const struct sft_vk_reduction *reduction,
                                  const struct axes *kept, const struct axes *rows, int64_t parts)
{
    struct sft_vk_dispatch dispatch = {.shader = "reduce"};
    const struct reduce_operands operands = {.x = reduction->x, .y = reduction->y};
    const struct reduce_words words = words_of(kept, rows, parts, reduction->number);
    bool along_rows = rows->n > 0 && rows->stride[0] == 1;
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_columns(recorder, &dispatch, kept->count * parts, words.part_rows, along_rows);
    sft_vk_specialise(&dispatch, SFT_REDUCE_SQUARE_ID, reduction->square);
    sft_vk_specialise(&dispatch, SFT_REDUCE_ROOT_ID, reduction->root);
    sft_vk_specialise(&dispatch, SFT_REDUCE_AXES_ID, (uint32_t)(rows->n > 0 ? rows->n : 1));
    return sft_vk_record(recorder, &dispatch);
}

/* Adds up the parts that lie in scratch memory as (parts, kept). */
static enum sft_status record_parts(struct sft_vk_recorder *recorder,
                                    const struct sft_vk_reduction *reduction, int64_t kept, int64_t parts)
{
    struct sft_vk_reduction second = *reduction;
    struct axes across = {.n = 1, .size = {(uint32_t)kept, 1, 1}, .stride = {1}, .count = kept};
    struct axes down = {.n = 1, .size = {(uint32_t)parts, 1, 1}, .stride = {(uint32_t)kept}, .count = parts};
    second.x = sft_vk_read_scratch();
    second.square = false;
    return record_sum(recorder, &second, &across, &down, 1);
}

enum sft_status sft_vk_reduce(struct sft_vk_recorder *recorder, const struct sft_vk_reduction *reduction)
{
    struct sft_vk_reduction first = *reduction;
    struct axes kept, rows;
    int64_t parts;
    split_axes(reduction, &kept, &rows);
    parts = reduction->whole ? 1 : parts_of(kept.count, rows.count);
    if (parts == 1) return record_sum(recorder, reduction, &kept, &rows, 1);
    first.y = sft_vk_write_scratch();
    first.root = false;
    first.number = 1.0f;
    SFT_TRY(record_sum(recorder, &first, &kept, &rows, parts));
    return record_parts(recorder, reduction, kept.count, parts);
}
