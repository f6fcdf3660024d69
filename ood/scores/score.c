/* SPDX-License-Identifier: Apache-2.0 */
/* A score with its settings: the one path by which it is fitted and computed. */
#include "ood/scores/score.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int sft_score_knobs(const struct sft_score *score)
{
    int n = 0;
    while (score->knobs && score->knobs[n].name) n++;
    return n;
}

/* ---- a score with its settings ---- */

static enum sft_status read_number(const struct sft_knob *knob, const char *text, double *value)
{
    char *end;
    errno = 0;
    *value = strtod(text, &end);
    if (end == text || *end || errno || !isfinite(*value) || *value < knob->min || *value > knob->max)
        return sft_fail(SFT_USAGE, "--%s: \"%s\" is no number from %g to %g", knob->name, text, knob->min,
                        knob->max);
    return SFT_OK;
}

static enum sft_status read_choice(const struct sft_knob *knob, const char *text, int *choice)
{
    for (*choice = 0; knob->choices[*choice]; ++*choice)
        if (strcmp(knob->choices[*choice], text) == 0) return SFT_OK;
    return sft_fail(SFT_USAGE, "--%s: there is no \"%s\"", knob->name, text);
}

enum sft_status sft_knob_read(const struct sft_knob *knob, const char *text, union sft_knob_value *value)
{
    double number;
    *value = (union sft_knob_value){.integer = 0};
    switch (knob->type) {
    case SFT_KNOB_REAL:
        return read_number(knob, text, &value->real);
    case SFT_KNOB_INT:
        SFT_TRY(read_number(knob, text, &number));
        value->integer = (int64_t)number;
        if ((double)value->integer == number) return SFT_OK;
        return sft_fail(SFT_USAGE, "--%s: \"%s\" is no whole number", knob->name, text);
    case SFT_KNOB_CHOICE:
        return read_choice(knob, text, &value->choice);
    case SFT_KNOB_FLAG:
        value->flag = strcmp(text, "yes") == 0;
        if (value->flag || strcmp(text, "no") == 0) return SFT_OK;
        return sft_fail(SFT_USAGE, "--%s: \"%s\" is neither yes nor no", knob->name, text);
    }
    return SFT_OK;
}

enum sft_status sft_scorer_init(const struct sft_score *score, struct sft_scorer *scorer)
{
    memset(scorer, 0, sizeof(*scorer));
    scorer->score = score;
    for (int i = 0; i < sft_score_knobs(score); i++)
        if (score->knobs[i].fallback)
            SFT_TRY(sft_knob_read(&score->knobs[i], score->knobs[i].fallback, &scorer->knobs[i]));
    return SFT_OK;
}

void sft_scorer_free(struct sft_scorer *scorer) { sft_statistics_free(&scorer->statistics); }

unsigned sft_scorer_needs(const struct sft_scorer *scorer)
{
    return scorer->score->needs_with ? scorer->score->needs_with(scorer->knobs, scorer->variant)
                                     : scorer->score->needs;
}

static const char *head_misfit(const struct sft_scorer *scorer, const struct sft_groups *groups)
{
    unsigned needs = sft_scorer_needs(scorer);
    if (groups && (needs & (SFT_NEEDS_LOGITS | SFT_NEEDS_HEAD)))
        return "it takes one softmax over all classes, and this model's classifier has one for each group of "
               "them";
    if (!groups && (needs & SFT_NEEDS_GROUPS))
        return "it takes a model with a grouped classifier, which `sft-vk train --mos-groups FILE` makes";
    return NULL;
}

const char *sft_scorer_misfit(const struct sft_scorer *scorer, const struct sft_model *model)
{
    const char *why = head_misfit(scorer, model->groups);
    return why || !scorer->score->misfit ? why : scorer->score->misfit(model);
}

/* Whether the scorer appends anything to a pass: to one for learning only where it learns from it. */
static bool takes_part(const struct sft_scorer *scorer, enum sft_images images)
{
    if (images == SFT_IMAGES_TUNE) return scorer->untuned;
    if (images == SFT_IMAGES_FIT)
        return (sft_scorer_needs(scorer) & SFT_NEEDS_FIT) && scorer->statistics.n == 0;
    return true;
}

sft_value sft_extend(const void *context, const struct sft_pass *pass)
{
    const struct sft_extension *extension = context;
    const struct sft_scorer *scorer = extension->scorer;
    if (!scorer->score->extend || !takes_part(scorer, extension->images)) return SFT_NONE;
    return scorer->score->extend(scorer, pass, extension->images);
}

