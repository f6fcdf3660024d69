/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/scores/rows.h"

#include <math.h>

#include "runtime/parallel.h"

enum { ROWS_A_TASK = 256 };

struct rows {
    sft_row_score score;
    const struct sft_score_params *params;
    const struct sft_outputs *in;
    float *scores;
};

static void score_rows(void *context, int64_t task, int slot)
{
    const struct rows *rows = context;
    int64_t first = task * ROWS_A_TASK, last = first + ROWS_A_TASK;
    (void)slot;
    if (last > rows->in->n) last = rows->in->n;
    for (int64_t i = first; i < last; i++)
        rows->scores[i] = rows->score(rows->params, rows->in->logits + i * rows->in->classes, rows->in->classes);
}

enum sft_status sft_score_rows(sft_row_score score, const struct sft_score_params *params, const struct sft_outputs *in,
                               float *scores)
{
    struct rows rows = {score, params, in, scores};
    sft_parallel_for((in->n + ROWS_A_TASK - 1) / ROWS_A_TASK, score_rows, &rows);
    return SFT_OK;
}

float sft_row_max(const float *logits, int classes)
{
    float max = logits[0];
    for (int c = 1; c < classes; c++)
        if (!(logits[c] <= max)) max = isnan(max) ? max : logits[c];
    return max;
}

float sft_row_sum_exp(const float *logits, int classes, float max, float temperature)
{
    float sum = 0.0f, shift = max / temperature;
    for (int c = 0; c < classes; c++) sum += expf(logits[c] / temperature - shift);
    return sum;
}
