/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maximum softmax probability: Hendrycks and Gimpel, "A baseline for detecting misclassified and
 * out-of-distribution examples in neural networks", ICLR 2017. S = max_c softmax(z)_c = 1 / sum_c exp(z_c -
 * max z).
 *
 * Single precision on purpose: confident images tie at exactly 1, as they do in the reference code. The
 * logarithm is in double precision, so that it does not.
 */
#include "ood/scores/rows.h"

enum { LOG };
static const struct sft_knob knobs[] = {
    [LOG] = {"msp-log", SFT_KNOB_FLAG, NULL, NULL, 0, 0, NULL,
             "msp: log p, which orders the same without saturating at 1"},
    {0},
};

static float msp(const struct sft_score_input *in, int64_t i)
{
    const float *logits = sft_logits_of(in, i);
    int classes = in->outputs->classes;
    return 1.0f / sft_row_sum_exp(logits, classes, sft_row_max(logits, classes), 1.0f);
}

static double log_msp(const struct sft_score_input *in, int64_t i, double *log_p)
{
    const float *logits = sft_logits_of(in, i);
    sft_row_log_softmax(logits, in->outputs->classes, log_p);
    return log_p[sft_row_argmax(logits, in->outputs->classes)];
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    if (in->knobs[LOG].flag) return sft_score_rows_with(log_msp, in->outputs->classes, in, scores);
    return sft_score_rows(msp, in, scores);
}

const struct sft_score sft_score_msp = {
    .name = "msp",
    .title = "MSP",
    .summary = "max softmax(z) (Hendrycks and Gimpel, ICLR 2017)",
    .needs = SFT_NEEDS_LOGITS,
    .knobs = knobs,
    .compute = compute,
};
