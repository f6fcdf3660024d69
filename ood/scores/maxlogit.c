/* SPDX-License-Identifier: Apache-2.0 */
/* Maximum logit: Hendrycks et al., "Scaling out-of-distribution detection for real-world settings", ICML
 * 2022. S = max_c z_c. */
#include "ood/scores/rows.h"

static float maxlogit(const struct sft_score_input *in, int64_t i)
{
    return sft_row_max(sft_logits_of(in, i), in->outputs->classes);
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    return sft_score_rows(maxlogit, in, scores);
}

const struct sft_score sft_score_maxlogit = {
    .name = "maxlogit",
    .title = "MaxLogit",
    .summary = "max z (Hendrycks et al., ICML 2022)",
    .needs = SFT_NEEDS_LOGITS,
    .compute = compute,
};
