/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/prediction.h"

#include <math.h>

#include "runtime/base/logits.h"

/* The largest softmax probability, written so that a certain one is 1 exactly; infinite logits promise
 * nothing. */
static struct sft_prediction predict_flat(int classes, const float *logits)
{
    struct sft_prediction best = {0, 0};
    double others = 0;
    for (int c = 0; c < classes; c++) {
        if (isnan(logits[c])) return (struct sft_prediction){-1, 0};
        if (logits[c] > logits[best.label]) best.label = c;
    }
    for (int c = 0; c < classes; c++)
        if (c != best.label) others += exp((double)logits[c] - (double)logits[best.label]);
    best.probability = 1 / (1 + others);
    return best;
}

static struct sft_prediction predict_grouped(const struct sft_groups *groups, const float *logits)
{
    struct sft_prediction best = {-1, 0};
    double best_log = -INFINITY;
    for (int g = 0; g < groups->n; g++) {
        int first = groups->first[g], last = groups->first[g + 1];
        double all = sft_log_sum_exp(logits + first, last - first);
        if (isnan(all)) return (struct sft_prediction){-1, 0};
        for (int i = first + 1; i < last; i++) {
            double log_p = (double)logits[i] - all;
            int label = groups->class_of[i];
            if (log_p < best_log || (log_p == best_log && best.label >= 0 && best.label < label)) continue;
            best_log = log_p;
            best.label = label;
        }
    }
    best.probability = exp(best_log);
    return best;
}

struct sft_prediction sft_predict(const struct sft_groups *groups, int classes, const float *logits)
{
    return groups ? predict_grouped(groups, logits) : predict_flat(classes, logits);
}
