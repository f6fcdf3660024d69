/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Huang and Li, "MOS: Towards scaling out-of-distribution detection for large semantic space", CVPR 2021,
 * equation 4: S = max_g -p^g_0, p^g_0 the probability of "others" in the softmax of group g (nn/groups.h). An
 * image is in-distribution when at least one group does not call it "others".
 */
#include <math.h>

#include "ood/scores/rows.h"

/* p^g_0; no number where a logit of the group is none. */
static float others(const float *logits, int size)
{
    float max = sft_row_max(logits, size);
    return expf(logits[0] - max) / sft_row_sum_exp(logits, size, max, 1.0f);
}

static float mos(const struct sft_score_input *in, int64_t i)
{
    const struct sft_groups *groups = in->outputs->groups;
    const float *logits = sft_logits_of(in, i);
    float least = 1.0f;
    for (int g = 0; g < groups->n; g++) {
        float p = others(logits + groups->first[g], groups->first[g + 1] - groups->first[g]);
        if (isnan(p)) return p;
        if (p < least) least = p;
    }
    return -least;
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    return sft_score_rows(mos, in, scores);
}

const struct sft_score sft_score_mos = {
    .name = "mos",
    .title = "MOS",
    .summary = "-min over groups of the probability of \"others\", of a grouped classifier (Huang and Li, "
               "CVPR 2021)",
    .needs = SFT_NEEDS_GROUPS,
    .compute = compute,
};
