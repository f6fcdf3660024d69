/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/shape.h"

#include <inttypes.h>
#include <stdio.h>

int64_t sft_shape_count(const struct sft_shape *shape)
{
    int64_t count = 1;
    for (int i = 0; i < shape->rank; i++) count *= shape->dim[i];
    return count;
}

bool sft_shape_equal(const struct sft_shape *a, const struct sft_shape *b)
{
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

bool sft_shape_valid(const struct sft_shape *shape)
{
    int64_t bytes = 8;
    if (shape->rank < 0 || shape->rank > SFT_MAX_RANK) return false;
    for (int i = 0; i < shape->rank; i++)
        if (shape->dim[i] < 1 || __builtin_mul_overflow(bytes, shape->dim[i], &bytes)) return false;
    return true;
}

bool sft_shape_broadcasts(const struct sft_shape *small, const struct sft_shape *big,
                          struct sft_shape *padded)
{
    struct sft_shape full = {.rank = big->rank};
    int lead = big->rank - small->rank;
    if (lead < 0) return false;
    for (int i = 0; i < big->rank; i++) {
        full.dim[i] = i < lead ? 1 : small->dim[i - lead];
        if (full.dim[i] != 1 && full.dim[i] != big->dim[i]) return false;
    }
    if (padded) *padded = full;
    return true;
}

const char *sft_shape_str(const struct sft_shape *shape, char *text)
{
    int used = 0;
    text[0] = '\0';
    for (int i = 0; i < shape->rank && used < SFT_SHAPE_TEXT; i++)
        used +=
            snprintf(text + used, (size_t)(SFT_SHAPE_TEXT - used), "%s%" PRId64, i ? "x" : "", shape->dim[i]);
    if (shape->rank == 0) snprintf(text, SFT_SHAPE_TEXT, "scalar");
    return text;
}

size_t sft_dtype_size(enum sft_dtype dtype)
{
    static const size_t sizes[] = {[SFT_F32] = sizeof(float), [SFT_I32] = sizeof(int32_t)};
    return sizes[dtype];
}
