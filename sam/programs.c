/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/programs.h"

#include "nn/loss.h"
#include "runtime/autodiff.h"
#include "runtime/program.h"
#include "sam/descent.h"
#include "sam/perturb.h"
#include "sam/sets.h"
#include "sam/stage.h"

enum { MAX_FORWARDS = 2 };

static bool goes_apart(const struct sft_step *step)
{
    return step->params.separate && step->n_id > 0 && step->n_ood > 0 && !sft_step_is_sliced(step);
}

static void copy_to(struct sft_stage *stage, sft_value value, enum sft_slot slot, int64_t offset)
{
    sft_graph_place(stage->graph, sft_scale(stage->graph, value, 1.0f), sft_stage_slot(stage, slot), offset);
}

/* ---- passes ---- */

struct pass {
    struct sft_forward_out forwards[MAX_FORWARDS]; /* the second of outliers, when they go apart */
    int n;
    struct sft_loss_out loss;
};

static sft_value rows_of(struct sft_stage *stage, sft_value images, int first, int n)
{
    struct sft_shape shape = stage->step->tensors[SFT_SLOT_IMAGES]->shape;
    int64_t row = sft_shape_count(&shape) / shape.dim[0];
    shape.dim[0] = n;
    return sft_view(stage->graph, images, first * row, shape);
}

static enum sft_status add_forward(struct sft_stage *stage, sft_value images, struct pass *pass)
{
    SFT_TRY(sft_model_forward(stage->step->model, stage->graph, &stage->forward, images,
                              &pass->forwards[pass->n++]));
    stage->forward.dropout_stream += SFT_DROPOUT_STREAMS;
    return SFT_OK;
}

static enum sft_status add_pass(struct sft_stage *stage, enum sft_slot weights, struct pass *pass)
{
    const struct sft_step *step = stage->step;
    sft_value images = sft_stage_slot(stage, SFT_SLOT_IMAGES), logits;
    pass->n = 0;
    if (goes_apart(step)) {
        SFT_TRY(add_forward(stage, rows_of(stage, images, 0, step->n_id), pass));
        SFT_TRY(add_forward(stage, rows_of(stage, images, step->n_id, step->n_ood), pass));
        logits = sft_concat(stage->graph, pass->forwards[0].logits, pass->forwards[1].logits, 0);
    } else {
        SFT_TRY(add_forward(stage, images, pass));
        logits = pass->forwards[0].logits;
    }
    pass->loss = sft_loss(stage->graph, step->model->groups, logits, sft_stage_slot(stage, SFT_SLOT_LABELS),
                          sft_stage_slot(stage, weights), step->params.loss);
    return sft_graph_status(stage->graph);
}

/* Where a slice's gradient goes, it is added up: right when it is there, not after all others. */
static void add_to_sum(struct sft_stage *stage, sft_value gradient, int parameter, enum sft_slot into)
{
    int64_t offset = stage->step->model->parameters.items[parameter].offset;
    sft_value sum = sft_stage_parameter(stage, sft_stage_slot(stage, into), parameter);
    sum = sft_reshape(stage->graph, sum, *sft_graph_shape(stage->graph, gradient));
    sft_graph_place(stage->graph, sft_add(stage->graph, sum, gradient, 1.0f), sft_stage_slot(stage, into),
                    offset);
}

/* Gradients of the parameters that `chosen` picks, written straight into a flat tensor, or added to it. */
static enum sft_status add_gradients(struct sft_stage *stage, const struct pass *pass, bool adds,
                                     bool (*chosen)(const struct sft_step *, int), enum sft_slot into)
{
    const struct sft_parameters *parameters = &stage->step->model->parameters;
    sft_value wanted[MAX_FORWARDS * SFT_MAX_PARAMETERS] = {0}, grads[MAX_FORWARDS * SFT_MAX_PARAMETERS];
    int numbers[SFT_MAX_PARAMETERS], n = 0;
    size_t n_nodes;
    for (int i = 0; i < parameters->n; i++)
        if (chosen(stage->step, i)) {
            for (int k = 0; k < pass->n; k++) wanted[pass->n * n + k] = pass->forwards[k].params[i];
            numbers[n++] = i;
        }
    SFT_TRY(sft_autodiff(stage->graph, pass->loss.total, wanted, pass->n * n, grads));
    n_nodes = stage->graph->n_nodes;
    for (int i = 0; i < n; i++) {
        sft_value gradient = grads[pass->n * i];
        if (gradient == SFT_NONE) continue;
        if (pass->n > 1) gradient = sft_add(stage->graph, gradient, grads[pass->n * i + 1], 1.0f);
        if (adds)
            add_to_sum(stage, gradient, numbers[i], into);
        else
            sft_graph_place(stage->graph, gradient, sft_stage_slot(stage, into),
                            parameters->items[numbers[i]].offset);
    }
    if (adds) sft_graph_hoist(stage->graph, n_nodes);
    return sft_graph_status(stage->graph);
}

