/* SPDX-License-Identifier: Apache-2.0 */
/* Energy: Liu, Wang, Owens and Li, "Energy-based out-of-distribution detection", NeurIPS 2020, equation 4, with the
 * sign that makes in-distribution images score high. S = T log sum_c exp(z_c / T). */
#include <math.h>

#include "ood/scores/rows.h"

static float energy(const struct sft_score_params *params, const float *logits, int classes)
{
    float max = sft_row_max(logits, classes), t = params->temperature;
    return max + t * logf(sft_row_sum_exp(logits, classes, max, t));
}

static enum sft_status compute(const struct sft_score_params *params, const struct sft_outputs *in, float *scores)
{
    if (!(params->temperature > 0.0f) || isinf(params->temperature))
        return sft_fail(SFT_USAGE, "energy: temperature %g; it must be above 0", (double)params->temperature);
    return sft_score_rows(energy, params, in, scores);
}

const struct sft_score sft_score_energy = {
    .name = "energy",
    .title = "Energy",
    .summary = "T log sum exp(z / T) (Liu et al., NeurIPS 2020)",
    .needs = SFT_NEEDS_LOGITS,
    .compute = compute,
};
