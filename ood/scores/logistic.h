/* SPDX-License-Identifier: Apache-2.0 */
/* Logistic regression of two classes with an L2 penalty, its strength by cross validation. */
#ifndef SFT_LOGISTIC_H
#define SFT_LOGISTIC_H

#include "runtime/base/status.h"

enum { SFT_LOGISTIC_MAX_INPUTS = 64 };

/* P(label 1 | x) = 1 / (1 + exp(-(beta . x + beta0))). */
struct sft_logistic {
    int inputs;
    double beta[SFT_LOGISTIC_MAX_INPUTS], beta0;
};

/* Minimises C * sum of log losses + |beta|^2 / 2 over x (n, inputs) with labels 0 and 1 by Newton's method. C
 * is the first of 10 from 1e-4 to 1e4, spaced evenly in their logarithm, with the best mean accuracy over 5
 * folds, dealt as scikit-learn does without shuffling; then it is fitted to all. SFT_DATA with fewer than 5
 * rows of a class. */
enum sft_status sft_logistic_fit(int n, int inputs, const double *x, const int *labels,
                                 struct sft_logistic *model) SFT_MUST_CHECK;

/* beta . x + beta0. */
double sft_logistic_logit(const struct sft_logistic *model, const double *x);

#endif