/* The pass at w, whose losses are reported. */
static enum sft_status add_first_pass(struct sft_stage *stage, enum sft_slot weights,
                                      bool (*chosen)(const struct sft_step *, int), enum sft_slot into)
{
    struct pass pass;
    SFT_TRY(add_pass(stage, weights, &pass));
    copy_to(stage, pass.loss.rows, SFT_SLOT_ROWS, 0);
    return add_gradients(stage, &pass, sft_step_is_sliced(stage->step), chosen, into);
}

static void begin_second_pass(struct sft_stage *stage)
{
    const struct sft_step_params *params = &stage->step->params;
    if (!params->second_updates_bn && !params->frozen_bn) stage->forward.bn = SFT_BN_BATCH;
    if (params->same_mask) stage->forward.dropout_stream = 0;
}

/* From here on passes read the perturbed weights. */
static void move_to(struct sft_stage *stage, sft_value moved)
{
    bool whole = stage->step->extent == stage->step->model->parameters.weights_size;
    *(whole ? &stage->forward.weights : &stage->forward.norm) = moved;
}

static enum sft_status add_ascent(struct sft_stage *stage)
{
    SFT_TRY(add_first_pass(stage, SFT_SLOT_FIRST_WEIGHTS, sft_step_ascends, SFT_SLOT_ASCENT));
    begin_second_pass(stage);
    return SFT_OK;
}

static enum sft_status add_second_pass(struct sft_stage *stage, enum sft_slot into)
{
    struct pass pass;
    SFT_TRY(add_pass(stage, SFT_SLOT_ROW_WEIGHTS, &pass));
    return add_gradients(stage, &pass, sft_step_is_sliced(stage->step), sft_step_trains, into);
}

static enum sft_status finish(struct sft_stage *stage, sft_value u)
{
    sft_graph_place(stage->graph, sft_norm2(stage->graph, sft_stage_slot(stage, SFT_SLOT_GRADIENT), 0.0f),
                    sft_stage_slot(stage, SFT_SLOT_NORMS), 1);
    sft_stage_update(stage, u);
    return sft_graph_status(stage->graph);
}

/* ---- the programs ---- */

static enum sft_status build_one_pass(struct sft_stage *stage)
{
    SFT_TRY(add_first_pass(stage, SFT_SLOT_ROW_WEIGHTS, sft_step_trains, SFT_SLOT_GRADIENT));
    return finish(stage, sft_stage_slot(stage, SFT_SLOT_GRADIENT));
}

static enum sft_status build_two_passes(struct sft_stage *stage)
{
    SFT_TRY(add_ascent(stage));
    move_to(stage, sft_stage_perturb(stage));
    SFT_TRY(add_second_pass(stage, SFT_SLOT_GRADIENT));
    return finish(stage, sft_stage_mix(stage, sft_stage_slot(stage, SFT_SLOT_GRADIENT)));
}

static enum sft_status build_between(struct sft_stage *stage)
{
    SFT_TRY(add_first_pass(stage, SFT_SLOT_ROW_WEIGHTS, sft_step_trains, SFT_SLOT_GRADIENT));
    return finish(stage, sft_stage_mix_between(stage, sft_stage_slot(stage, SFT_SLOT_GRADIENT)));
}

/* gradient = keep*gradient + u/parts */
static enum sft_status combine(struct sft_stage *stage)
{
    sft_value mean = sft_stage_slot(stage, SFT_SLOT_GRADIENT);
    sft_value u = sft_stage_mix(stage, sft_stage_slot(stage, SFT_SLOT_PART));
    mean = sft_add(stage->graph, sft_mul(stage->graph, mean, sft_stage_hyper(stage, SFT_HYPER_KEEP)), u,
                   1.0f / (float)stage->step->params.parts);
    sft_graph_place(stage->graph, mean, sft_stage_slot(stage, SFT_SLOT_GRADIENT), 0);
    return sft_graph_status(stage->graph);
}

static enum sft_status build_part(struct sft_stage *stage)
{
    SFT_TRY(add_ascent(stage));
    move_to(stage, sft_stage_perturb(stage));
    SFT_TRY(add_second_pass(stage, SFT_SLOT_PART));
    return combine(stage);
}

static enum sft_status build_after_parts(struct sft_stage *stage)
{
    return finish(stage, sft_stage_slot(stage, SFT_SLOT_GRADIENT));
}

