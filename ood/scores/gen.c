/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GEN: Liu, Lochman and Zach, "GEN: pushing the limits of softmax-based out-of-distribution detection", CVPR 2023.
 * S = - sum over the M largest p of p^g (1 - p)^g.
 */
#include <math.h>
#include <stdlib.h>

#include "ood/scores/rows.h"
#include "runtime/alloc.h"

enum { GAMMA, LARGEST };
static const struct sft_knob knobs[] = {
    {"gen-gamma", SFT_KNOB_REAL, "G", "0.1", 1e-6, 10, NULL, "gen: exponent"},
    {"gen-m", SFT_KNOB_INT, "M", "100", 1, 1e6, NULL, "gen: how many of the largest probabilities count"},
    {0},
};

static int descending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

/* The probabilities' order is that of the logits, so these are sorted. */
static void gen(const struct sft_score_input *in, int64_t i, float *p, float *score)
{
    int classes = in->outputs->classes, m = in->knobs[LARGEST].integer < classes ? (int)in->knobs[LARGEST].integer : classes;
    double sum = 0, gamma = in->knobs[GAMMA].real;
    sft_row_softmax(sft_logits_of(in, i), classes, 1.0f, p);
    if (m < classes) qsort(p, (size_t)classes, sizeof(*p), descending);
    for (int c = 0; c < m; c++) sum += pow((double)p[c], gamma) * pow(1 - (double)p[c], gamma);
    *score = (float)-sum;
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    float *p = sft_calloc((size_t)in->outputs->classes, sizeof(*p));
    enum sft_status status = p ? SFT_OK : SFT_MEMORY;
    for (int64_t i = 0; status == SFT_OK && i < in->outputs->n; i++) gen(in, i, p, &scores[i]);
    free(p);
    return status;
}

const struct sft_score sft_score_gen = {
    .name = "gen",
    .title = "GEN",
    .summary = "-sum p^g (1-p)^g over the largest p (Liu et al., CVPR 2023)",
    .needs = SFT_NEEDS_LOGITS,
    .knobs = knobs,
    .compute = compute,
};
