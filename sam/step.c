/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/step.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/alloc.h"
#include "runtime/autodiff.h"
#include "runtime/log.h"

/* A pass draws its dropout masks from streams of its own. */
enum { STREAMS_PER_PASS = 64, MAX_STATES = 2 };

struct sft_step {
    struct sft_model *model;
    struct sft_step_params params;
    enum sft_perturbed perturbed;
    struct sft_graph *graph;
    struct sft_program *program;
    struct sft_tensor *images, *labels, *row_weights, *first_weights, *hyper, *key; /* uploaded */
    struct sft_tensor *ascent, *gradient, *states[MAX_STATES];                      /* flat, like the weights */
    struct sft_tensor *rows, *norms;                                                /* downloaded */
    float *row_buffer, *weight_buffer;
    int n_states;
};

/* ---- which parameters ---- */

static bool is_final_norm(const struct sft_parameters *parameters, int i)
{
    int last = -1;
    for (int j = 0; j < parameters->n; j++)
        if (parameters->items[j].kind == SFT_NORM_WEIGHT) last = j;
    return last >= 0 && (i == last || i == last + 1);
}

static bool in_scope(const struct sft_step *step, int i)
{
    const struct sft_parameters *parameters = &step->model->parameters;
    enum sft_parameter_kind kind = parameters->items[i].kind;
    if (kind == SFT_BUFFER) return false;
    if (step->perturbed == SFT_PERTURB_ALL) return true;
    switch (step->params.scope) {
    case SFT_SCOPE_ALL:
        return kind == SFT_NORM_WEIGHT || kind == SFT_NORM_BIAS;
    case SFT_SCOPE_NO_FINAL:
        return (kind == SFT_NORM_WEIGHT || kind == SFT_NORM_BIAS) && !is_final_norm(parameters, i);
    case SFT_SCOPE_WEIGHT_ONLY:
        return kind == SFT_NORM_WEIGHT;
    case SFT_SCOPE_BIAS_ONLY:
        return kind == SFT_NORM_BIAS;
    }
    return false;
}

/* The last block: what shares its first two name parts with the last convolution or linear layer before the head. */
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

static bool is_trained(const struct sft_step *step, int i)
{
    const struct sft_parameters *parameters = &step->model->parameters;
    int kind = 1 << parameters->items[i].kind;
    if (!(kind & SFT_KINDS_TRAINED)) return false;
    switch (step->params.trained) {
    case SFT_TRAIN_ALL:
        return true;
    case SFT_TRAIN_NORM:
        return kind & SFT_KINDS_NORM;
    case SFT_TRAIN_HEAD:
        return kind & SFT_KINDS_HEAD;
    case SFT_TRAIN_LAST_BLOCK:
        return in_last_block(parameters, i);
    }
    return false;
}

/* ---- building the graph ---- */

struct pass {
    struct sft_forward_out forward;
    struct sft_loss_out loss;
};

static enum sft_status add_pass(struct sft_step *step, const struct sft_forward *forward, sft_value images,
                                sft_value labels, sft_value weights, struct pass *pass)
{
    SFT_TRY(sft_model_forward(step->model, step->graph, forward, images, &pass->forward));
    pass->loss = sft_loss(step->graph, pass->forward.logits, labels, weights, step->params.loss);
    return sft_graph_status(step->graph);
}

/* Gradients of the parameters that `chosen` picks, written straight into the flat tensor `into`. */
static enum sft_status add_gradients(struct sft_step *step, const struct pass *pass,
                                     bool (*chosen)(const struct sft_step *, int), sft_value into)
{
    const struct sft_parameters *parameters = &step->model->parameters;
    sft_value wanted[SFT_MAX_PARAMETERS] = {0}, grads[SFT_MAX_PARAMETERS];
    int numbers[SFT_MAX_PARAMETERS], n = 0;
    for (int i = 0; i < parameters->n; i++)
        if (chosen(step, i)) {
            wanted[n] = pass->forward.params[i];
            numbers[n++] = i;
        }
    SFT_TRY(sft_autodiff(step->graph, pass->loss.total, wanted, n, grads));
    for (int i = 0; i < n; i++)
        if (grads[i] != SFT_NONE) sft_graph_place(step->graph, grads[i], into, parameters->items[numbers[i]].offset);
    return sft_graph_status(step->graph);
}

static sft_value part(struct sft_graph *graph, sft_value flat, int64_t first, int64_t last)
{
    return sft_view(graph, flat, first, SFT_SHAPE(last - first));
}

