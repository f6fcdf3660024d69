/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/scores/statistics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"

enum sft_status sft_statistics_add(struct sft_statistics *statistics, const char *name,
                                   struct sft_shape shape, float **values)
{
    struct sft_statistic *item = &statistics->items[statistics->n];
    *values = NULL;
    if (statistics->n == SFT_MAX_STATISTICS)
        return sft_fail(SFT_FAILED, "more than %d statistics of one score", SFT_MAX_STATISTICS);
    item->values = sft_calloc((size_t)sft_shape_count(&shape), sizeof(float));
    if (!item->values) return SFT_MEMORY;
    snprintf(item->name, sizeof(item->name), "%s", name);
    item->shape = shape;
    statistics->n++;
    *values = item->values;
    return SFT_OK;
}

const struct sft_statistic *sft_statistics_find(const struct sft_statistics *statistics, const char *name)
{
    for (int i = 0; i < statistics->n; i++)
        if (strcmp(statistics->items[i].name, name) == 0) return &statistics->items[i];
    return NULL;
}

const float *sft_statistics_get(const struct sft_statistics *statistics, const char *name,
                                struct sft_shape shape)
{
    const struct sft_statistic *item = sft_statistics_find(statistics, name);
    return item && sft_shape_equal(&item->shape, &shape) ? item->values : NULL;
}

void sft_statistics_free(struct sft_statistics *statistics)
{
    for (int i = 0; i < statistics->n; i++) free(statistics->items[i].values);
    memset(statistics, 0, sizeof(*statistics));
}
