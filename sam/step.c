/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "sam/division.h"
#include "sam/programs.h"
#include "sam/rows.h"
#include "sam/select.h"
#include "sam/step_state.h"
#include "sam/tensors.h"

/* ---- life ---- */

static enum sft_status resolve_parts(struct sft_step *step)
{
    const struct sft_step_params *params = &step->params;
    bool carries = sft_step_is_ranked(step) || sft_step_has_between(step) ||
                   step->how.vector == SFT_VECTOR_NEW ||
                   (step->how.mixture == SFT_MIX_WSAM && !params->constants.wsam_coupled);
    step->n_id = params->n_id;
    step->n_ood = params->n_ood;
    if (!sft_step_has_parts(step)) return SFT_OK;
    if (!sft_step_has_ascent(step) || carries)
        return sft_fail(SFT_USAGE,
                        "%s does not work in parts: --sam-m is for optimisers that perturb and whose "
                        "update is linear in each part's gradient",
                        step->how.name);
    if (params->traced)
        return sft_fail(SFT_USAGE, "a step in parts cannot be traced: leave out --sam-m or --trace");
    if (params->n_id % params->parts || params->n_ood % params->parts)
        return sft_fail(
            SFT_USAGE,
            "%d ID images and %d outliers do not divide into %d equal parts: choose --batch so that they "
            "do, or another --sam-m",
            params->n_id, params->n_ood, params->parts);
    step->n_id /= params->parts;
    step->n_ood /= params->parts;
    return SFT_OK;
}

/* Outliers and the energy term are about one softmax over all classes: uniform groups would be what MOS takes
 * for in-distribution, as the least probability of "others" is then small. */
static enum sft_status check_loss(const struct sft_step *step)
{
    const struct sft_step_params *params = &step->params;
    if (!step->model->groups || (params->n_ood == 0 && params->loss.distance != SFT_DISTANCE_ENERGY))
        return SFT_OK;
    return sft_fail(
        SFT_USAGE,
        "the model's classifier is a grouped one (MOS): it learns from ID images alone, with --pseudo-mode "
        "none, without --pseudo-ood and --ood-distance energy");
}

/* The optimiser with what the parameters override. */
static enum sft_status resolve(struct sft_step *step)
{
    const struct sft_step_params *params = &step->params;
    step->how = *params->optimizer;
    if (!sft_step_has_ascent(step) &&
        (params->perturbed != SFT_PERTURB_OWN || params->adaptive != SFT_ADAPTIVE_OWN))
        return sft_fail(SFT_USAGE, "%s perturbs nothing: --perturb and --adaptive do not go with it",
                        step->how.name);
    if (params->perturbed != SFT_PERTURB_OWN) step->how.perturbed = params->perturbed;
    if (params->adaptive != SFT_ADAPTIVE_OWN) step->how.adaptive = params->adaptive;
    if ((sft_step_has_between(step) && params->constants.look_every < 1) ||
        (sft_step_chooses(step) && params->constants.ssam_every < 1))
        return sft_fail(SFT_USAGE, "%s: a period of no steps; start from sft_constants_default()",
                        step->how.name);
    SFT_TRY(sft_step_resolve_sets(step));
    if (!sft_step_has_ascent(step)) {
        step->how.selection = SFT_SELECT_ALL;
        step->how.mixture = SFT_MIX_Q;
        step->how.vector = SFT_VECTOR_GRADIENT;
    }
    return resolve_parts(step);
}

enum sft_status sft_step_plan(struct sft_model *model, const struct sft_step_params *params,
                              struct sft_step **out)
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
    SFT_TRY_OUT(check_loss(step));
    SFT_TRY_OUT(resolve(step));
    SFT_TRY_OUT(sft_step_divide(step));
    *out = step;
    return SFT_OK;
out:
    sft_step_destroy(&step);
    return status;
}

enum sft_status sft_step_start(struct sft_step *step)
{
    SFT_TRY(sft_step_allocate_tensors(step));
    return sft_step_make_programs(step);
}

enum sft_status sft_step_create(struct sft_model *model, const struct sft_step_params *params,
                                struct sft_step **step)
{
    enum sft_status status;
    SFT_TRY(sft_step_plan(model, params, step));
    status = sft_step_start(*step);
    if (status != SFT_OK) sft_step_destroy(step);
    return status;
}

static void release(struct sft_step *step)
{
    sft_step_free_programs(step);
    sft_step_free_tensors(step);
    free(step);
}

void sft_step_destroy(struct sft_step **step)
{
    if (*step) release(*step);
    *step = NULL;
}

const struct sft_step_plan *sft_step_get_plan(const struct sft_step *step) { return &step->plan; }

/* ---- running ---- */

/* The step or the part of it that random numbers are drawn for. */
static enum sft_status upload_key(struct sft_step *step, const struct sft_step_rates *rates, int part,
                                  int slice)
{
    int64_t draw = sft_step_has_parts(step) ? rates->step * step->params.parts + part : rates->step;
    const int32_t key[4] = {(int32_t)(uint32_t)rates->seed, (int32_t)(uint32_t)(rates->seed >> 32),
                            (int32_t)draw, slice};
    return sft_tensor_upload(step->tensors[SFT_SLOT_KEY], 0, 4, key);
}

