/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/descent.h"

#include "runtime/ops.h"
#include "sam/sets.h"

/* ---- u ---- */

static sft_value dot(struct sft_graph *graph, sft_value a, sft_value b)
{
    return sft_sum_to(graph, sft_mul(graph, a, b), SFT_SHAPE(1), 1.0f);
}

/* The part of a at right angles to b: a - (a.b/b.b) b; exactly 0 for a = b. */
static sft_value reject(struct sft_graph *graph, sft_value a, sft_value b)
{
    sft_value along = sft_div(graph, dot(graph, a, b), dot(graph, b, b));
    return sft_add(graph, a, sft_mul(graph, b, along), -1.0f);
}

static float wsam_weight(const struct sft_step *step)
{
    float gamma = step->params.constants.wsam_gamma;
    return gamma / (1.0f - gamma);
}

static sft_value plain(struct sft_stage *stage, sft_value q)
{
    (void)stage;
    return q;
}

static sft_value gsam(struct sft_stage *stage, sft_value q)
{
    sft_value g = sft_stage_slot(stage, SFT_SLOT_ASCENT);
    return sft_add(stage->graph, q, reject(stage->graph, g, q), -stage->step->params.constants.gsam_alpha);
}

static sft_value wsam(struct sft_stage *stage, sft_value q)
{
    sft_value g = sft_stage_slot(stage, SFT_SLOT_ASCENT);
    if (!stage->step->params.constants.wsam_coupled) return g;
    return sft_add(stage->graph, g, sft_add(stage->graph, q, g, -1.0f), wsam_weight(stage->step));
}

static sft_value look(struct sft_stage *stage, sft_value q)
{
    const struct sft_step *step = stage->step;
    sft_value g = sft_stage_slot(stage, SFT_SLOT_ASCENT);
    for (int i = 0; i < step->model->parameters.n; i++)
        if (sft_step_trains(step, i))
            sft_graph_place(
                stage->graph,
                reject(stage->graph, sft_stage_parameter(stage, q, i), sft_stage_parameter(stage, g, i)),
                sft_stage_slot(stage, SFT_SLOT_MEMORY), step->model->parameters.items[i].offset);
    return q;
}

sft_value sft_stage_mix(struct sft_stage *stage, sft_value q)
{
    static sft_value (*const mixtures[])(struct sft_stage *, sft_value) = {
        [SFT_MIX_Q] = plain, [SFT_MIX_GSAM] = gsam, [SFT_MIX_WSAM] = wsam, [SFT_MIX_LOOK] = look};
    return mixtures[stage->step->how.mixture](stage, q);
}

sft_value sft_stage_mix_between(struct sft_stage *stage, sft_value g)
{
    const struct sft_step *step = stage->step;
    sft_value memory = sft_stage_slot(stage, SFT_SLOT_MEMORY), mixed = sft_stage_slot(stage, SFT_SLOT_MIXED);
    struct sft_graph *graph = stage->graph;
    for (int i = 0; i < step->model->parameters.n; i++) {
        sft_value gi, h, ratio;
        if (!sft_step_trains(step, i)) continue;
        gi = sft_stage_parameter(stage, g, i);
        h = sft_stage_parameter(stage, memory, i);
        ratio = sft_div(graph, sft_norm2(graph, gi, 0.0f), sft_norm2(graph, h, 0.0f));
        sft_graph_place(graph,
                        sft_add(graph, gi, sft_mul(graph, h, ratio), step->params.constants.look_alpha),
                        mixed, step->model->parameters.items[i].offset);
    }
    return mixed;
}

/* ---- base optimisers ---- */

static void base_step(struct sft_stage *stage, sft_value u, int64_t first, int64_t last, bool decay)
{
    const struct sft_step *step = stage->step;
    struct sft_update_params params = {step->params.nesterov, step->how.decoupled, decay};
    sft_value w = sft_stage_part(stage, stage->weights, first, last);
    sft_value g = sft_stage_part(stage, u, first, last);
    sft_value state = sft_stage_part(stage, sft_stage_slot(stage, SFT_SLOT_VELOCITY), first, last);
    sft_value hyper = sft_stage_slot(stage, SFT_SLOT_HYPER);
    if (step->how.descent == SFT_DESCENT_ADAM)
        sft_adam(stage->graph, w, state,
                 sft_stage_part(stage, sft_stage_slot(stage, SFT_SLOT_SECOND_MOMENT), first, last), g, hyper,
                 params);
    else
        sft_sgd(stage->graph, w, state, g, hyper, params);
}

/* w -= lr a (q - g) */
static void sharpness_step(struct sft_stage *stage, int64_t first, int64_t last)
{
    struct sft_graph *graph = stage->graph;
    sft_value q = sft_stage_part(stage, sft_stage_slot(stage, SFT_SLOT_GRADIENT), first, last);
    sft_value g = sft_stage_part(stage, sft_stage_slot(stage, SFT_SLOT_ASCENT), first, last);
    sft_value move = sft_mul(graph, sft_add(graph, q, g, -1.0f), sft_stage_hyper(stage, SFT_HYPER_LR));
    sft_value w = sft_stage_part(stage, stage->weights, first, last);
    sft_graph_place(graph, sft_add(graph, w, move, -wsam_weight(stage->step)), stage->weights, first);
}

static void update_range(struct sft_stage *stage, sft_value u, int64_t first, int64_t last, bool decay)
{
    base_step(stage, u, first, last, decay);
    if (stage->step->how.mixture == SFT_MIX_WSAM && !stage->step->params.constants.wsam_coupled)
        sharpness_step(stage, first, last);
}

/* What lies side by side and has the same weight decay is updated together. */
void sft_stage_update(struct sft_stage *stage, sft_value u)
{
    const struct sft_step *step = stage->step;
    const struct sft_parameters *parameters = &step->model->parameters;
    bool decays = !step->params.no_norm_decay;
    int64_t norm_end = decays ? 0 : parameters->norm_size;
    if (step->params.trained == SFT_TRAIN_ALL) {
        if (norm_end > 0) update_range(stage, u, 0, norm_end, false);
        update_range(stage, u, norm_end, parameters->weights_size, true);
        return;
    }
    for (int i = 0; i < parameters->n; i++) {
        const struct sft_parameter *p = &parameters->items[i];
        bool norm = 1 << p->kind & SFT_KINDS_NORM;
        if (sft_step_trains(step, i))
            update_range(stage, u, p->offset, p->offset + p->count, decays || !norm);
    }
}
