/* SPDX-License-Identifier: Apache-2.0 */
/* Energy: Liu, Wang, Owens and Li, "Energy-based out-of-distribution detection", NeurIPS 2020, equation 4,
 * with the sign that makes in-distribution images score high. S = T log sum_c exp(z_c / T). */
#include <math.h>

#include "ood/scores/rows.h"

enum { TEMPERATURE };
static const struct sft_knob knobs[] = {
    [TEMPERATURE] = {"temperature", SFT_KNOB_REAL, "T", "1", 1e-6, 1e6, NULL, "energy: temperature"},
    {0},
};

static float energy(const struct sft_score_input *in, int64_t i)
{
    const float *logits = sft_logits_of(in, i);
    float max = sft_row_max(logits, in->outputs->classes), t = (float)in->knobs[TEMPERATURE].real;
    return max + t * logf(sft_row_sum_exp(logits, in->outputs->classes, max, t));
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    return sft_score_rows(energy, in, scores);
}

const struct sft_score sft_score_energy = {
    .name = "energy",
    .title = "Energy",
    .summary = "T log sum exp(z / T) (Liu et al., NeurIPS 2020)",
    .needs = SFT_NEEDS_LOGITS,
    .knobs = knobs,
    .compute = compute,
};
