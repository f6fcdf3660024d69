/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/alloc.h"
#include "runtime/autodiff.h"
#include "sam/build.h"

/* A forward pass draws its dropout masks from streams of its own. */
enum { STREAMS_PER_PASS = 64, MAX_FORWARDS = 2 };

static bool perturbs(const struct sft_step *step) { return step->how.perturbed != SFT_PERTURB_NOTHING; }
static bool is_ranked(const struct sft_step *step) { return step->how.selection == SFT_SELECT_TENSORS; }
static bool has_between(const struct sft_step *step) { return step->how.mixture == SFT_MIX_LOOK; }
static bool chooses(const struct sft_step *step)
{
    return step->how.selection == SFT_SELECT_FISHER || step->how.selection == SFT_SELECT_DYNAMIC;
}

static bool has_parts(const struct sft_step *step) { return step->params.parts > 1; }

static bool goes_apart(const struct sft_step *step)
{
    return step->params.separate && step->n_id > 0 && step->n_ood > 0;
}

/* ---- stages ---- */

sft_value sft_stage_slot(struct sft_stage *stage, enum sft_slot slot)
{
    if (stage->slots[slot] == SFT_NONE) stage->slots[slot] = sft_graph_tensor(stage->graph, stage->step->tensors[slot]);
    return stage->slots[slot];
}

sft_value sft_stage_part(struct sft_stage *stage, sft_value flat, int64_t first, int64_t last)
{
    return sft_view(stage->graph, flat, first, SFT_SHAPE(last - first));
}

sft_value sft_stage_parameter(struct sft_stage *stage, sft_value flat, int i)
{
    const struct sft_parameter *item = &stage->step->model->parameters.items[i];
    return sft_stage_part(stage, flat, item->offset, item->offset + item->count);
}

sft_value sft_stage_hyper(struct sft_stage *stage, enum sft_hyper which)
{
    return sft_stage_part(stage, sft_stage_slot(stage, SFT_SLOT_HYPER), which, which + 1);
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
    SFT_TRY(sft_model_forward(stage->step->model, stage->graph, &stage->forward, images, &pass->forwards[pass->n++]));
    stage->forward.dropout_stream += STREAMS_PER_PASS;
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
    pass->loss = sft_loss(stage->graph, logits, sft_stage_slot(stage, SFT_SLOT_LABELS), sft_stage_slot(stage, weights),
                          step->params.loss);
    return sft_graph_status(stage->graph);
}

/* Gradients of the parameters that `chosen` picks, written straight into a flat tensor. */
static enum sft_status add_gradients(struct sft_stage *stage, const struct pass *pass,
                                     bool (*chosen)(const struct sft_step *, int), enum sft_slot into)
{
    const struct sft_parameters *parameters = &stage->step->model->parameters;
    sft_value wanted[MAX_FORWARDS * SFT_MAX_PARAMETERS] = {0}, grads[MAX_FORWARDS * SFT_MAX_PARAMETERS];
    int numbers[SFT_MAX_PARAMETERS], n = 0;
    for (int i = 0; i < parameters->n; i++)
        if (chosen(stage->step, i)) {
            for (int k = 0; k < pass->n; k++) wanted[pass->n * n + k] = pass->forwards[k].params[i];
            numbers[n++] = i;
        }
    SFT_TRY(sft_autodiff(stage->graph, pass->loss.total, wanted, pass->n * n, grads));
    for (int i = 0; i < n; i++) {
        sft_value gradient = grads[pass->n * i];
        if (gradient == SFT_NONE) continue;
        if (pass->n > 1) gradient = sft_add(stage->graph, gradient, grads[pass->n * i + 1], 1.0f);
        sft_graph_place(stage->graph, gradient, sft_stage_slot(stage, into), parameters->items[numbers[i]].offset);
    }
    return sft_graph_status(stage->graph);
}

