/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/scores/rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/linalg.h"
#include "runtime/base/parallel.h"

enum { ROWS_A_TASK = 256 };

/* ---- loops ---- */

struct rows {
    sft_row_score score;
    const struct sft_score_input *in;
    float *scores;
};

static void score_rows(void *context, int64_t task, int slot)
{
    const struct rows *rows = context;
    const int64_t n = rows->in->outputs->n;
    const int64_t first = task * ROWS_A_TASK, last = first + ROWS_A_TASK;
    (void)slot;
    for (int64_t i = first; i < last && i < n; i++) rows->scores[i] = rows->score(rows->in, i);
}

enum sft_status sft_score_rows(sft_row_score score, const struct sft_score_input *in, float *scores)
{
    struct rows rows = {score, in, scores};
    sft_parallel_for((in->outputs->n + ROWS_A_TASK - 1) / ROWS_A_TASK, score_rows, &rows);
    return SFT_OK;
}

struct rows_with {
    sft_row_score_with score;
    int numbers;
    const struct sft_score_input *in;
    double *scratch; /* a piece for each slot */
    float *scores;
};

static void score_rows_with(void *context, int64_t task, int slot)
{
    const struct rows_with *rows = context;
    const int64_t n = rows->in->outputs->n;
    const int64_t first = task * ROWS_A_TASK, last = first + ROWS_A_TASK;
    double *scratch = rows->scratch + (int64_t)slot * rows->numbers;
    for (int64_t i = first; i < last && i < n; i++)
        rows->scores[i] = (float)rows->score(rows->in, i, scratch);
}

enum sft_status sft_score_rows_with(sft_row_score_with score, int numbers, const struct sft_score_input *in,
                                    float *scores)
{
    struct rows_with rows = {score, numbers, in, NULL, scores};
    rows.scratch = sft_calloc((size_t)sft_parallel_threads() * (size_t)numbers, sizeof(*rows.scratch));
    if (!rows.scratch) return SFT_MEMORY;
    sft_parallel_for((in->outputs->n + ROWS_A_TASK - 1) / ROWS_A_TASK, score_rows_with, &rows);
    free(rows.scratch);
    return SFT_OK;
}

struct changed {
    sft_feature_change change;
    const float *weight;
    const struct sft_score_input *in;
    float *features, *logits, *scratch, *scores; /* the first three with a piece for each slot */
};

static void score_changed(void *context, int64_t task, int slot)
{
    const struct changed *job = context;
    const struct sft_outputs *outputs = job->in->outputs;
    const struct sft_head *head = job->in->head;
    int64_t first = task * ROWS_A_TASK,
            n = outputs->n - first < ROWS_A_TASK ? outputs->n - first : ROWS_A_TASK;
    float *features = job->features + (int64_t)slot * ROWS_A_TASK * head->width;
    float *logits = job->logits + (int64_t)slot * ROWS_A_TASK * head->classes;
    memcpy(features, sft_features_of(job->in, first), (size_t)(n * head->width) * sizeof(float));
    for (int64_t i = 0; job->change && i < n; i++)
        job->change(job->in, features + i * head->width, job->scratch + (int64_t)slot * head->width);
    sft_product_nt(n, head->classes, head->width, features, job->weight, logits);
    for (int64_t i = 0; i < n; i++) {
        float *row = logits + i * head->classes;
        for (int c = 0; c < head->classes; c++) row[c] += head->bias[c];
        job->scores[first + i] = sft_row_log_sum_exp(row, head->classes);
    }
}

enum sft_status sft_score_changed_features(sft_feature_change change, const float *weight,
                                           const struct sft_score_input *in, float *scores)
{
    size_t rows = (size_t)ROWS_A_TASK * (size_t)sft_parallel_threads();
    struct changed job = {change, weight ? weight : in->head->weight, in, NULL, NULL, NULL, scores};
    enum sft_status status = SFT_MEMORY;
    SFT_TRY(sft_linalg_start());
    job.features = sft_calloc(rows * (size_t)in->head->width, sizeof(float));
    job.logits = sft_calloc(rows * (size_t)in->head->classes, sizeof(float));
    job.scratch = sft_calloc((size_t)sft_parallel_threads() * (size_t)in->head->width, sizeof(float));
    if (job.features && job.logits && job.scratch) {
        sft_parallel_for((in->outputs->n + ROWS_A_TASK - 1) / ROWS_A_TASK, score_changed, &job);
        status = SFT_OK;
    }
    free(job.features);
    free(job.logits);
    free(job.scratch);
    return status;
}

/* ---- rows ---- */

const float *sft_logits_of(const struct sft_score_input *in, int64_t i)
{
    return in->outputs->logits + i * sft_outputs_logits(in->outputs);
}

const float *sft_features_of(const struct sft_score_input *in, int64_t i)
{
    return in->outputs->features + i * in->outputs->width;
}

/* ---- statistics ---- */

enum sft_status sft_mean_features(const struct sft_outputs *outputs, float *mean)
{
    double *sums = sft_calloc((size_t)outputs->width, sizeof(*sums));
    if (!sums) return SFT_MEMORY;
    for (int64_t i = 0; i < outputs->n; i++)
        for (int j = 0; j < outputs->width; j++) sums[j] += (double)outputs->features[i * outputs->width + j];
    for (int j = 0; j < outputs->width; j++) mean[j] = (float)(sums[j] / (double)outputs->n);
    free(sums);
    return SFT_OK;
}

enum sft_status sft_class_means(const char *score, int64_t n, int width, int classes, const float *rows,
                                const int32_t *labels, float *means)
{
    double *sums = sft_calloc((size_t)classes * (size_t)width, sizeof(*sums));
    int64_t *counts = sft_calloc((size_t)classes, sizeof(*counts));
    enum sft_status status = sums && counts ? SFT_OK : SFT_MEMORY;
    for (int64_t i = 0; status == SFT_OK && i < n; i++) {
        if (labels[i] < 0) continue;
        counts[labels[i]]++;
        for (int j = 0; j < width; j++) sums[(int64_t)labels[i] * width + j] += (double)rows[i * width + j];
    }
    for (int c = 0; status == SFT_OK && c < classes; c++) {
        if (counts[c] == 0)
            status = sft_fail(SFT_DATA,
                              "%s: class %d has none of the %" PRId64 " images to fit on; take more of them",
                              score, c, n);
        for (int j = 0; counts[c] > 0 && j < width; j++)
            means[(int64_t)c * width + j] = (float)(sums[(int64_t)c * width + j] / (double)counts[c]);
    }
    free(sums);
    free(counts);
    return status;
}