static enum sft_status check(const struct sft_scorer *scorer, const struct sft_outputs *outputs,
                             const struct sft_head *head)
{
    const char *name = scorer->score->name, *misfit = head_misfit(scorer, outputs->groups);
    unsigned needs = sft_scorer_needs(scorer);
    if (misfit) return sft_fail(SFT_USAGE, "%s: %s", name, misfit);
    if (outputs->n < 1) return sft_fail(SFT_DATA, "%s: no images", name);
    if ((needs & (SFT_NEEDS_LOGITS | SFT_NEEDS_GROUPS)) && (!outputs->logits || outputs->classes < 1))
        return sft_fail(SFT_USAGE, "%s needs logits and was given none", name);
    if ((needs & SFT_NEEDS_FEATURES) && (!outputs->features || outputs->width < 1))
        return sft_fail(SFT_USAGE, "%s needs penultimate features and was given none", name);
    if ((needs & SFT_NEEDS_HEAD) && (!head || head->width != outputs->width))
        return sft_fail(SFT_USAGE, "%s needs the classifier's weights and was given none that fit", name);
    return SFT_OK;
}

static bool has_labels(const struct sft_outputs *outputs)
{
    for (int64_t i = 0; outputs->labels && i < outputs->n; i++)
        if (outputs->labels[i] < 0 || outputs->labels[i] >= outputs->classes) return false;
    return outputs->labels != NULL;
}

enum sft_status sft_scorer_fit(struct sft_scorer *scorer, const struct sft_outputs *outputs,
                               const struct sft_head *head)
{
    const struct sft_score *score = scorer->score;
    static const struct sft_statistics none;
    const struct sft_score_input in = {scorer->knobs, scorer->variant, outputs, head, &none};
    SFT_TRY(check(scorer, outputs, head));
    if ((sft_scorer_needs(scorer) & SFT_NEEDS_LABELS) && !has_labels(outputs))
        return sft_fail(SFT_DATA, "%s: the images to fit on need labels of the model's classes", score->name);
    sft_statistics_free(&scorer->statistics);
    scorer->untuned = sft_scorer_needs(scorer) & SFT_NEEDS_TUNE;
    return score->fit(&in, &scorer->statistics);
}

int sft_scorer_tune_images(const struct sft_scorer *scorer)
{
    return scorer->untuned ? scorer->score->tune_images(scorer->knobs) : 0;
}

enum sft_status sft_scorer_tune(struct sft_scorer *scorer, const struct sft_outputs *outputs,
                                const struct sft_head *head)
{
    struct sft_outputs first = *outputs;
    const struct sft_score_input in = {scorer->knobs, scorer->variant, &first, head, &scorer->statistics};
    int most = sft_scorer_tune_images(scorer);
    if (!most) return SFT_OK;
    if (first.n > most) first.n = most;
    SFT_TRY(check(scorer, &first, head));
    SFT_TRY(scorer->score->tune(&in, &scorer->statistics));
    scorer->untuned = false;
    return SFT_OK;
}

static bool fits_rule(const struct sft_statistic *item, const char *rule, const struct sft_outputs *outputs)
{
    if (item->shape.rank != (int)strlen(rule)) return false;
    for (int i = 0; i < item->shape.rank; i++) {
        int64_t size = item->shape.dim[i];
        bool fits = rule[i] == 'C'   ? size == outputs->classes
                    : rule[i] == 'D' ? size == outputs->width
                    : rule[i] == 'E' ? size == outputs->extra_width
                    : rule[i] == '1' ? size == 1
                                     : size > 0;
        if (!fits) return false;
    }
    return true;
}

/* Statistics from a file may be anything. */
static enum sft_status check_statistics(const struct sft_scorer *scorer, const struct sft_outputs *outputs)
{
    const struct sft_score *score = scorer->score;
    if (scorer->statistics.n == 0 || scorer->untuned)
        return sft_fail(SFT_USAGE,
                        "%s needs statistics of images of the training kind: name some with --fit SPEC",
                        score->name);
    for (const struct sft_statistic_rule *rule = score->statistics; rule && rule->name; rule++) {
        const struct sft_statistic *item = sft_statistics_find(&scorer->statistics, rule->name);
        if (!item || !fits_rule(item, rule->shape, outputs))
            return sft_fail(SFT_DATA,
                            "%s: the statistic \"%s\" is missing or of another shape than the model's",
                            score->name, rule->name);
    }
    return SFT_OK;
}

enum sft_status sft_scorer_compute(const struct sft_scorer *scorer, const struct sft_outputs *outputs,
                                   const struct sft_head *head, float *scores)
{
    const struct sft_score_input in = {scorer->knobs, scorer->variant, outputs, head, &scorer->statistics};
    bool fitted = sft_scorer_needs(scorer) & (SFT_NEEDS_FIT | SFT_NEEDS_FIT_ON_ID);
    SFT_TRY(check(scorer, outputs, head));
    if (fitted) SFT_TRY(check_statistics(scorer, outputs));
    return scorer->score->compute(&in, scores);
}
