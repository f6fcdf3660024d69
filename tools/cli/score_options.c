/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/score_options.h"

#include <stdio.h>
#include <string.h>

#include "ood/metrics/metrics.h"

struct sft_option sft_score_options[SFT_MAX_KNOBS + 1];

/* What sft_score_options_defaults() gives. */
static union sft_knob_value defaults[SFT_MAX_KNOBS];

static struct sft_option option_of(const struct sft_knob *knob, int number)
{
    static const struct {
        enum sft_option_type type;
        size_t size;
    } types[] = {
        [SFT_KNOB_REAL] = {SFT_OPTION_REAL, sizeof(double)},
        [SFT_KNOB_INT] = {SFT_OPTION_INT, sizeof(int64_t)},
        [SFT_KNOB_CHOICE] = {SFT_OPTION_CHOICE, sizeof(int)},
        [SFT_KNOB_FLAG] = {SFT_OPTION_FLAG, sizeof(bool)},
    };
    return (struct sft_option){
        .name = knob->name,
        .type = types[knob->type].type,
        .offset = offsetof(struct sft_common, knobs) + (size_t)number * sizeof(union sft_knob_value),
        .size = types[knob->type].size,
        .value = knob->value,
        .min = knob->min,
        .max = knob->max,
        .choices = knob->choices,
        .help = knob->help,
        .measures = true,
    };
}

enum sft_status sft_score_options_init(void)
{
    int n = 0;
    SFT_TRY(sft_knobs_init(defaults));
    for (int s = 0; s < sft_score_count(); s++) {
        const struct sft_score *score = sft_score_at(s);
        for (int k = 0; k < sft_score_knobs(score); k++, n++)
            sft_score_options[n] = option_of(&score->knobs[k], n);
    }
    return SFT_OK;
}

void sft_score_options_defaults(struct sft_common *common)
{
    memcpy(common->knobs, defaults, sizeof(defaults));
}

const char *sft_score_list(int i)
{
    static char line[256];
    if (i >= sft_score_count()) return NULL;
    snprintf(line, sizeof(line), "%s: %s", sft_score_at(i)->name, sft_score_at(i)->summary);
    return line;
}

const char *sft_convention_list(int i)
{
    static char line[512];
    const struct sft_convention *convention = &sft_conventions[i];
    if (i >= SFT_CONVENTIONS) return NULL;
    snprintf(line, sizeof(line), "%s%s%s: %s", convention->alias ? convention->alias : "",
             convention->alias ? ", " : "", convention->name, convention->summary);
    return line;
}
