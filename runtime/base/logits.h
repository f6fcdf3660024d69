/* SPDX-License-Identifier: Apache-2.0 */
/* What is read off a row of logits on the host. */
#ifndef SFT_LOGITS_H
#define SFT_LOGITS_H

#include <stdint.h>

/* The largest value. One that is no number makes the result no number: fmaxf() and a plain comparison would
 * hide it. */
float sft_row_max(const float *values, int64_t n);
int sft_row_argmax(const float *values, int n); /* the lowest index wins ties */

/* log sum_c exp(z_c) in double precision. */
double sft_log_sum_exp(const float *logits, int64_t n);

/* log softmax(z) in double precision, for who looks at how far from 1 a probability is. A logit that is no
 * number makes all of it no numbers. */
void sft_row_log_softmax(const float *logits, int n, double *log_p);

/* sum_c exp(z_c / T - max_c z_c / T) in single precision, as published scores have it: at least 1, so that
 * its logarithm and its reciprocal are safe. */
float sft_row_sum_exp(const float *logits, int n, float max, float temperature);
float sft_row_log_sum_exp(const float *logits, int n);

#endif