static enum sft_status upload_rates(struct sft_step *step, const struct sft_step_rates *rates, int part)
{
    float hyper[SFT_HYPER_COUNT] = {0};
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
    return upload_key(step, rates, part, 0);
}

static enum sft_status run_course(struct sft_step *step, enum sft_course course)
{
    return sft_program_run(step->programs[course]);
}

static enum sft_status download_norms(const struct sft_step *step, int n, float *norms)
{
    return sft_tensor_download(step->tensors[SFT_SLOT_NORMS], 0, n, norms);
}

/* A step in between two of LookSAM. */
static bool is_between(const struct sft_step *step, const struct sft_step_rates *rates)
{
    return sft_step_has_between(step) && rates->step % step->params.constants.look_every != 0;
}

static enum sft_status run_parts(struct sft_step *step, const struct sft_step_rates *rates,
                                 const struct sft_rows *batch, float norms[2])
{
    float sum = 0.0f;
    for (int part = 0; part < step->params.parts; part++) {
        SFT_TRY(upload_rates(step, rates, part));
        sft_rows_prepare(step, batch, part);
        SFT_TRY(sft_rows_upload(step, part, 0));
        SFT_TRY(run_course(step, SFT_COURSE_MAIN));
        SFT_TRY(sft_rows_download(step, SFT_SLOT_ROWS, part, 0, step->row_buffer));
        SFT_TRY(download_norms(step, 1, norms));
        sum += norms[0];
    }
    SFT_TRY(run_course(step, SFT_COURSE_REST));
    SFT_TRY(download_norms(step, 2, norms));
    norms[0] = sum / (float)step->params.parts;
    return SFT_OK;
}

static enum sft_status run_ranked(struct sft_step *step, const struct sft_step_rates *rates,
                                  const struct sft_rows *batch, float norms[2])
{
    SFT_TRY(sft_select_tensors(step, rates));
    SFT_TRY(upload_rates(step, rates, 0));
    sft_rows_prepare(step, batch, 0);
    SFT_TRY(sft_rows_upload(step, 0, 0));
    SFT_TRY(run_course(step, SFT_COURSE_MAIN));
    SFT_TRY(sft_rows_download(step, SFT_SLOT_ROWS, 0, 0, step->row_buffer));
    SFT_TRY(sft_rows_download(step, SFT_SLOT_SECOND_ROWS, 0, 0, step->second_buffer));
    SFT_TRY(sft_select_rows(step, batch->labels));
    SFT_TRY(sft_rows_upload_weights(step, 0));
    SFT_TRY(run_course(step, SFT_COURSE_REST));
    return download_norms(step, 2, norms);
}

static enum sft_status run_whole(struct sft_step *step, const struct sft_step_rates *rates,
                                 const struct sft_rows *batch, float norms[2])
{
    bool between = is_between(step, rates);
    SFT_TRY(upload_rates(step, rates, 0));
    sft_rows_prepare(step, batch, 0);
    SFT_TRY(sft_rows_upload(step, 0, 0));
    SFT_TRY(run_course(step, between ? SFT_COURSE_REST : SFT_COURSE_MAIN));
    SFT_TRY(sft_rows_download(step, SFT_SLOT_ROWS, 0, 0, step->row_buffer));
    SFT_TRY(download_norms(step, 2, norms));
    if (between) norms[0] = 0.0f;
    return SFT_OK;
}

/* ---- in slices ---- */

/* Runs a program on every slice of a part; `slot`, unless it is SFT_SLOTS, holds losses for `losses`. */
static enum sft_status run_slices(struct sft_step *step, const struct sft_step_rates *rates, int part,
                                  enum sft_course course, enum sft_slot slot, float *losses)
{
    for (int slice = 0; slice < step->slices; slice++) {
        SFT_TRY(upload_key(step, rates, part, slice));
        SFT_TRY(sft_rows_upload(step, part, slice));
        SFT_TRY(run_course(step, course));
        if (slot != SFT_SLOTS) SFT_TRY(sft_rows_download(step, slot, part, slice, losses));
    }
    return upload_key(step, rates, part, 0);
}

/* From the perturbation to the gradient at the perturbed weights. */
static enum sft_status run_perturbed(struct sft_step *step, const struct sft_step_rates *rates,
                                     const struct sft_rows *batch, int part)
{
    SFT_TRY(run_course(step, SFT_COURSE_PERTURB));
    if (sft_step_is_ranked(step)) {
        SFT_TRY(run_slices(step, rates, part, SFT_COURSE_RANK, SFT_SLOT_SECOND_ROWS, step->second_buffer));
        SFT_TRY(sft_select_rows(step, batch->labels));
    }
    return run_slices(step, rates, part, SFT_COURSE_SECOND, SFT_SLOTS, NULL);
}

