/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/sets.h"

#include <string.h>

#include "runtime/base/log.h"
#include "sam/step_state.h"

static bool is_final_norm(const struct sft_parameters *parameters, int i)
{
    int last = -1;
    for (int j = 0; j < parameters->n; j++)
        if (parameters->items[j].kind == SFT_NORM_WEIGHT) last = j;
    return last >= 0 && (i == last || i == last + 1);
}

static bool is_called_norm(const struct sft_parameter *item)
{
    const char *name = item->file_name ? item->file_name : item->name;
    return strstr(name, "norm") || strstr(name, "bn");
}

static bool in_norm_scope(const struct sft_step *step, int i)
{
    static const unsigned kinds[] = {[SFT_SCOPE_ALL] = SFT_KINDS_NORM,
                                     [SFT_SCOPE_NO_FINAL] = SFT_KINDS_NORM,
                                     [SFT_SCOPE_WEIGHT_ONLY] = 1 << SFT_NORM_WEIGHT,
                                     [SFT_SCOPE_BIAS_ONLY] = 1 << SFT_NORM_BIAS,
                                     [SFT_SCOPE_BY_NAME] = SFT_KINDS_NORM};
    const struct sft_parameters *parameters = &step->model->parameters;
    if (!(kinds[step->params.scope] >> parameters->items[i].kind & 1)) return false;
    if (step->params.scope == SFT_SCOPE_BY_NAME) return is_called_norm(&parameters->items[i]);
    return step->params.scope != SFT_SCOPE_NO_FINAL || !is_final_norm(parameters, i);
}

bool sft_step_perturbs(const struct sft_step *step, int i)
{
    static const unsigned kinds[] = {[SFT_PERTURB_NOTHING] = 0,
                                     [SFT_PERTURB_NORM] = SFT_KINDS_NORM,
                                     [SFT_PERTURB_ALL] = SFT_KINDS_TRAINED,
                                     [SFT_PERTURB_NO_NORM] = SFT_KINDS_TRAINED & ~SFT_KINDS_NORM,
                                     [SFT_PERTURB_HEAD] = SFT_KINDS_HEAD,
                                     [SFT_PERTURB_CONV] = 1 << SFT_CONV_WEIGHT};
    if (!(kinds[step->how.perturbed] >> step->model->parameters.items[i].kind & 1)) return false;
    return step->how.perturbed != SFT_PERTURB_NORM || in_norm_scope(step, i);
}

/* The last block: what shares its first two name parts with the last convolution or linear layer before the
 * head. */
static bool in_last_block(const struct sft_parameters *parameters, int i)
{
    const char *last = "", *dot;
    for (int j = 0; j < parameters->n; j++)
        if (parameters->items[j].kind == SFT_CONV_WEIGHT) last = parameters->items[j].name;
    dot = strchr(last, '.');
    dot = dot ? strchr(dot + 1, '.') : NULL;
    if (dot && strncmp(parameters->items[i].name, last, (size_t)(dot - last) + 1) == 0) return true;
    return (1 << parameters->items[i].kind & SFT_KINDS_HEAD) || is_final_norm(parameters, i);
}

bool sft_step_trains(const struct sft_step *step, int i)
{
    static const unsigned kinds[] = {[SFT_TRAIN_ALL] = SFT_KINDS_TRAINED,
                                     [SFT_TRAIN_NORM] = SFT_KINDS_NORM,
                                     [SFT_TRAIN_HEAD] = SFT_KINDS_HEAD,
                                     [SFT_TRAIN_LAST_BLOCK] = SFT_KINDS_TRAINED};
    const struct sft_parameters *parameters = &step->model->parameters;
    if (!(kinds[step->params.trained] >> parameters->items[i].kind & 1)) return false;
    return step->params.trained != SFT_TRAIN_LAST_BLOCK || in_last_block(parameters, i);
}

bool sft_step_first_is_whole(const struct sft_step *step)
{
    return step->how.mixture != SFT_MIX_Q || step->params.traced;
}

bool sft_step_ascends(const struct sft_step *step, int i)
{
    return sft_step_perturbs(step, i) || (sft_step_first_is_whole(step) && sft_step_trains(step, i));
}

bool sft_step_cuts(const struct sft_step *step)
{
    const struct sft_parameters *parameters = &step->model->parameters;
    if (step->how.perturbed == SFT_PERTURB_NOTHING) return false;
    if (step->how.vector == SFT_VECTOR_RANDOM) return true;
    for (int i = 0; i < parameters->n; i++)
        if (parameters->items[i].kind != SFT_BUFFER && parameters->items[i].offset < step->extent &&
            sft_step_ascends(step, i) && !sft_step_perturbs(step, i))
            return true;
    return false;
}

/* What is perturbed in a model without norm layers is for the user to say. */
static enum sft_status resolve_empty_set(struct sft_step *step)
{
    const char *name = step->model->variant->name;
    const bool by_name = sft_parameters_select(&step->model->parameters, SFT_KINDS_NORM, NULL) > 0;
    const char *called = by_name ? " with norm or bn in its name" : "";
    if (step->params.empty == SFT_EMPTY_ERROR)
        return sft_fail(
            SFT_USAGE,
            "%s has no normalisation layer%s that %s could perturb: choose --sam-empty sgd (no perturbation) "
            "or --sam-empty all (all parameters), or %s",
            name, called, step->how.name, by_name ? "--norm-scope all" : "a variant with normalisation");
    step->how.perturbed = step->params.empty == SFT_EMPTY_ALL ? SFT_PERTURB_ALL : SFT_PERTURB_NOTHING;
    sft_log(SFT_LOG_WARNING, "%s has no normalisation layer%s: %s perturbs %s", name, called, step->how.name,
            step->how.perturbed == SFT_PERTURB_ALL ? "all parameters" : "nothing");
    return SFT_OK;
}

int64_t sft_step_perturbed(const struct sft_step *step)
{
    const struct sft_parameters *parameters = &step->model->parameters;
    int64_t count = 0;
    for (int i = 0; i < parameters->n; i++)
        if (sft_step_perturbs(step, i)) count += parameters->items[i].count;
    return count;
}

enum sft_status sft_step_resolve_sets(struct sft_step *step)
{
    const struct sft_parameters *parameters = &step->model->parameters;
    int n = 0;
    if (step->how.perturbed == SFT_PERTURB_NORM) {
        for (int i = 0; i < parameters->n; i++) n += sft_step_perturbs(step, i);
        if (n == 0) SFT_TRY(resolve_empty_set(step));
    }
    step->extent = step->how.perturbed == SFT_PERTURB_NORM ? parameters->norm_size : parameters->weights_size;
    return SFT_OK;
}