/* The losses at the perturbed weights are for ranking; the pass behind them is the one that counts. */
static enum sft_status build_ranking(struct sft_stage *stage)
{
    struct pass pass;
    SFT_TRY(add_ascent(stage));
    copy_to(stage, sft_stage_perturb(stage), SFT_SLOT_MOVED, 0);
    move_to(stage, sft_stage_part(stage, sft_stage_slot(stage, SFT_SLOT_MOVED), 0, stage->step->extent));
    if (stage->forward.bn == SFT_BN_UPDATE) stage->forward.bn = SFT_BN_BATCH;
    SFT_TRY(add_pass(stage, SFT_SLOT_ROW_WEIGHTS, &pass));
    copy_to(stage, pass.loss.rows, SFT_SLOT_SECOND_ROWS, 0);
    return sft_graph_status(stage->graph);
}

/* The second pass of a step whose first one, and the perturbation, are in other programs. */
static void begin_moved(struct sft_stage *stage)
{
    stage->forward.dropout_stream = SFT_DROPOUT_STREAMS * (goes_apart(stage->step) ? 2 : 1);
    begin_second_pass(stage);
    move_to(stage, sft_stage_part(stage, sft_stage_slot(stage, SFT_SLOT_MOVED), 0, stage->step->extent));
}

static enum sft_status build_after_ranking(struct sft_stage *stage)
{
    begin_moved(stage);
    SFT_TRY(add_second_pass(stage, SFT_SLOT_GRADIENT));
    return finish(stage, sft_stage_mix(stage, sft_stage_slot(stage, SFT_SLOT_GRADIENT)));
}

/* score += (gradient of one image's loss)^2, as in evaluation: batch norm has nothing to make statistics
 * of. */
static enum sft_status build_score(struct sft_stage *stage)
{
    struct sft_graph *graph = stage->graph;
    struct pass pass = {.n = 1};
    sft_value score = sft_stage_slot(stage, SFT_SLOT_SCORE), g = sft_stage_slot(stage, SFT_SLOT_ASCENT);
    stage->forward.bn = SFT_BN_RUNNING;
    stage->forward.dropout_key = SFT_NONE;
    SFT_TRY(sft_model_forward(stage->step->model, graph, &stage->forward,
                              sft_stage_slot(stage, SFT_SLOT_ONE_IMAGE), &pass.forwards[0]));
    pass.loss = sft_loss(graph, stage->step->model->groups, pass.forwards[0].logits,
                         sft_stage_slot(stage, SFT_SLOT_ONE_LABEL), sft_fill(graph, SFT_SHAPE(1), 1.0f),
                         stage->step->params.loss);
    SFT_TRY(add_gradients(stage, &pass, false, sft_step_perturbs, SFT_SLOT_ASCENT));
    sft_graph_place(graph, sft_add(graph, score, sft_mul(graph, g, g), 1.0f), score, 0);
    return sft_graph_status(graph);
}

static enum sft_status build_loss(struct sft_stage *stage)
{
    struct pass pass;
    if (stage->forward.bn == SFT_BN_UPDATE) stage->forward.bn = SFT_BN_BATCH;
    SFT_TRY(add_pass(stage, SFT_SLOT_ROW_WEIGHTS, &pass));
    copy_to(stage, pass.loss.rows, SFT_SLOT_SECOND_ROWS, 0);
    return sft_graph_status(stage->graph);
}

/* ---- in slices ---- */

/* Where the gradients of a part's slices are added up. */
static enum sft_slot sum_of(const struct sft_step *step)
{
    return sft_step_has_parts(step) ? SFT_SLOT_PART : SFT_SLOT_GRADIENT;
}

static void clear(struct sft_stage *stage, enum sft_slot slot)
{
    struct sft_shape shape = stage->step->tensors[slot]->shape;
    sft_graph_place(stage->graph, sft_fill(stage->graph, shape, 0.0f), sft_stage_slot(stage, slot), 0);
}

static enum sft_status build_clear(struct sft_stage *stage)
{
    clear(stage, sum_of(stage->step));
    if (sft_step_has_ascent(stage->step)) clear(stage, SFT_SLOT_ASCENT);
    return sft_graph_status(stage->graph);
}

static enum sft_status build_slice_ascent(struct sft_stage *stage)
{
    return add_first_pass(stage, SFT_SLOT_FIRST_WEIGHTS, sft_step_ascends, SFT_SLOT_ASCENT);
}

static enum sft_status build_slice_alone(struct sft_stage *stage)
{
    return add_first_pass(stage, SFT_SLOT_ROW_WEIGHTS, sft_step_trains, SFT_SLOT_GRADIENT);
}

static enum sft_status build_perturb(struct sft_stage *stage)
{
    copy_to(stage, sft_stage_perturb(stage), SFT_SLOT_MOVED, 0);
    return sft_graph_status(stage->graph);
}

static enum sft_status build_slice_rank(struct sft_stage *stage)
{
    struct pass pass;
    begin_moved(stage);
    SFT_TRY(add_pass(stage, SFT_SLOT_ROW_WEIGHTS, &pass));
    copy_to(stage, pass.loss.rows, SFT_SLOT_SECOND_ROWS, 0);
    return sft_graph_status(stage->graph);
}

