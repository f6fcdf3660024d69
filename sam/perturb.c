/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/perturb.h"

#include "runtime/ops.h"
#include "sam/sets.h"

static sft_value within(struct sft_stage *stage, enum sft_slot slot)
{
    return sft_stage_part(stage, sft_stage_slot(stage, slot), 0, stage->step->extent);
}

/* ---- v ---- */

static sft_value cut(struct sft_stage *stage, sft_value v)
{
    return sft_step_cuts(stage->step) ? sft_mul(stage->graph, v, within(stage, SFT_SLOT_SET)) : v;
}

static sft_value gradient(struct sft_stage *stage) { return cut(stage, within(stage, SFT_SLOT_ASCENT)); }

static sft_value random_vector(struct sft_stage *stage)
{
    return cut(stage, sft_normal(stage->graph, SFT_SHAPE(stage->step->extent),
                                 sft_stage_slot(stage, SFT_SLOT_KEY), 0));
}

/* g' = g - sigma m; m <- lambda m + (1 - lambda) g', and m = g at the first step, where m is still 0. */
static sft_value new_part(struct sft_stage *stage)
{
    const struct sft_constants *constants = &stage->step->params.constants;
    sft_value m = within(stage, SFT_SLOT_MEMORY), v;
    sft_value old = sft_scale(stage->graph, m, 1.0f); /* the sum is written where m lies */
    v = sft_add(stage->graph, gradient(stage), m, -constants->friendly_sigma);
    m = sft_add(stage->graph, sft_mul(stage->graph, v, sft_stage_hyper(stage, SFT_HYPER_NEW)), old,
                constants->friendly_lambda);
    sft_graph_place(stage->graph, m, sft_stage_slot(stage, SFT_SLOT_MEMORY), 0);
    return v;
}

static sft_value (*const vectors[])(struct sft_stage *stage) = {
    [SFT_VECTOR_GRADIENT] = gradient, [SFT_VECTOR_RANDOM] = random_vector, [SFT_VECTOR_NEW] = new_part};

/* ---- T ---- */

/* Fills SFT_SLOT_SCALE, which holds ones where T is never anything else. */
static void add_scales(struct sft_stage *stage)
{
    const struct sft_step *step = stage->step;
    const unsigned biases = 1 << SFT_NORM_BIAS | 1 << SFT_BIAS | 1 << SFT_HEAD_BIAS;
    float eta = step->params.constants.eta;
    struct sft_graph *graph = stage->graph;
    for (int i = 0; i < step->model->parameters.n; i++) {
        const struct sft_parameter *item = &step->model->parameters.items[i];
        sft_value w, t;
        if (!sft_step_perturbs(step, i)) continue;
        if ((biases >> item->kind & 1) && !step->params.constants.adaptive_biases) continue;
        w = sft_stage_parameter(stage, stage->weights, i);
        if (step->how.adaptive == SFT_ADAPTIVE_ELEMENT) {
            t = sft_mul(graph, w, sft_sign(graph, w));
            t = sft_add(graph, t, sft_fill(graph, SFT_SHAPE(1), eta), 1.0f);
        } else {
            t = sft_broadcast_to(graph, sft_norm2(graph, w, 0.0f), SFT_SHAPE(item->count), 1.0f + eta);
        }
        sft_graph_place(graph, t, sft_stage_slot(stage, SFT_SLOT_SCALE), item->offset);
    }
}

static sft_value scaled(struct sft_stage *stage, sft_value v)
{
    return sft_step_is_adaptive(stage->step) ? sft_mul(stage->graph, v, within(stage, SFT_SLOT_SCALE)) : v;
}

/* ---- selection ---- */

/* Spreads SFT_SLOT_KEPT, one number a parameter, over SFT_SLOT_CHOSEN. */
static sft_value keep_tensors(struct sft_stage *stage, sft_value v)
{
    const struct sft_step *step = stage->step;
    sft_value kept = sft_stage_slot(stage, SFT_SLOT_KEPT), chosen = sft_stage_slot(stage, SFT_SLOT_CHOSEN);
    for (int i = 0; i < step->model->parameters.n; i++) {
        const struct sft_parameter *item = &step->model->parameters.items[i];
        if (!sft_step_perturbs(step, i)) continue;
        sft_graph_place(
            stage->graph,
            sft_broadcast_to(stage->graph, sft_stage_part(stage, kept, i, i + 1), SFT_SHAPE(item->count), 1),
            chosen, item->offset);
    }
    return sft_mul(stage->graph, v, within(stage, SFT_SLOT_CHOSEN));
}

/* ---- all of it ---- */

static sft_value length(struct sft_stage *stage, sft_value norm)
{
    const struct sft_step *step = stage->step;
    if (step->how.sign) return sft_fill(stage->graph, SFT_SHAPE(1), 1.0f);
    if (!sft_step_is_ranked(step)) return norm;
    return sft_scale(stage->graph, norm, step->params.constants.esam_beta);
}

sft_value sft_stage_perturb(struct sft_stage *stage)
{
    const struct sft_optimizer *how = &stage->step->how;
    struct sft_graph *graph = stage->graph;
    sft_value v = vectors[how->vector](stage), d, norm;
    if (sft_step_is_adaptive(stage->step)) add_scales(stage);
    if (sft_step_is_ranked(stage->step)) v = keep_tensors(stage, v);
    d = scaled(stage, v);
    norm = sft_norm2(graph, d, how->selection == SFT_SELECT_ALL ? 1e-16f : 1e-7f);
    d = scaled(stage, how->sign ? sft_sign(graph, v) : d);
    if (sft_step_chooses(stage->step)) d = sft_mul(graph, d, within(stage, SFT_SLOT_MEMORY));
    sft_graph_place(graph, sft_scale(graph, norm, 1.0f), sft_stage_slot(stage, SFT_SLOT_NORMS), 0);
    return sft_perturb(graph, sft_stage_part(stage, stage->weights, 0, stage->step->extent), d,
                       length(stage, norm), sft_stage_slot(stage, SFT_SLOT_HYPER));
}
