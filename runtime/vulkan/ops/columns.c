/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vulkan/ops/columns.h"

static uint32_t power_of_two_up(uint64_t number, uint32_t most)
{
    uint32_t power = 1;
    while (power < number && power < most) power *= 2;
    return power;
}

static uint32_t group_size(const struct sft_vk_limits *limits)
{
    uint32_t most = limits->max_invocations < limits->max_group_size[0] ? limits->max_invocations
                                                                        : limits->max_group_size[0];
    return most >= 256 ? 256 : 128;
}

void sft_vk_columns(const struct sft_vk_limits *limits, struct sft_vk_dispatch *dispatch, uint64_t columns,
                    uint64_t rows, bool along_rows)
{
    enum { CPU_GROUP = 16, SHARED_ROWS = 16 };
    uint32_t group = limits->cpu_device ? CPU_GROUP : group_size(limits), ty = 1;
    if (!limits->cpu_device)
        ty = along_rows ? power_of_two_up(rows, group) : power_of_two_up(rows / 4, SHARED_ROWS);
    dispatch->spec[0] = group;
    dispatch->spec[1] = group / ty;
    sft_vk_grid(limits, sft_vk_divide_up(columns, group / ty), dispatch->groups);
}

/* ---- sums ---- */

/* Neighbouring axes of one kind merged, innermost first. */
struct axes {
    int n;
    uint32_t size[3], stride[3];
    uint64_t count;
};

static void add_axis(struct axes *axes, bool merge, int64_t size, int64_t stride)
{
    axes->count *= (uint64_t)size;
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
static uint64_t parts_of(uint64_t kept, uint64_t rows)
{
    enum { WANTED_COLUMNS = 16384, LEAST_ROWS = 256 };
    uint64_t most = rows / LEAST_ROWS, parts = WANTED_COLUMNS / kept;
    if (parts > most) parts = most;
    return parts < 1 ? 1 : parts;
}

size_t sft_vk_reduce_scratch(uint64_t kept, uint64_t rows)
{
    uint64_t parts = parts_of(kept, rows);
    return parts > 1 ? (size_t)(parts * kept * sizeof(float)) : 0;
}

static enum sft_status dispatch_sum(struct sft_vk_recorder *recorder,
                                    const struct sft_vk_reduction *reduction, const struct axes *kept,
                                    const struct axes *rows, uint64_t parts)
{
    uint64_t part_rows = sft_vk_divide_up(rows->count, parts);
    struct sft_vk_dispatch dispatch = {
        .shader = "reduce",
        .spec = {0, 0, reduction->square, reduction->root, (uint32_t)(rows->n > 0 ? rows->n : 1)},
        .n_spec = 5,
        .operands = {reduction->x, reduction->y},
        .n_operands = 2,
        .push = {sft_vk_bits(reduction->number), (uint32_t)kept->count, (uint32_t)rows->count,
                 (uint32_t)parts, (uint32_t)part_rows, kept->size[0], kept->size[1], kept->stride[0],
                 kept->stride[1], kept->stride[2], rows->size[0], rows->size[1], rows->stride[0],
                 rows->stride[1], rows->stride[2]},
        .n_push = 15,
    };
    sft_vk_columns(sft_vk_recorder_limits(recorder), &dispatch, kept->count * parts, part_rows,
                   rows->n > 0 && rows->stride[0] == 1);
    return sft_vk_record(recorder, &dispatch);
}

enum sft_status sft_vk_reduce(struct sft_vk_recorder *recorder, const struct sft_vk_reduction *reduction)
{
    struct sft_vk_reduction first = *reduction, second = *reduction;
    struct axes kept, rows, all, partial = {.size = {1, 1, 1}, .n = 1};
    uint64_t parts;
    split_axes(reduction, &kept, &rows);
    parts = reduction->whole ? 1 : parts_of(kept.count, rows.count);
    if (parts == 1) return dispatch_sum(recorder, reduction, &kept, &rows, 1);
    first.y = reduction->scratch;
    first.y.read = false;
    first.y.write = true;
    first.root = false;
    first.number = 1.0f;
    SFT_TRY(dispatch_sum(recorder, &first, &kept, &rows, parts));
    second.x = reduction->scratch;
    second.x.read = true;
    second.square = false;
    partial.count = partial.size[0] = (uint32_t)parts;
    partial.stride[0] = (uint32_t)kept.count;
    all =
        (struct axes){.n = 1, .size = {(uint32_t)kept.count, 1, 1}, .stride = {1, 0, 0}, .count = kept.count};
    return dispatch_sum(recorder, &second, &all, &partial, 1);
}
