/* SPDX-License-Identifier: Apache-2.0 */
/* Residual: the part of ViM (Wang et al., CVPR 2022) without logits. S = -|R^T (h - u)|, see vim.c. */
#include "ood/scores/subspace.h"

enum { DIMENSION };
static const struct sft_knob knobs[] = {
    [DIMENSION] =
        {"residual-dim", SFT_KNOB_INT, "D", "0", 0, 1e6, NULL,
         "residual: dimensions of the principal space; 0: 1000 from 2048 features on, 512 from 768 on, else "
         "half"},
    {0},
};

static enum sft_status fit(const struct sft_score_input *in, struct sft_statistics *statistics)
{
    return sft_subspace_fit(in, in->knobs[DIMENSION].integer, statistics);
}

static float residual(const struct sft_score_input *in, int64_t i)
{
    return (float)-sft_subspace_residual(in, in->statistics, i);
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    return sft_score_rows(residual, in, scores);
}

const struct sft_score sft_score_residual = {
    .name = "residual",
    .title = "Residual",
    .summary = "-length of h outside the principal space of training features (Wang et al., CVPR 2022)",
    .needs = SFT_NEEDS_FEATURES | SFT_NEEDS_HEAD | SFT_NEEDS_FIT,
    .knobs = knobs,
    .statistics = (const struct sft_statistic_rule[]){{"origin", "D"}, {"residual", "nD"}, {0}},
    .fit = fit,
    .compute = compute,
};
