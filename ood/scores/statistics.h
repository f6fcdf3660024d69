/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a score learned from images of the training kind: named arrays of float32.
 *
 * They are kept in the precision in which they are stored, so that a score gives the same numbers with
 * statistics that were just fitted and with the same ones read from a file.
 */
#ifndef SFT_STATISTICS_H
#define SFT_STATISTICS_H

#include "runtime/base/shape.h"
#include "runtime/base/status.h"

enum { SFT_MAX_STATISTICS = 48, SFT_STATISTIC_NAME = 32 };

struct sft_statistic {
    char name[SFT_STATISTIC_NAME];
    struct sft_shape shape;
    float *values; /* owned */
};

struct sft_statistics {
    int n;
    struct sft_statistic items[SFT_MAX_STATISTICS];
};

/* Adds an array of zeros and gives it for filling; it belongs to `statistics`. Names are unique in one score.
 */
enum sft_status sft_statistics_add(struct sft_statistics *statistics, const char *name,
                                   struct sft_shape shape, float **values) SFT_MUST_CHECK;

/* The array of that name, NULL where there is none. */
const struct sft_statistic *sft_statistics_find(const struct sft_statistics *statistics, const char *name);

/* Its values where it has that shape, else NULL. */
const float *sft_statistics_get(const struct sft_statistics *statistics, const char *name,
                                struct sft_shape shape);

void sft_statistics_free(struct sft_statistics *statistics);

#endif
