/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loops over rows of numbers that need an exponential function: softmax, attention, GELU. One set for each
 * instruction set (row_kernel.c is compiled once for each). exp is good to about an ulp, over the whole
 * range: it becomes infinite, 0 and NaN where expf does. Outputs may be inputs.
 */
#ifndef SFT_CPU_ROW_KERNEL_H
#define SFT_CPU_ROW_KERNEL_H

#include <stdint.h>

struct sft_row_kernel {
    void (*exp)(const float *x, float *y, int64_t n);
    void (*gelu)(const float *x, float *y, int64_t n);
    void (*gelu_grad)(const float *dy, const float *x, float *dx, int64_t n);

    /* The largest scale*x; NaN where there is one. */
    float (*max)(const float *x, int64_t n, float scale);

    /* y = exp(scale*x - top); gives the sum of y. */
    float (*exp_sum)(const float *x, float *y, int64_t n, float scale, float top);

    /* Layer norm: y = max((x - mean)*rstd*gamma + beta, floor), which keeps NaN. */
    void (*layer_norm)(const float *x, const float *gamma, const float *beta, float *y, int64_t n,
                       float epsilon, float floor, float *mean, float *rstd);
    /* dx, and what the row adds to dgamma and dbeta. */
    void (*layer_norm_grad)(const float *x, const float *dy, const float *gamma, float *dx, int64_t n,
                            float mean, float rstd, float *dgamma, float *dbeta);

    float (*dot)(const float *x, const float *y, int64_t n);

    /* Attention's gradient: p = exp(scale*p - lse), then ds = scale*p*(ds - along). */
    void (*attention_grad)(float *p, float *ds, int64_t n, float scale, float lse, float along);
};

/* The set for this machine. */
const struct sft_row_kernel *sft_row_kernel(void);

#endif