/* Writes w + rho*g/|g| for the perturbed set into `forward`, so that the descent pass reads it. */
static void add_perturbation(struct sft_step *step, sft_value ascent, sft_value norms, sft_value hyper,
                             struct sft_forward *forward)
{
    struct sft_graph *graph = step->graph;
    int64_t size =
        step->perturbed == SFT_PERTURB_ALL ? step->model->parameters.weights_size : step->model->parameters.norm_size;
    sft_value g = part(graph, ascent, 0, size), norm = sft_norm2(graph, g, 1e-16f);
    sft_value moved = sft_perturb(graph, part(graph, forward->weights, 0, size), g, norm, hyper);
    sft_graph_place(graph, sft_scale(graph, norm, 1.0f), norms, 0);
    *(step->perturbed == SFT_PERTURB_ALL ? &forward->weights : &forward->norm) = moved;
}

static void update_range(struct sft_step *step, const sft_value flat[3], sft_value state2, sft_value hyper,
                         int64_t first, int64_t last, bool decay)
{
    struct sft_graph *graph = step->graph;
    struct sft_update_params params = {step->params.nesterov, step->params.optimizer->decoupled, decay};
    sft_value w = part(graph, flat[0], first, last), g = part(graph, flat[1], first, last);
    sft_value state = part(graph, flat[2], first, last);
    if (step->params.optimizer->descent == SFT_DESCENT_ADAM)
        sft_adam(graph, w, state, part(graph, state2, first, last), g, hyper, params);
    else
        sft_sgd(graph, w, state, g, hyper, params);
}

/* Runs of parameters that lie side by side and have the same weight decay are updated together. */
static void add_updates(struct sft_step *step, sft_value weights, sft_value gradient, sft_value hyper)
{
    const struct sft_parameters *parameters = &step->model->parameters;
    sft_value state = sft_graph_tensor(step->graph, step->states[0]);
    sft_value state2 = step->n_states > 1 ? sft_graph_tensor(step->graph, step->states[1]) : SFT_NONE;
    const sft_value flat[3] = {weights, gradient, state};
    int64_t norm_end = parameters->norm_size, end = parameters->weights_size;
    if (step->params.trained == SFT_TRAIN_ALL) {
        if (step->params.no_norm_decay && norm_end > 0) update_range(step, flat, state2, hyper, 0, norm_end, false);
        norm_end = step->params.no_norm_decay ? norm_end : 0;
        update_range(step, flat, state2, hyper, norm_end, end, true);
        return;
    }
    for (int i = 0; i < parameters->n; i++) {
        const struct sft_parameter *p = &parameters->items[i];
        bool norm = 1 << p->kind & SFT_KINDS_NORM;
        if (is_trained(step, i))
            update_range(step, flat, state2, hyper, p->offset, p->offset + p->count,
                         !(norm && step->params.no_norm_decay));
    }
}

static enum sft_status build(struct sft_step *step)
{
    struct sft_graph *graph = step->graph;
    struct sft_forward forward = sft_forward_on(graph, step->model);
    sft_value images = sft_graph_tensor(graph, step->images), labels = sft_graph_tensor(graph, step->labels);
    sft_value row_weights = sft_graph_tensor(graph, step->row_weights), hyper = sft_graph_tensor(graph, step->hyper);
    sft_value rows = sft_graph_tensor(graph, step->rows), norms = sft_graph_tensor(graph, step->norms);
    sft_value gradient = sft_graph_tensor(graph, step->gradient), weights = forward.weights;
    struct pass pass;

    forward.bn = step->params.frozen_bn ? SFT_BN_RUNNING : SFT_BN_UPDATE;
    forward.dropout_key = step->params.no_dropout ? SFT_NONE : sft_graph_tensor(graph, step->key);
    if (step->perturbed != SFT_PERTURB_NOTHING) {
        sft_value ascent = sft_graph_tensor(graph, step->ascent);
        SFT_TRY(add_pass(step, &forward, images, labels, sft_graph_tensor(graph, step->first_weights), &pass));
        sft_graph_place(graph, sft_scale(graph, pass.loss.rows, 1.0f), rows, 0);
        SFT_TRY(add_gradients(step, &pass, in_scope, ascent));
        add_perturbation(step, ascent, norms, hyper, &forward);
        if (!step->params.second_updates_bn && !step->params.frozen_bn) forward.bn = SFT_BN_BATCH;
        if (!step->params.same_mask) forward.dropout_stream += STREAMS_PER_PASS;
    }
    SFT_TRY(add_pass(step, &forward, images, labels, row_weights, &pass));
    if (step->perturbed == SFT_PERTURB_NOTHING) sft_graph_place(graph, sft_scale(graph, pass.loss.rows, 1.0f), rows, 0);
    SFT_TRY(add_gradients(step, &pass, is_trained, gradient));
    sft_graph_place(graph, sft_norm2(graph, gradient, 0.0f), norms, 1);
    add_updates(step, weights, gradient, hyper);
    return sft_graph_status(graph);
}