static enum sft_status run_sliced_part(struct sft_step *step, const struct sft_step_rates *rates,
                                       const struct sft_rows *batch, int part)
{
    bool between = is_between(step, rates);
    SFT_TRY(upload_rates(step, rates, part));
    sft_rows_prepare(step, batch, part);
    SFT_TRY(run_course(step, SFT_COURSE_CLEAR));
    SFT_TRY(run_slices(step, rates, part, between ? SFT_COURSE_BETWEEN : SFT_COURSE_FIRST, SFT_SLOT_ROWS,
                       step->row_buffer));
    if (sft_step_has_ascent(step) && !between) SFT_TRY(run_perturbed(step, rates, batch, part));
    return sft_step_has_parts(step) ? run_course(step, SFT_COURSE_COMBINE) : SFT_OK;
}

static enum sft_status run_sliced(struct sft_step *step, const struct sft_step_rates *rates,
                                  const struct sft_rows *batch, float norms[2])
{
    int parts = sft_step_has_parts(step) ? step->params.parts : 1;
    bool between = is_between(step, rates);
    float sum = 0.0f;
    if (sft_step_is_ranked(step)) SFT_TRY(sft_select_tensors(step, rates));
    for (int part = 0; part < parts; part++) {
        SFT_TRY(run_sliced_part(step, rates, batch, part));
        SFT_TRY(download_norms(step, 1, norms));
        sum += norms[0];
    }
    SFT_TRY(run_course(step, between ? SFT_COURSE_FINISH_BETWEEN : SFT_COURSE_FINISH));
    SFT_TRY(download_norms(step, 2, norms));
    norms[0] = between ? 0.0f : sum / (float)parts;
    return SFT_OK;
}

/* ---- a step ---- */

typedef enum sft_status (*runner)(struct sft_step *step, const struct sft_step_rates *rates,
                                  const struct sft_rows *batch, float norms[2]);

static runner runner_of(const struct sft_step *step)
{
    if (sft_step_is_sliced(step)) return run_sliced;
    if (sft_step_has_parts(step)) return run_parts;
    return sft_step_is_ranked(step) ? run_ranked : run_whole;
}

static enum sft_status run(struct sft_step *step, const struct sft_step_rates *rates,
                           const struct sft_rows *batch, struct sft_step_result *result)
{
    float norms[2];
    SFT_TRY(sft_select_before(step, rates, batch->images, batch->labels));
    step->last = *rates;
    SFT_TRY(runner_of(step)(step, rates, batch, norms));
    SFT_TRY(sft_select_after(step, rates));
    sft_rows_means(step, step->row_buffer, batch->labels, result);
    result->perturb_norm = (double)norms[0];
    result->grad_norm = (double)norms[1];
    return SFT_OK;
}

enum sft_status sft_step_run(struct sft_step *step, const struct sft_step_rates *rates, const float *images,
                             const int32_t *labels, struct sft_step_result *result)
{
    const struct sft_rows batch = {images, labels};
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
    struct sft_step_result result;
    if (!step->programs[SFT_COURSE_LOSS]) return sft_fail(SFT_USAGE, "the step is not traced");
    if (sft_step_is_sliced(step)) {
        SFT_TRY(run_slices(step, &step->last, 0, SFT_COURSE_LOSS, SFT_SLOT_SECOND_ROWS, step->second_buffer));
    } else {
        SFT_TRY(run_course(step, SFT_COURSE_LOSS));
        SFT_TRY(sft_rows_download(step, SFT_SLOT_SECOND_ROWS, 0, 0, step->second_buffer));
    }
    sft_rows_means(step, step->second_buffer, step->label_buffer, &result);
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
    return step->tensors[sft_step_has_ascent(step) ? SFT_SLOT_ASCENT : SFT_SLOT_GRADIENT];
}

const struct sft_graph *sft_step_graph(const struct sft_step *step, int i)
{
    const struct sft_graph *planned;
    for (int course = 0; course < SFT_COURSES; course++) {
        planned =
            step->programs[course] ? sft_program_graph(step->programs[course]) : step->planned[course].graph;
        if (planned && i-- == 0) return planned;
    }
    return NULL;
}

void sft_step_print(const struct sft_step *step, FILE *file)
{
    static const char *const names[SFT_COURSES] = {
        [SFT_COURSE_MAIN] = "step",
        [SFT_COURSE_REST] = "rest of the step",
        [SFT_COURSE_SCORE] = "choice",
        [SFT_COURSE_LOSS] = "loss",
        [SFT_COURSE_CLEAR] = "clear",
        [SFT_COURSE_FIRST] = "first pass of a micro-batch",
        [SFT_COURSE_BETWEEN] = "pass between",
        [SFT_COURSE_PERTURB] = "perturbation",
        [SFT_COURSE_RANK] = "ranking",
        [SFT_COURSE_SECOND] = "second pass of a micro-batch",
        [SFT_COURSE_COMBINE] = "mean",
        [SFT_COURSE_FINISH] = "update",
        [SFT_COURSE_FINISH_BETWEEN] = "update between",
    };
    for (int i = 0; i < SFT_COURSES; i++) {
        if (!step->planned[i].graph) continue;
        fprintf(file, "%s:\n", names[i]);
        sft_plan_print(step->planned[i].graph, step->planned[i].plan, file);
    }
}
