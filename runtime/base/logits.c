/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/logits.h"

#include <math.h>

float sft_row_max(const float *values, int64_t n)
{
    float max = values[0];
    for (int64_t c = 1; c < n; c++)
        if (!(values[c] <= max)) max = isnan(max) ? max : values[c];
    return max;
}

int sft_row_argmax(const float *values, int n)
{
    int best = 0;
    for (int c = 1; c < n; c++)
        if (values[c] > values[best]) best = c;
    return best;
}

double sft_log_sum_exp(const float *logits, int64_t n)
{
    double max = (double)sft_row_max(logits, n), sum = 0;
    for (int64_t c = 0; c < n; c++) sum += exp((double)logits[c] - max);
    return max + log(sum);
}

float sft_row_sum_exp(const float *logits, int n, float max, float temperature)
{
    float sum = 0.0f, shift = max / temperature;
    for (int c = 0; c < n; c++) sum += expf(logits[c] / temperature - shift);
    return sum;
}

float sft_row_log_sum_exp(const float *logits, int n)
{
    float max = sft_row_max(logits, n);
    return max + logf(sft_row_sum_exp(logits, n, max, 1.0f));
}

void sft_row_log_softmax(const float *logits, int n, double *log_p)
{
    int largest = sft_row_argmax(logits, n);
    double max = (double)sft_row_max(logits, n), others = 0;
    for (int c = 0; c < n; c++)
        if (c != largest) others += exp((double)logits[c] - max);
    others = log1p(others);
    for (int c = 0; c < n; c++) log_p[c] = (double)logits[c] - max - others;
}