/* ---- life ---- */

static enum sft_status create_tensors(struct sft_step *step)
{
    struct sft_device *device = step->model->parameters.weights->device;
    int64_t n = step->params.n_id + step->params.n_ood, side = step->model->image_size;
    struct sft_shape flat = SFT_SHAPE(step->model->parameters.weights_size);
    const struct {
        struct sft_tensor **tensor;
        const char *name;
        enum sft_dtype dtype;
        struct sft_shape shape;
        bool wanted;
    } tensors[] = {
        {&step->images, "images", SFT_F32, SFT_SHAPE(n, side, side, 3), true},
        {&step->labels, "labels", SFT_I32, SFT_SHAPE(n), true},
        {&step->row_weights, "row weights", SFT_F32, SFT_SHAPE(n), true},
        {&step->first_weights, "row weights of the ascent", SFT_F32, SFT_SHAPE(n), true},
        {&step->hyper, "hyper-parameters", SFT_F32, SFT_SHAPE(SFT_HYPER_COUNT), true},
        {&step->key, "dropout key", SFT_I32, SFT_SHAPE(4), true},
        {&step->rows, "row losses", SFT_F32, SFT_SHAPE(n), true},
        {&step->norms, "norms", SFT_F32, SFT_SHAPE(2), true},
        {&step->gradient, "gradient", SFT_F32, flat, true},
        {&step->ascent, "ascent gradient", SFT_F32, flat, step->perturbed != SFT_PERTURB_NOTHING},
        {&step->states[0], "optimiser state", SFT_F32, flat, true},
        {&step->states[1], "second optimiser state", SFT_F32, flat, step->n_states > 1},
    };
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        if (tensors[i].wanted)
            SFT_TRY(sft_tensor_create(device, tensors[i].name, tensors[i].dtype, tensors[i].shape, tensors[i].tensor));
    step->row_buffer = sft_calloc((size_t)n, sizeof(float));
    step->weight_buffer = sft_calloc((size_t)n, sizeof(float));
    return step->row_buffer && step->weight_buffer ? SFT_OK : SFT_MEMORY;
}

/* What sam-norm perturbs in a model without norm layers is for the user to say. */
static enum sft_status resolve_empty_set(struct sft_step *step)
{
    int n = 0;
    if (step->perturbed != SFT_PERTURB_NORM) return SFT_OK;
    for (int i = 0; i < step->model->parameters.n; i++) n += in_scope(step, i);
    if (n > 0) return SFT_OK;
    if (step->params.empty == SFT_EMPTY_ERROR)
        return sft_fail(SFT_USAGE,
                        "%s has no normalisation layer that sam-norm could perturb: choose --sam-empty sgd (no "
                        "perturbation) or --sam-empty all (plain SAM), or a variant with normalisation",
                        step->model->variant->name);
    step->perturbed = step->params.empty == SFT_EMPTY_ALL ? SFT_PERTURB_ALL : SFT_PERTURB_NOTHING;
    sft_log(SFT_LOG_WARNING, "%s has no normalisation layer: sam-norm becomes %s", step->model->variant->name,
            step->perturbed == SFT_PERTURB_ALL ? "SAM on all parameters" : "plain SGD");
    return SFT_OK;
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
    step->perturbed = params->optimizer->perturbed;
    step->n_states = params->optimizer->descent == SFT_DESCENT_ADAM ? 2 : 1;
    SFT_TRY_OUT(resolve_empty_set(step));
    SFT_TRY_OUT(create_tensors(step));
    SFT_TRY_OUT(sft_graph_create(&step->graph));
    SFT_TRY_OUT(build(step));
    SFT_TRY_OUT(sft_program_create(model->parameters.weights->device, step->graph, &step->program));
    *out = step;
    return SFT_OK;
out:
    sft_step_destroy(&step);
    return status;
}

