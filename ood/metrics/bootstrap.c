/* SPDX-License-Identifier: Apache-2.0 */
/* A replicate is a curve again: every image's place on the original curve is known, so that drawing is
 * counting how often each place was hit, and no replicate sorts anything. */
#include "ood/metrics/bootstrap.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/order.h"
#include "runtime/base/parallel.h"
#include "runtime/base/rng.h"

/* Images of one kind: the point of the curve that each belongs to, and which numbers draw from them. */
struct drawn {
    int32_t *point;
    uint32_t n;
    uint64_t stream; /* 0 for ID images, 1 + number of the set for OOD */
};

struct hits {
    int32_t positive, negative;
};

struct job {
    const struct sft_bootstrap *bootstrap;
    const struct sft_convention *convention;
    double recall;
    struct sft_curve curve; /* whose positives are the convention's */
    struct drawn positive, negative;
    struct hits *hits;         /* (points) for each slot */
    struct sft_counts *counts; /* (points) for each slot */
    double *fpr, *auroc;
};

static void draw(const struct job *job, const struct drawn *images, int64_t replicate, struct hits *hits,
                 bool positive)
{
    struct sft_rng rng;
    sft_rng_init(&rng, job->bootstrap->seed, SFT_STREAM_BOOTSTRAP,
                 (uint64_t)replicate << 32 | images->stream);
    for (uint32_t i = 0; i < images->n; i++) {
        struct hits *hit = &hits[images->point[sft_rng_below(&rng, images->n)]];
        hit->positive += positive;
        hit->negative += !positive;
    }
}

/* Writes the counts at the points that were hit, and gives how many there are. */
static int64_t add_up(const struct hits *hits, int64_t points, struct sft_counts *counts)
{
    struct sft_counts at = {0, 0};
    int64_t n = 0;
    for (int64_t i = 0; i < points; i++) {
        if (!hits[i].positive && !hits[i].negative) continue;
        at.positive += hits[i].positive;
        at.negative += hits[i].negative;
        counts[n++] = at;
    }
    return n;
}

static void replicate(void *context, int64_t r, int slot)
{
    const struct job *job = context;
    int64_t points = job->curve.points;
    struct hits *hits = job->hits + slot * points;
    struct sft_curve curve = job->curve;
    curve.counts = job->counts + slot * points;
    memset(hits, 0, (size_t)points * sizeof(*hits));
    draw(job, &job->positive, r, hits, true);
    draw(job, &job->negative, r, hits, false);
    curve.points = add_up(hits, points, curve.counts);
    job->fpr[r] = job->convention->fpr(&curve, job->recall);
    job->auroc[r] = sft_curve_auroc(&curve);
}

static enum sft_status prepare(struct job *job)
{
    const struct sft_curve *curve = &job->curve;
    size_t slots = (size_t)sft_parallel_threads() * (size_t)curve->points;
    int64_t positive = 0, negative = 0;
    job->positive.point = sft_calloc((size_t)curve->positive, sizeof(int32_t));
    job->negative.point = sft_calloc((size_t)curve->negative, sizeof(int32_t));
    job->hits = sft_calloc(slots, sizeof(*job->hits));
    job->counts = sft_calloc(slots, sizeof(*job->counts));
    if (!job->positive.point || !job->negative.point || !job->hits || !job->counts) return SFT_MEMORY;
    for (int64_t i = 0; i < curve->points; i++) {
        while (positive < curve->counts[i].positive) job->positive.point[positive++] = (int32_t)i;
        while (negative < curve->counts[i].negative) job->negative.point[negative++] = (int32_t)i;
    }
    job->positive.n = (uint32_t)curve->positive;
    job->negative.n = (uint32_t)curve->negative;
    return SFT_OK;
}

/* The curve whose positives are the convention's. */
static enum sft_status build(struct job *job, int64_t n_id, const float *id, int64_t n_ood, const float *ood)
{
    struct sft_curve curve;
    enum sft_status status;
    struct drawn *of_ood = &job->negative;
    SFT_TRY(sft_curve_build(n_id, id, n_ood, ood, &job->curve));
    if (!sft_id_is_positive(job->convention)) {
        status = sft_curve_mirror(&job->curve, &curve);
        sft_curve_free(&job->curve);
        SFT_TRY(status);
        job->curve = curve;
        of_ood = &job->positive;
    }
    of_ood->stream = 1 + (uint64_t)job->bootstrap->set;
    return prepare(job);
}

enum sft_status sft_bootstrap_run(const struct sft_bootstrap *bootstrap,
                                  const struct sft_convention *convention, double recall, int64_t n_id,
                                  const float *id, int64_t n_ood, const float *ood, double *fpr,
                                  double *auroc)
{
    struct job job = {
        .bootstrap = bootstrap, .convention = convention, .recall = recall, .fpr = fpr, .auroc = auroc};
    enum sft_status status;
    if (bootstrap->replicates < 2 || bootstrap->replicates > SFT_MAX_REPLICATES)
        return sft_fail(SFT_USAGE, "%d replicates: a bootstrap takes 2 to %d", bootstrap->replicates,
                        SFT_MAX_REPLICATES);
    if (n_id > INT32_MAX / 2 || n_ood > INT32_MAX / 2)
        return sft_fail(SFT_USAGE, "a bootstrap takes at most %d images of a kind", INT32_MAX / 2);
    status = build(&job, n_id, id, n_ood, ood);
    if (status == SFT_OK) sft_parallel_for(bootstrap->replicates, replicate, &job);
    sft_curve_free(&job.curve);
    free(job.positive.point);
    free(job.negative.point);
    free(job.hits);
    free(job.counts);
    return status;
}

struct sft_interval sft_interval_of(double *values, int n, double share)
{
    sft_sort_ascending_double(n, values);
    return (struct sft_interval){sft_sorted_quantile_double(n, values, (1 - share) / 2),
                                 sft_sorted_quantile_double(n, values, (1 + share) / 2)};
}
