/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GEN: Liu, Lochman and Zach, "GEN: pushing the limits of softmax-based out-of-distribution detection", CVPR
 * 2023. S = - sum over the M largest p of p^g (1 - p)^g.
 */
#include <math.h>

#include "ood/scores/rows.h"
#include "runtime/base/order.h"

enum { GAMMA, LARGEST };
static const struct sft_knob knobs[] = {
    [GAMMA] = {"gen-gamma", SFT_KNOB_REAL, "G", "0.1", 1e-6, 10, NULL, "gen: exponent"},
    [LARGEST] = {"gen-m", SFT_KNOB_INT, "M", "100", 1, 1e6, NULL,
                 "gen: how many of the largest probabilities count"},
    {0},
};

/* p (1 - p), also where p is so near 1 that their difference would be lost. */
static double spread(double log_p) { return exp(log_p) * -expm1(log_p); }

static double gen(const struct sft_score_input *in, int64_t i, double *log_p)
{
    int classes = in->outputs->classes,
        m = in->knobs[LARGEST].integer < classes ? (int)in->knobs[LARGEST].integer : classes;
    double sum = 0;
    sft_row_log_softmax(sft_logits_of(in, i), classes, log_p);
    if (m < classes) sft_sort_ascending_double(classes, log_p);
    for (int c = classes - m; c < classes; c++) sum += pow(spread(log_p[c]), in->knobs[GAMMA].real);
    return -sum;
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    return sft_score_rows_with(gen, in->outputs->classes, in, scores);
}

const struct sft_score sft_score_gen = {
    .name = "gen",
    .title = "GEN",
    .summary = "-sum p^g (1-p)^g over the largest p (Liu et al., CVPR 2023)",
    .needs = SFT_NEEDS_LOGITS,
    .knobs = knobs,
    .compute = compute,
};
