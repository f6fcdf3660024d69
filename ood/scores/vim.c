/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ViM: Wang, Li, Feng and Zhang, "ViM: out-of-distribution with virtual-logit matching", CVPR 2022.
 * S = LSE(z) - alpha |R^T (h - u)|. u = -pinv(W) b is the origin of the classifier, R the eigenvectors of the
 * second moments of h - u over training images behind the D largest, alpha = mean(max z) / mean(|R^T (h -
 * u)|) over them.
 */
#include <math.h>

#include "ood/scores/subspace.h"

enum { DIMENSION };
static const struct sft_knob knobs[] = {
    [DIMENSION] =
        {"vim-dim", SFT_KNOB_INT, "D", "0", 0, 1e6, NULL,
         "vim: dimensions of the principal space; 0: 1000 from 2048 features on, 512 from 768 on, else half"},
    {0},
};

static enum sft_status fit(const struct sft_score_input *in, struct sft_statistics *statistics)
{
    double logits = 0, residuals = 0;
    float *alpha;
    SFT_TRY(sft_subspace_fit(in, in->knobs[DIMENSION].integer, statistics));
    for (int64_t i = 0; i < in->outputs->n; i++) {
        logits += (double)sft_row_max(sft_logits_of(in, i), in->outputs->classes);
        residuals += sft_subspace_residual(in, statistics, i);
    }
    SFT_TRY(sft_statistics_add(statistics, "alpha", SFT_SHAPE(1), &alpha));
    *alpha = (float)(logits / residuals);
    return isfinite(*alpha)
               ? SFT_OK
               : sft_fail(SFT_DATA, "vim: the features have no residual; take a smaller --vim-dim");
}

static float vim(const struct sft_score_input *in, int64_t i)
{
    float alpha = *sft_statistics_get(in->statistics, "alpha", SFT_SHAPE(1));
    double energy = (double)sft_row_log_sum_exp(sft_logits_of(in, i), in->outputs->classes);
    return (float)(energy - (double)alpha * sft_subspace_residual(in, in->statistics, i));
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    return sft_score_rows(vim, in, scores);
}

const struct sft_score sft_score_vim = {
    .name = "vim",
    .title = "ViM",
    .summary = "energy minus the scaled length of the residual (Wang et al., CVPR 2022)",
    .needs = SFT_NEEDS_LOGITS | SFT_NEEDS_FEATURES | SFT_NEEDS_HEAD | SFT_NEEDS_FIT,
    .knobs = knobs,
    .statistics =
        (const struct sft_statistic_rule[]){{"origin", "D"}, {"residual", "nD"}, {"alpha", "1"}, {0}},
    .fit = fit,
    .compute = compute,
};