static void release(struct sft_step *step)
{
    struct sft_tensor **tensors[] = {&step->images,    &step->labels,    &step->row_weights, &step->first_weights,
                                     &step->hyper,     &step->key,       &step->ascent,      &step->gradient,
                                     &step->states[0], &step->states[1], &step->rows,        &step->norms};
    sft_program_destroy(&step->program);
    sft_graph_destroy(&step->graph);
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++) sft_tensor_destroy(tensors[i]);
    free(step->row_buffer);
    free(step->weight_buffer);
    free(step);
}

void sft_step_destroy(struct sft_step **step)
{
    if (*step) release(*step);
    *step = NULL;
}

/* ---- running ---- */

static enum sft_status upload_rates(struct sft_step *step, const struct sft_step_rates *rates)
{
    float hyper[SFT_HYPER_COUNT] = {0};
    int32_t key[4] = {(int32_t)(uint32_t)rates->seed, (int32_t)(uint32_t)(rates->seed >> 32), (int32_t)rates->step, 0};
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
    hyper[SFT_HYPER_FIRST] = rates->step == 0 ? 1.0f : 0.0f;
    SFT_TRY(sft_tensor_upload(step->hyper, 0, SFT_HYPER_COUNT, hyper));
    return sft_tensor_upload(step->key, 0, 4, key);
}

static enum sft_status upload_batch(struct sft_step *step, const float *images, const int32_t *labels)
{
    int64_t n = sft_shape_count(&step->labels->shape);
    enum sft_first_loss first = step->params.first;
    for (int64_t i = 0; i < n; i++)
        if (labels[i] < -1 || labels[i] >= step->model->classes)
            return sft_fail(SFT_DATA, "label %d is out of range: the model has %d classes", (int)labels[i],
                            step->model->classes);
    SFT_TRY(sft_tensor_upload(step->images, 0, sft_shape_count(&step->images->shape), images));
    SFT_TRY(sft_tensor_upload(step->labels, 0, n, labels));
    sft_loss_weights(labels, n, step->params.lambda, step->weight_buffer);
    SFT_TRY(sft_tensor_upload(step->row_weights, 0, n, step->weight_buffer));
    for (int64_t i = 0; i < n; i++)
        if ((first == SFT_FIRST_ID && labels[i] < 0) || (first == SFT_FIRST_OOD && labels[i] >= 0))
            step->weight_buffer[i] = 0.0f;
    return sft_tensor_upload(step->first_weights, 0, n, step->weight_buffer);
}

static enum sft_status read_result(struct sft_step *step, const int32_t *labels, struct sft_step_result *result)
{
    int64_t n = sft_shape_count(&step->labels->shape), n_id = 0;
    float norms[2];
    memset(result, 0, sizeof(*result));
    SFT_TRY(sft_tensor_download(step->rows, 0, n, step->row_buffer));
    SFT_TRY(sft_tensor_download(step->norms, 0, 2, norms));
    for (int64_t i = 0; i < n; i++) {
        *(labels[i] < 0 ? &result->loss_ood : &result->loss_id) += (double)step->row_buffer[i];
        n_id += labels[i] >= 0;
    }
    if (n_id > 0) result->loss_id /= (double)n_id;
    if (n_id < n) result->loss_ood /= (double)(n - n_id);
    result->loss = result->loss_id + (double)step->params.lambda * result->loss_ood;
    result->perturb_norm = (double)norms[0];
    result->grad_norm = (double)norms[1];
    return SFT_OK;
}

enum sft_status sft_step_run(struct sft_step *step, const struct sft_step_rates *rates, const float *images,
                             const int32_t *labels, struct sft_step_result *result)
{
    SFT_TRY(upload_rates(step, rates));
    SFT_TRY(upload_batch(step, images, labels));
    SFT_TRY(sft_program_run(step->program));
    SFT_TRY(read_result(step, labels, result));
    if (isfinite(result->loss) && isfinite(result->grad_norm)) return SFT_OK;
    return sft_fail(
        SFT_FAILED,
        "step %lld: the loss is %g and the gradient's norm %g: training has diverged; use a smaller --lr or "
        "--rho",
        (long long)rates->step, result->loss, result->grad_norm);
}

struct sft_tensor *const *sft_step_states(const struct sft_step *step, int *n_states)
{
    *n_states = step->n_states;
    return step->states;
}

struct sft_tensor *sft_step_gradient(const struct sft_step *step) { return step->gradient; }
struct sft_program *sft_step_program(const struct sft_step *step) { return step->program; }
const struct sft_graph *sft_step_graph(const struct sft_step *step) { return step->graph; }