/* The pass at w, whose losses are reported. */
static enum sft_status add_first_pass(struct sft_stage *stage, enum sft_slot weights,
                                      bool (*chosen)(const struct sft_step *, int), enum sft_slot into)
{
    struct pass pass;
    SFT_TRY(add_pass(stage, weights, &pass));
    copy_to(stage, pass.loss.rows, SFT_SLOT_ROWS, 0);
    return add_gradients(stage, &pass, chosen, into);
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
    return add_gradients(stage, &pass, sft_step_trains, into);
}

static enum sft_status finish(struct sft_stage *stage, sft_value u)
{
    sft_graph_place(stage->graph, sft_norm2(stage->graph, sft_stage_slot(stage, SFT_SLOT_GRADIENT), 0.0f),
                    sft_stage_slot(stage, SFT_SLOT_NORMS), 1);
    sft_build_update(stage, u);
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
    move_to(stage, sft_build_perturbation(stage));
    SFT_TRY(add_second_pass(stage, SFT_SLOT_GRADIENT));
    return finish(stage, sft_build_mixture(stage, sft_stage_slot(stage, SFT_SLOT_GRADIENT)));
}

static enum sft_status build_between(struct sft_stage *stage)
{
    SFT_TRY(add_first_pass(stage, SFT_SLOT_ROW_WEIGHTS, sft_step_trains, SFT_SLOT_GRADIENT));
    return finish(stage, sft_build_between(stage, sft_stage_slot(stage, SFT_SLOT_GRADIENT)));
}

/* gradient = keep*gradient + u/parts */
static enum sft_status build_part(struct sft_stage *stage)
{
    sft_value mean = sft_stage_slot(stage, SFT_SLOT_GRADIENT), u;
    SFT_TRY(add_ascent(stage));
    move_to(stage, sft_build_perturbation(stage));
    SFT_TRY(add_second_pass(stage, SFT_SLOT_PART));
    u = sft_build_mixture(stage, sft_stage_slot(stage, SFT_SLOT_PART));
    mean = sft_add(stage->graph, sft_mul(stage->graph, mean, sft_stage_hyper(stage, SFT_HYPER_KEEP)), u,
                   1.0f / (float)stage->step->params.parts);
    sft_graph_place(stage->graph, mean, sft_stage_slot(stage, SFT_SLOT_GRADIENT), 0);
    return sft_graph_status(stage->graph);
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
    copy_to(stage, sft_build_perturbation(stage), SFT_SLOT_MOVED, 0);
    move_to(stage, sft_stage_part(stage, sft_stage_slot(stage, SFT_SLOT_MOVED), 0, stage->step->extent));
    if (stage->forward.bn == SFT_BN_UPDATE) stage->forward.bn = SFT_BN_BATCH;
    SFT_TRY(add_pass(stage, SFT_SLOT_ROW_WEIGHTS, &pass));
    copy_to(stage, pass.loss.rows, SFT_SLOT_SECOND_ROWS, 0);
    return sft_graph_status(stage->graph);
}

static enum sft_status build_after_ranking(struct sft_stage *stage)
{
    stage->forward.dropout_stream = STREAMS_PER_PASS * (goes_apart(stage->step) ? 2 : 1);
    begin_second_pass(stage);
    move_to(stage, sft_stage_part(stage, sft_stage_slot(stage, SFT_SLOT_MOVED), 0, stage->step->extent));
    SFT_TRY(add_second_pass(stage, SFT_SLOT_GRADIENT));
    return finish(stage, sft_build_mixture(stage, sft_stage_slot(stage, SFT_SLOT_GRADIENT)));
}