static enum sft_status build_slice_descent(struct sft_stage *stage)
{
    begin_moved(stage);
    return add_second_pass(stage, sum_of(stage->step));
}

static enum sft_status build_finish(struct sft_stage *stage)
{
    return finish(stage, sft_stage_mix(stage, sft_stage_slot(stage, SFT_SLOT_GRADIENT)));
}

static enum sft_status build_finish_between(struct sft_stage *stage)
{
    return finish(stage, sft_stage_mix_between(stage, sft_stage_slot(stage, SFT_SLOT_GRADIENT)));
}

typedef enum sft_status (*builder)(struct sft_stage *);

static void choose_slice_builders(const struct sft_step *step, builder builders[SFT_COURSES])
{
    bool up = sft_step_has_ascent(step), parts = sft_step_has_parts(step);
    builders[SFT_COURSE_CLEAR] = build_clear;
    builders[SFT_COURSE_FIRST] = up ? build_slice_ascent : build_slice_alone;
    builders[SFT_COURSE_PERTURB] = up ? build_perturb : NULL;
    builders[SFT_COURSE_RANK] = sft_step_is_ranked(step) ? build_slice_rank : NULL;
    builders[SFT_COURSE_SECOND] = up ? build_slice_descent : NULL;
    builders[SFT_COURSE_COMBINE] = parts ? combine : NULL;
    builders[SFT_COURSE_FINISH] = parts ? build_after_parts : build_finish;
    if (!sft_step_has_between(step)) return;
    builders[SFT_COURSE_BETWEEN] = build_slice_alone;
    builders[SFT_COURSE_FINISH_BETWEEN] = build_finish_between;
}

/* Which function builds each program; NULL where the step has none of that kind. */
static void choose_whole_builders(const struct sft_step *step, builder builders[SFT_COURSES])
{
    builders[SFT_COURSE_MAIN] = sft_step_has_ascent(step) ? build_two_passes : build_one_pass;
    builders[SFT_COURSE_REST] = sft_step_has_between(step) ? build_between : NULL;
    if (sft_step_has_parts(step)) {
        builders[SFT_COURSE_MAIN] = build_part;
        builders[SFT_COURSE_REST] = build_after_parts;
    } else if (sft_step_is_ranked(step)) {
        builders[SFT_COURSE_MAIN] = build_ranking;
        builders[SFT_COURSE_REST] = build_after_ranking;
    }
}

static void choose_builders(const struct sft_step *step, builder builders[SFT_COURSES])
{
    (sft_step_is_sliced(step) ? choose_slice_builders : choose_whole_builders)(step, builders);
    builders[SFT_COURSE_SCORE] = step->how.selection == SFT_SELECT_FISHER ? build_score : NULL;
    builders[SFT_COURSE_LOSS] = step->params.traced ? build_loss : NULL;
}

static enum sft_status build_graph(struct sft_step *step, enum sft_course course, builder build)
{
    struct sft_stage stage = {.step = step};
    SFT_TRY(sft_graph_create(&step->graphs[course]));
    stage.graph = step->graphs[course];
    for (int i = 0; i < SFT_SLOTS; i++) stage.slots[i] = SFT_NONE;
    stage.forward = sft_forward_on(stage.graph, &step->model->parameters);
    stage.weights = stage.forward.weights;
    stage.forward.bn = step->params.frozen_bn ? SFT_BN_RUNNING : SFT_BN_UPDATE;
    stage.forward.dropout_key = step->params.no_dropout ? SFT_NONE : sft_stage_slot(&stage, SFT_SLOT_KEY);
    return build(&stage);
}

enum sft_status sft_step_build_graphs(struct sft_step *step)
{
    builder builders[SFT_COURSES] = {NULL};
    choose_builders(step, builders);
    for (int i = 0; i < SFT_COURSES; i++)
        if (builders[i]) SFT_TRY(build_graph(step, (enum sft_course)i, builders[i]));
    return SFT_OK;
}

enum sft_status sft_step_make_programs(struct sft_step *step)
{
    struct sft_device *device = step->model->parameters.weights->device;
    SFT_TRY(sft_arena_create(device, (size_t)step->plan.arena, &step->arena));
    for (int i = 0; i < SFT_COURSES; i++)
        if (step->planned[i].graph)
            SFT_TRY(sft_program_make(device, &step->planned[i], step->arena, &step->programs[i]));
    return SFT_OK;
}

void sft_step_free_programs(struct sft_step *step)
{
    for (int i = 0; i < SFT_COURSES; i++) {
        sft_program_destroy(&step->programs[i]);
        sft_planned_free(&step->planned[i]);
        sft_graph_destroy(&step->graphs[i]);
    }
    sft_tensor_destroy(&step->arena);
}
