/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/scores/logistic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/linalg.h"

enum { FOLDS = 5, STRENGTHS = 10, MAX_STEPS = 100, SIZE = SFT_LOGISTIC_MAX_INPUTS + 1 };

/* Rows of one fit: those whose fold is not left out. */
struct rows {
    int n, inputs, left_out; /* -1: none */
    const double *x;
    const int *labels, *fold;
};

double sft_logistic_logit(const struct sft_logistic *model, const double *x)
{
    double sum = model->beta0;
    for (int j = 0; j < model->inputs; j++) sum += model->beta[j] * x[j];
    return sum;
}

static double log_loss(double logit, int label)
{
    double margin = label ? logit : -logit;
    return margin > 0 ? log1p(exp(-margin)) : -margin + log1p(exp(margin));
}

static double objective(const struct rows *rows, double strength, const struct sft_logistic *model)
{
    double sum = 0, penalty = 0;
    for (int i = 0; i < rows->n; i++)
        if (rows->fold[i] != rows->left_out)
            sum += log_loss(sft_logistic_logit(model, rows->x + i * rows->inputs), rows->labels[i]);
    for (int j = 0; j < model->inputs; j++) penalty += model->beta[j] * model->beta[j];
    return strength * sum + penalty / 2;
}

/* Gradient and Hessian over (beta, beta0). */
static void derivatives(const struct rows *rows, double strength, const struct sft_logistic *model,
                        double *gradient, double *hessian)
{
    int k = rows->inputs, size = k + 1;
    memset(gradient, 0, (size_t)size * sizeof(*gradient));
    memset(hessian, 0, (size_t)(size * size) * sizeof(*hessian));
    for (int i = 0; i < rows->n; i++) {
        const double *x = rows->x + i * k;
        double p = 1 / (1 + exp(-sft_logistic_logit(model, x))), slope = strength * (p - rows->labels[i]);
        if (rows->fold[i] == rows->left_out) continue;
        for (int a = 0; a < size; a++) {
            double xa = a < k ? x[a] : 1;
            gradient[a] += slope * xa;
            for (int b = 0; b < size; b++)
                hessian[a * size + b] += strength * p * (1 - p) * xa * (b < k ? x[b] : 1);
        }
    }
    for (int j = 0; j < k; j++) {
        gradient[j] += model->beta[j];
        hessian[j * size + j] += 1;
    }
}

/* Moves by the Newton step, halved until the objective falls. Gives how much it fell. */
static double descend(const struct rows *rows, double strength, const double *step,
                      struct sft_logistic *model)
{
    double before = objective(rows, strength, model);
    for (double factor = 1; factor > 1e-10; factor /= 2) {
        struct sft_logistic moved = *model;
        double after;
        for (int j = 0; j < rows->inputs; j++) moved.beta[j] -= factor * step[j];
        moved.beta0 -= factor * step[rows->inputs];
        after = objective(rows, strength, &moved);
        if (!(after < before)) continue;
        *model = moved;
        return before - after;
    }
    return 0;
}

static enum sft_status fit_rows(const struct rows *rows, double strength, struct sft_logistic *model)
{
    double gradient[SIZE], step[SIZE], hessian[SIZE * SIZE];
    int size = rows->inputs + 1;
    *model = (struct sft_logistic){.inputs = rows->inputs};
    for (int round = 0; round < MAX_STEPS; round++) {
        double scale = objective(rows, strength, model);
        derivatives(rows, strength, model, gradient, hessian);
        SFT_TRY(sft_symmetric_pseudo_inverse(size, hessian, 1e-15));
        for (int a = 0; a < size; a++) {
            step[a] = 0;
            for (int b = 0; b < size; b++) step[a] += hessian[a * size + b] * gradient[b];
        }
        if (descend(rows, strength, step, model) <= 1e-14 * scale) break;
    }
    return SFT_OK;
}

/* As scikit-learn's StratifiedKFold without shuffling: rows sorted by class, that of the first row first, are
 * dealt to the folds in turn, which gives the number of each class's rows in a fold; they are then taken in
 * their order. */
static enum sft_status assign_folds(int n, const int *labels, int *fold)
{
    int dealt = 0, first = n > 0 ? labels[0] : 0;
    for (int k = 0; k < 2; k++) {
        int label = k ? !first : first;
        int room[FOLDS] = {0};
        int count = 0, at = 0;
        for (int i = 0; i < n; i++) count += labels[i] == label;
        if (count < FOLDS)
            return sft_fail(SFT_DATA, "a regression with %d rows of a class; it takes at least %d", count,
                            FOLDS);
        for (int i = 0; i < count; i++) room[dealt++ % FOLDS]++;
        for (int i = 0; i < n; i++) {
            if (labels[i] != label) continue;
            while (room[at] == 0) at++;
            fold[i] = at;
            room[at]--;
        }
    }
    return SFT_OK;
}

/* The share of the rows left out that the model tells rightly. */
static double accuracy(const struct rows *rows, const struct sft_logistic *model)
{
    int right = 0, count = 0;
    for (int i = 0; i < rows->n; i++) {
        if (rows->fold[i] != rows->left_out) continue;
        right += (sft_logistic_logit(model, rows->x + i * rows->inputs) > 0) == rows->labels[i];
        count++;
    }
    return (double)right / count;
}

static enum sft_status choose_strength(struct rows *rows, double *best)
{
    double highest = -1;
    for (int i = 0; i < STRENGTHS; i++) {
        double strength = pow(10, -4 + 8.0 * i / (STRENGTHS - 1)), mean = 0;
        for (int f = 0; f < FOLDS; f++) {
            struct sft_logistic model;
            rows->left_out = f;
            SFT_TRY(fit_rows(rows, strength, &model));
            mean += accuracy(rows, &model) / FOLDS;
        }
        if (mean <= highest) continue;
        highest = mean;
        *best = strength;
    }
    rows->left_out = -1;
    return SFT_OK;
}

enum sft_status sft_logistic_fit(int n, int inputs, const double *x, const int *labels,
                                 struct sft_logistic *model)
{
    int *fold;
    double strength = 1;
    struct rows rows = {n, inputs, -1, x, labels, NULL};
    enum sft_status status;
    if (inputs > SFT_LOGISTIC_MAX_INPUTS) return sft_fail(SFT_FAILED, "a regression with %d inputs", inputs);
    fold = sft_calloc((size_t)n, sizeof(*fold));
    if (!fold) return SFT_MEMORY;
    rows.fold = fold;
    status = assign_folds(n, labels, fold);
    if (status == SFT_OK) status = choose_strength(&rows, &strength);
    if (status == SFT_OK) status = fit_rows(&rows, strength, model);
    free(fold);
    return status;
}