/* score += (gradient of one image's loss)^2, as in evaluation: batch norm has nothing to make statistics of. */
static enum sft_status build_score(struct sft_stage *stage)
{
    struct sft_graph *graph = stage->graph;
    struct pass pass = {.n = 1};
    sft_value score = sft_stage_slot(stage, SFT_SLOT_SCORE), g = sft_stage_slot(stage, SFT_SLOT_ASCENT);
    stage->forward.bn = SFT_BN_RUNNING;
    stage->forward.dropout_key = SFT_NONE;
    SFT_TRY(sft_model_forward(stage->step->model, graph, &stage->forward, sft_stage_slot(stage, SFT_SLOT_ONE_IMAGE),
                              &pass.forwards[0]));
    pass.loss = sft_loss(graph, pass.forwards[0].logits, sft_stage_slot(stage, SFT_SLOT_ONE_LABEL),
                         sft_fill(graph, SFT_SHAPE(1), 1.0f), stage->step->params.loss);
    SFT_TRY(add_gradients(stage, &pass, sft_step_perturbs, SFT_SLOT_ASCENT));
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

/* Which function builds each program; NULL where the step has none of that kind. */
static void choose_builders(const struct sft_step *step, enum sft_status (*builders[SFT_COURSES])(struct sft_stage *))
{
    builders[SFT_COURSE_MAIN] = perturbs(step) ? build_two_passes : build_one_pass;
    builders[SFT_COURSE_REST] = has_between(step) ? build_between : NULL;
    if (has_parts(step)) {
        builders[SFT_COURSE_MAIN] = build_part;
        builders[SFT_COURSE_REST] = build_after_parts;
    } else if (is_ranked(step)) {
        builders[SFT_COURSE_MAIN] = build_ranking;
        builders[SFT_COURSE_REST] = build_after_ranking;
    }
    builders[SFT_COURSE_SCORE] = step->how.selection == SFT_SELECT_FISHER ? build_score : NULL;
    builders[SFT_COURSE_LOSS] = step->params.traced ? build_loss : NULL;
}

static enum sft_status build_program(struct sft_step *step, enum sft_course course,
                                     enum sft_status (*builder)(struct sft_stage *))
{
    struct sft_stage stage = {.step = step};
    SFT_TRY(sft_graph_create(&step->graphs[course]));
    stage.graph = step->graphs[course];
    for (int i = 0; i < SFT_SLOTS; i++) stage.slots[i] = SFT_NONE;
    stage.forward = sft_forward_on(stage.graph, step->model);
    stage.weights = stage.forward.weights;
    stage.forward.bn = step->params.frozen_bn ? SFT_BN_RUNNING : SFT_BN_UPDATE;
    stage.forward.dropout_key = step->params.no_dropout ? SFT_NONE : sft_stage_slot(&stage, SFT_SLOT_KEY);
    SFT_TRY(builder(&stage));
    return sft_program_create(step->model->parameters.weights->device, stage.graph, &step->programs[course]);
}

static enum sft_status build_programs(struct sft_step *step)
{
    enum sft_status (*builders[SFT_COURSES])(struct sft_stage *) = {NULL};
    choose_builders(step, builders);
    for (int i = 0; i < SFT_COURSES; i++)
        if (builders[i]) SFT_TRY(build_program(step, (enum sft_course)i, builders[i]));
    return SFT_OK;
}

/* ---- life ---- */

static bool has_memory(const struct sft_step *step)
{
    return has_between(step) || step->how.vector == SFT_VECTOR_NEW || chooses(step);
}

static bool has_scale(const struct sft_step *step)
{
    return step->how.adaptive == SFT_ADAPTIVE_ELEMENT || step->how.adaptive == SFT_ADAPTIVE_LAYER;
}

static enum sft_status create_tensors(struct sft_step *step)
{
    struct sft_device *device = step->model->parameters.weights->device;
    bool fisher = step->how.selection == SFT_SELECT_FISHER, up = perturbs(step);
    int64_t n = step->n_id + step->n_ood, side = step->model->image_size;
    struct sft_shape flat = SFT_SHAPE(step->model->parameters.weights_size);
    const struct {
        const char *name;
        enum sft_dtype dtype;
        struct sft_shape shape;
        bool wanted;
    } rows[SFT_SLOTS] = {
        [SFT_SLOT_IMAGES] = {"images", SFT_F32, SFT_SHAPE(n, side, side, 3), true},
        [SFT_SLOT_LABELS] = {"labels", SFT_I32, SFT_SHAPE(n), true},
        [SFT_SLOT_ROW_WEIGHTS] = {"row weights", SFT_F32, SFT_SHAPE(n), true},
        [SFT_SLOT_FIRST_WEIGHTS] = {"row weights of the ascent", SFT_F32, SFT_SHAPE(n), true},
        [SFT_SLOT_HYPER] = {"hyper-parameters", SFT_F32, SFT_SHAPE(SFT_HYPER_COUNT), true},
        [SFT_SLOT_KEY] = {"key of random numbers", SFT_I32, SFT_SHAPE(4), true},
        [SFT_SLOT_ROWS] = {"row losses", SFT_F32, SFT_SHAPE(n), true},
        [SFT_SLOT_SECOND_ROWS] = {"row losses elsewhere", SFT_F32, SFT_SHAPE(n),
                                  is_ranked(step) || step->params.traced},
        [SFT_SLOT_NORMS] = {"norms", SFT_F32, SFT_SHAPE(2), true},
        [SFT_SLOT_KEPT] = {"perturbed tensors", SFT_F32, SFT_SHAPE(step->model->parameters.n), is_ranked(step)},
        [SFT_SLOT_ONE_IMAGE] = {"an image", SFT_F32, SFT_SHAPE(1, side, side, 3), fisher},
        [SFT_SLOT_ONE_LABEL] = {"a label", SFT_I32, SFT_SHAPE(1), fisher},
        [SFT_SLOT_GRADIENT] = {"gradient", SFT_F32, flat, true},
        [SFT_SLOT_PART] = {"gradient of a part", SFT_F32, flat, has_parts(step)},
        [SFT_SLOT_ASCENT] = {"ascent gradient", SFT_F32, flat, up},
        [SFT_SLOT_MIXED] = {"mixed gradient", SFT_F32, flat, has_between(step)},
        [SFT_SLOT_SET] = {"perturbed set", SFT_F32, flat, sft_step_cuts(step)},
        [SFT_SLOT_SCALE] = {"scale of the perturbation", SFT_F32, flat, up && has_scale(step)},
        [SFT_SLOT_CHOSEN] = {"perturbed elements", SFT_F32, flat, is_ranked(step)},
        [SFT_SLOT_SCORE] = {"squared gradients", SFT_F32, flat, fisher},
        [SFT_SLOT_MOVED] = {"perturbed weights", SFT_F32, flat, is_ranked(step)},
        [SFT_SLOT_VELOCITY] = {"optimiser state", SFT_F32, flat, true},
        [SFT_SLOT_SECOND_MOMENT] = {"second moment", SFT_F32, flat, step->how.descent == SFT_DESCENT_ADAM},
        [SFT_SLOT_MEMORY] = {"optimiser memory", SFT_F32, flat, has_memory(step)},
    };
    for (int i = 0; i < SFT_SLOTS; i++) {
        if (!rows[i].wanted) continue;
        SFT_TRY(sft_tensor_create(device, rows[i].name, rows[i].dtype, rows[i].shape, &step->tensors[i]));
        if (i >= SFT_SLOT_VELOCITY) step->states[step->n_states++] = step->tensors[i];
    }
    return SFT_OK;
}

static enum sft_status create_buffers(struct sft_step *step)
{
    size_t n = (size_t)(step->params.n_id + step->params.n_ood);
    step->row_buffer = sft_calloc(n, sizeof(float));
    step->second_buffer = sft_calloc(n, sizeof(float));
    step->weight_buffer = sft_calloc(n, sizeof(float));
    step->label_buffer = sft_calloc(n, sizeof(int32_t));
    return step->row_buffer && step->second_buffer && step->weight_buffer && step->label_buffer ? SFT_OK : SFT_MEMORY;
}

/* The tensors that hold what never changes: where the perturbed set is, and ones where T is never anything else. */
static enum sft_status fill_constants(struct sft_step *step)
{
    static const enum sft_slot slots[] = {SFT_SLOT_SET, SFT_SLOT_SCALE};
    const struct sft_parameters *parameters = &step->model->parameters;
    float *values = sft_calloc((size_t)parameters->weights_size, sizeof(*values));
    enum sft_status status = SFT_OK;
    if (!values) return SFT_MEMORY;
    for (int i = 0; i < parameters->n; i++) {
        const struct sft_parameter *item = &parameters->items[i];
        if (sft_step_perturbs(step, i))
            for (int64_t k = 0; k < item->count; k++) values[item->offset + k] = 1.0f;
    }
    for (int i = 0; i < 2; i++)
        if (step->tensors[slots[i]])
            SFT_TRY_OUT(sft_tensor_upload(step->tensors[slots[i]], 0, parameters->weights_size, values));
out:
    free(values);
    return status;
}

static enum sft_status resolve_parts(struct sft_step *step)
{
    const struct sft_step_params *params = &step->params;
    bool carries = is_ranked(step) || has_between(step) || step->how.vector == SFT_VECTOR_NEW ||
                   (step->how.mixture == SFT_MIX_WSAM && !params->constants.wsam_coupled);
    step->n_id = params->n_id;
    step->n_ood = params->n_ood;
    if (!has_parts(step)) return SFT_OK;
    if (!perturbs(step) || carries)
        return sft_fail(SFT_USAGE,
                        "%s does not work in parts: --sam-m is for optimisers that perturb and whose "
                        "update is linear in each part's gradient",
                        step->how.name);
    if (params->traced) return sft_fail(SFT_USAGE, "a step in parts cannot be traced: leave out --sam-m or --trace");
    if (params->n_id % params->parts || params->n_ood % params->parts)
        return sft_fail(SFT_USAGE,
                        "%d ID images and %d outliers do not divide into %d equal parts: choose --batch so that they "
                        "do, or another --sam-m",
                        params->n_id, params->n_ood, params->parts);
    step->n_id /= params->parts;
    step->n_ood /= params->parts;
    return SFT_OK;
}

/* The optimiser with what the parameters override. */
static enum sft_status resolve(struct sft_step *step)
{
    const struct sft_step_params *params = &step->params;
    step->how = *params->optimizer;
    if (!perturbs(step) && (params->perturbed != SFT_PERTURB_OWN || params->adaptive != SFT_ADAPTIVE_OWN))
        return sft_fail(SFT_USAGE, "%s perturbs nothing: --perturb and --adaptive do not go with it", step->how.name);
    if (params->perturbed != SFT_PERTURB_OWN) step->how.perturbed = params->perturbed;
    if (params->adaptive != SFT_ADAPTIVE_OWN) step->how.adaptive = params->adaptive;
    if ((has_between(step) && params->constants.look_every < 1) || (chooses(step) && params->constants.ssam_every < 1))
        return sft_fail(SFT_USAGE, "%s: a period of no steps; start from sft_constants_default()", step->how.name);
    SFT_TRY(sft_step_resolve_sets(step));
    if (!perturbs(step)) {
        step->how.selection = SFT_SELECT_ALL;
        step->how.mixture = SFT_MIX_Q;
        step->how.vector = SFT_VECTOR_GRADIENT;
    }
    return resolve_parts(step);
}

enum sft_status sft_step_create(struct sft_model *model, const struct sft_step_params *params, struct sft_step **out)
{
    enum sft_status status = SFT_OK;
    struct sft_step *step;
    *out = NULL;
    if (params->n_id < 0 || params->n_ood < 0 || params->n_id + params->n_ood < 1)
        return sft_fail(SFT_USAGE, "a step needs at least one image");
    step = sft_calloc(1, sizeof(*step));
    if (!step) return SFT_MEMORY;
    step->model = model;
    step->params = *params;
    SFT_TRY_OUT(resolve(step));
    SFT_TRY_OUT(create_tensors(step));
    SFT_TRY_OUT(create_buffers(step));
    SFT_TRY_OUT(fill_constants(step));
    SFT_TRY_OUT(build_programs(step));
    *out = step;
    return SFT_OK;
out:
    sft_step_destroy(&step);
    return status;
}

static void release(struct sft_step *step)
{
    for (int i = 0; i < SFT_COURSES; i++) {
        sft_program_destroy(&step->programs[i]);
        sft_graph_destroy(&step->graphs[i]);
    }
    for (int i = 0; i < SFT_SLOTS; i++) sft_tensor_destroy(&step->tensors[i]);
    free(step->row_buffer);
    free(step->second_buffer);
    free(step->weight_buffer);
    free(step->label_buffer);
    free(step);
}

void sft_step_destroy(struct sft_step **step)
{
    if (*step) release(*step);
    *step = NULL;
}

/* ---- running ---- */

static enum sft_status upload_rates(struct sft_step *step, const struct sft_step_rates *rates, int part)
{
    int64_t draw = has_parts(step) ? rates->step * step->params.parts + part : rates->step;
    float hyper[SFT_HYPER_COUNT] = {0};
    int32_t key[4] = {(int32_t)(uint32_t)rates->seed, (int32_t)(uint32_t)(rates->seed >> 32), (int32_t)draw, 0};
    const double beta1 = 0.9, beta2 = 0.999;
    hyper[SFT_HYPER_LR] = (float)rates->lr;
    hyper[SFT_HYPER_RHO] = (float)rates->rho;
    hyper[SFT_HYPER_MOMENTUM] = (float)rates->momentum;
    hyper[SFT_HYPER_WEIGHT_DECAY] = (float)rates->weight_decay;
    hyper[SFT_HYPER_BETA1] = (float)beta1;
    hyper[SFT_HYPER_BETA2] = (float)beta2;
    hyper[SFT_HYPER_EPSILON] = 1e-8f;
    hyper[SFT_HYPER_BIAS1] = (float)(1.0 - pow(beta1, (double)rates->step + 1.0));
    hyper[SFT_HYPER_BIAS2] = (float)(1.0 - pow(beta2, (double)rates->step + 1.0));
    hyper[SFT_HYPER_NEW] = rates->step == 0 ? 1.0f : 1.0f - step->params.constants.friendly_lambda;
    hyper[SFT_HYPER_KEEP] = part > 0 ? 1.0f : 0.0f;
    SFT_TRY(sft_tensor_upload(step->tensors[SFT_SLOT_HYPER], 0, SFT_HYPER_COUNT, hyper));
    return sft_tensor_upload(step->tensors[SFT_SLOT_KEY], 0, 4, key);
}

/* What is learnt from: ID rows first. A part's rows are some of either. */
struct batch {
    const float *images;
    const int32_t *labels;
};

/* Where row `row` of part `part` lies in the batch. */
static int64_t row_in_batch(const struct sft_step *step, int part, int64_t row)
{
    if (row < step->n_id) return part * step->n_id + row;
    return step->params.n_id + part * step->n_ood + row - step->n_id;
}

static enum sft_status upload_rows(struct sft_step *step, const struct batch *batch, int part, int64_t first, int64_t n)
{
    struct sft_tensor *images = step->tensors[SFT_SLOT_IMAGES];
    int64_t row = sft_shape_count(&images->shape) / images->shape.dim[0], from = row_in_batch(step, part, first);
    if (n == 0) return SFT_OK;
    SFT_TRY(sft_tensor_upload(images, first * row, n * row, batch->images + from * row));
    return sft_tensor_upload(step->tensors[SFT_SLOT_LABELS], first, n, batch->labels + from);
}

static enum sft_status upload_weights(struct sft_step *step, const struct batch *batch, int part)
{
    int64_t n = step->n_id + step->n_ood;
    enum sft_first_loss first = step->params.first;
    int32_t *labels = step->label_buffer;
    for (int64_t i = 0; i < n; i++) labels[i] = batch->labels[row_in_batch(step, part, i)];
    sft_loss_weights(labels, n, step->params.lambda, step->weight_buffer);
    SFT_TRY(sft_tensor_upload(step->tensors[SFT_SLOT_ROW_WEIGHTS], 0, n, step->weight_buffer));
    for (int64_t i = 0; i < n; i++)
        if ((first == SFT_FIRST_ID && labels[i] < 0) || (first == SFT_FIRST_OOD && labels[i] >= 0))
            step->weight_buffer[i] = 0.0f;
    return sft_tensor_upload(step->tensors[SFT_SLOT_FIRST_WEIGHTS], 0, n, step->weight_buffer);
}

static enum sft_status upload_part(struct sft_step *step, const struct batch *batch, int part)
{
    if (has_parts(step)) {
        SFT_TRY(upload_rows(step, batch, part, 0, step->n_id));
        SFT_TRY(upload_rows(step, batch, part, step->n_id, step->n_ood));
    } else {
        SFT_TRY(upload_rows(step, batch, 0, 0, step->n_id + step->n_ood));
    }
    return upload_weights(step, batch, part);
}

/* The means of both kinds over `rows`, by the labels of the last batch. */
static void take_means(const struct sft_step *step, const float *rows, const int32_t *labels,
                       struct sft_step_result *result)
{
    int64_t n = step->params.n_id + step->params.n_ood, n_id = 0;
    result->loss_id = result->loss_ood = 0.0;
    for (int64_t i = 0; i < n; i++) {
        *(labels[i] < 0 ? &result->loss_ood : &result->loss_id) += (double)rows[i];
        n_id += labels[i] >= 0;
    }
    if (n_id > 0) result->loss_id /= (double)n_id;
    if (n_id < n) result->loss_ood /= (double)(n - n_id);
    result->loss = result->loss_id + (double)step->params.lambda * result->loss_ood;
}

static enum sft_status download_rows(struct sft_step *step, int part)
{
    struct sft_tensor *rows = step->tensors[SFT_SLOT_ROWS];
    float *id = step->row_buffer + row_in_batch(step, part, 0), *ood = step->row_buffer + step->params.n_id;
    if (!has_parts(step)) return sft_tensor_download(rows, 0, step->n_id + step->n_ood, id);
    if (step->n_id) SFT_TRY(sft_tensor_download(rows, 0, step->n_id, id));
    if (step->n_ood) SFT_TRY(sft_tensor_download(rows, step->n_id, step->n_ood, ood + part * step->n_ood));
    return SFT_OK;
}

static enum sft_status run_parts(struct sft_step *step, const struct sft_step_rates *rates, const struct batch *batch,
                                 float norms[2])
{
    float sum = 0.0f;
    for (int part = 0; part < step->params.parts; part++) {
        SFT_TRY(upload_rates(step, rates, part));
        SFT_TRY(upload_part(step, batch, part));
        SFT_TRY(sft_program_run(step->programs[SFT_COURSE_MAIN]));
        SFT_TRY(download_rows(step, part));
        SFT_TRY(sft_tensor_download(step->tensors[SFT_SLOT_NORMS], 0, 1, norms));
        sum += norms[0];
    }
    SFT_TRY(sft_program_run(step->programs[SFT_COURSE_REST]));
    SFT_TRY(sft_tensor_download(step->tensors[SFT_SLOT_NORMS], 0, 2, norms));
    norms[0] = sum / (float)step->params.parts;
    return SFT_OK;
}

static enum sft_status run_ranked(struct sft_step *step, const struct sft_step_rates *rates, const struct batch *batch,
                                  float norms[2])
{
    SFT_TRY(sft_select_tensors(step, rates));
    SFT_TRY(upload_rates(step, rates, 0));
    SFT_TRY(upload_part(step, batch, 0));
    SFT_TRY(sft_program_run(step->programs[SFT_COURSE_MAIN]));
    SFT_TRY(download_rows(step, 0));
    SFT_TRY(sft_tensor_download(step->tensors[SFT_SLOT_SECOND_ROWS], 0, step->n_id + step->n_ood, step->second_buffer));
    SFT_TRY(sft_select_rows(step, batch->labels));
    SFT_TRY(sft_program_run(step->programs[SFT_COURSE_REST]));
    return sft_tensor_download(step->tensors[SFT_SLOT_NORMS], 0, 2, norms);
}

static enum sft_status run_whole(struct sft_step *step, const struct sft_step_rates *rates, const struct batch *batch,
                                 float norms[2])
{
    bool between = has_between(step) && rates->step % step->params.constants.look_every != 0;
    SFT_TRY(upload_rates(step, rates, 0));
    SFT_TRY(upload_part(step, batch, 0));
    SFT_TRY(sft_program_run(step->programs[between ? SFT_COURSE_REST : SFT_COURSE_MAIN]));
    SFT_TRY(download_rows(step, 0));
    SFT_TRY(sft_tensor_download(step->tensors[SFT_SLOT_NORMS], 0, 2, norms));
    if (between) norms[0] = 0.0f;
    return SFT_OK;
}

static enum sft_status run(struct sft_step *step, const struct sft_step_rates *rates, const struct batch *batch,
                           struct sft_step_result *result)
{
    float norms[2];
    SFT_TRY(sft_select_before(step, rates, batch->images, batch->labels));
    if (has_parts(step))
        SFT_TRY(run_parts(step, rates, batch, norms));
    else
        SFT_TRY((is_ranked(step) ? run_ranked : run_whole)(step, rates, batch, norms));
    SFT_TRY(sft_select_after(step, rates));
    take_means(step, step->row_buffer, batch->labels, result);
    result->perturb_norm = (double)norms[0];
    result->grad_norm = (double)norms[1];
    return SFT_OK;
}

enum sft_status sft_step_run(struct sft_step *step, const struct sft_step_rates *rates, const float *images,
                             const int32_t *labels, struct sft_step_result *result)
{
    const struct batch batch = {images, labels};
    memset(result, 0, sizeof(*result));
    for (int64_t i = 0; i < step->params.n_id + step->params.n_ood; i++)
        if (labels[i] < -1 || labels[i] >= step->model->classes)
            return sft_fail(SFT_DATA, "label %d is out of range: the model has %d classes", (int)labels[i],
                            step->model->classes);
    SFT_TRY(run(step, rates, &batch, result));
    if (isfinite(result->loss) && isfinite(result->grad_norm)) return SFT_OK;
    return sft_fail(
        SFT_FAILED,
        "step %lld: the loss is %g and the gradient's norm %g: training has diverged; use a smaller --lr or "
        "--rho",
        (long long)rates->step, result->loss, result->grad_norm);
}

enum sft_status sft_step_loss(struct sft_step *step, double *loss)
{
    int64_t n = step->n_id + step->n_ood;
    struct sft_step_result result;
    if (!step->programs[SFT_COURSE_LOSS]) return sft_fail(SFT_USAGE, "the step is not traced");
    SFT_TRY(sft_program_run(step->programs[SFT_COURSE_LOSS]));
    SFT_TRY(sft_tensor_download(step->tensors[SFT_SLOT_SECOND_ROWS], 0, n, step->second_buffer));
    take_means(step, step->second_buffer, step->label_buffer, &result);
    *loss = result.loss;
    return SFT_OK;
}

struct sft_tensor *const *sft_step_states(const struct sft_step *step, int *n_states)
{
    *n_states = step->n_states;
    return step->states;
}

struct sft_tensor *sft_step_gradient(const struct sft_step *step) { return step->tensors[SFT_SLOT_GRADIENT]; }

struct sft_tensor *sft_step_first_gradient(const struct sft_step *step)
{
    return step->tensors[perturbs(step) ? SFT_SLOT_ASCENT : SFT_SLOT_GRADIENT];
}

struct sft_program *sft_step_program(const struct sft_step *step) { return step->programs[SFT_COURSE_MAIN]; }
const struct sft_graph *sft_step_graph(const struct sft_step *step) { return step->graphs[SFT_COURSE_MAIN]; }
