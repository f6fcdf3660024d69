/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/scorers.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"

static size_t knob_bytes(const struct sft_score *score)
{
    return (size_t)sft_score_knobs(score) * sizeof(union sft_knob_value);
}

enum sft_status sft_knobs_init(union sft_knob_value *knobs)
{
    int n = 0;
    for (int s = 0; s < sft_score_count(); s++) {
        const struct sft_score *score = sft_score_at(s);
        struct sft_scorer scorer;
        if (n + sft_score_knobs(score) > SFT_MAX_KNOBS)
            return sft_fail(SFT_FAILED, "more than %d knobs of scores", SFT_MAX_KNOBS);
        SFT_TRY(sft_scorer_init(score, &scorer));
        memcpy(knobs + n, scorer.knobs, knob_bytes(score));
        n += sft_score_knobs(score);
    }
    return SFT_OK;
}

/* Where the knobs of a score start. */
static int place_of(const struct sft_score *score)
{
    int n = 0;
    for (int s = 0; sft_score_at(s) != score; s++) n += sft_score_knobs(sft_score_at(s));
    return n;
}

enum sft_status sft_scorers_create(const union sft_knob_value *knobs, const struct sft_model *model,
                                   const struct sft_score *const *scores, int count,
                                   struct sft_scorer **scorers)
{
    *scorers = sft_calloc((size_t)count, sizeof(**scorers));
    if (!*scorers) return SFT_MEMORY;
    for (int i = 0; i < count; i++) {
        struct sft_scorer *scorer = &(*scorers)[i];
        SFT_TRY(sft_scorer_init(scores[i], scorer));
        scorer->variant = model->variant;
        if (knobs) memcpy(scorer->knobs, knobs + place_of(scores[i]), knob_bytes(scores[i]));
    }
    return SFT_OK;
}

void sft_scorers_free(struct sft_scorer **scorers, int count)
{
    for (int i = 0; *scorers && i < count; i++) sft_scorer_free(&(*scorers)[i]);
    free(*scorers);
    *scorers = NULL;
}
