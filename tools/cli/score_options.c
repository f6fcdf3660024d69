/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/score_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"

struct sft_option sft_score_options[SFT_MAX_KNOBS + 1];

static struct sft_option option_of(const struct sft_knob *knob, int number)
{
    static const enum sft_option_type types[] = {[SFT_KNOB_REAL] = SFT_OPTION_REAL,
                                                 [SFT_KNOB_INT] = SFT_OPTION_INT,
                                                 [SFT_KNOB_CHOICE] = SFT_OPTION_CHOICE,
                                                 [SFT_KNOB_FLAG] = SFT_OPTION_FLAG};
    return (struct sft_option){.name = knob->name,
                               .type = types[knob->type],
                               .offset = offsetof(struct sft_common, knobs) +
                                         (size_t)number * sizeof(union sft_knob_value),
                               .value = knob->value,
                               .fallback = knob->fallback,
                               .min = knob->min,
                               .max = knob->max,
                               .choices = knob->choices,
                               .help = knob->help};
}

enum sft_status sft_score_options_init(void)
{
    int n = 0;
    for (int s = 0; s < sft_score_count(); s++) {
        const struct sft_score *score = sft_score_at(s);
        for (int k = 0; k < sft_score_knobs(score); k++, n++) {
            if (n == SFT_MAX_KNOBS)
                return sft_fail(SFT_FAILED, "more than %d knobs of scores", SFT_MAX_KNOBS);
            sft_score_options[n] = option_of(&score->knobs[k], n);
        }
    }
    return SFT_OK;
}

/* Where the values of a score's knobs start. */
static const union sft_knob_value *knobs_of(const struct sft_common *common, const struct sft_score *score)
{
    int n = 0;
    for (int s = 0; sft_score_at(s) != score; s++) n += sft_score_knobs(sft_score_at(s));
    return common->knobs + n;
}

enum sft_status sft_scorers_create(const struct sft_common *common, const struct sft_model *model,
                                   const struct sft_score *const *scores, int count,
                                   struct sft_scorer **scorers)
{
    *scorers = sft_calloc((size_t)count, sizeof(**scorers));
    if (!*scorers) return SFT_MEMORY;
    for (int i = 0; i < count; i++) {
        (*scorers)[i].score = scores[i];
        (*scorers)[i].variant = model->variant;
        memcpy((*scorers)[i].knobs, knobs_of(common, scores[i]),
               (size_t)sft_score_knobs(scores[i]) * sizeof(union sft_knob_value));
    }
    return SFT_OK;
}

void sft_scorers_free(struct sft_scorer **scorers, int count)
{
    for (int i = 0; *scorers && i < count; i++) sft_scorer_free(&(*scorers)[i]);
    free(*scorers);
    *scorers = NULL;
}

const char *sft_score_list(int i)
{
    static char line[256];
    if (i >= sft_score_count()) return NULL;
    snprintf(line, sizeof(line), "%s: %s", sft_score_at(i)->name, sft_score_at(i)->summary);
    return line;
}
