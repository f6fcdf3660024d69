/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/division.h"

#include "runtime/base/divide.h"
#include "runtime/cost.h"
#include "runtime/device.h"
#include "sam/programs.h"
#include "sam/tensors.h"

/* A step is by its rows or it is not: batch norm makes statistics of all rows together. */
static bool can_be_sliced(const struct sft_step *step)
{
    return step->model->parameters.buffers_size == 0 || step->params.frozen_bn;
}

static int rows_of_part(const struct sft_step *step) { return step->n_id + step->n_ood; }

/* How often a program runs in a step. */
static double runs_of(const struct sft_step *step, enum sft_course course)
{
    double parts = step->params.parts > 1 ? step->params.parts : 1, slices = parts * step->slices;
    const double runs[SFT_COURSES] = {
        [SFT_COURSE_MAIN] = parts,    [SFT_COURSE_REST] = sft_step_has_between(step) ? 0 : 1,
        [SFT_COURSE_LOSS] = slices,   [SFT_COURSE_CLEAR] = parts,
        [SFT_COURSE_FIRST] = slices,  [SFT_COURSE_PERTURB] = parts,
        [SFT_COURSE_RANK] = slices,   [SFT_COURSE_SECOND] = slices,
        [SFT_COURSE_COMBINE] = parts, [SFT_COURSE_FINISH] = 1,
    };
    return runs[course];
}

/* ---- one division ---- */

/* The graphs of a step in so many slices. */
static enum sft_status build(struct sft_step *step, int slices)
{
    sft_step_free_programs(step);
    sft_step_free_tensors(step);
    step->rows = (int)sft_divide_up(rows_of_part(step), slices);
    step->slices = (int)sft_divide_up(rows_of_part(step), step->rows);
    SFT_TRY(sft_step_describe_tensors(step));
    return sft_step_build_graphs(step);
}

/* Seconds of the step before anything is computed again: slices cost time. */
static enum sft_status least_seconds(const struct sft_step *step, double *seconds)
{
    *seconds = 0;
    for (int i = 0; i < SFT_COURSES; i++) {
        double once;
        if (!step->graphs[i]) continue;
        SFT_TRY(sft_program_estimate(step->model->parameters.weights->device, step->graphs[i], &once));
        *seconds += runs_of(step, (enum sft_course)i) * once;
    }
    return SFT_OK;
}

static void count_bytes(struct sft_step *step)
{
    const struct sft_parameters *parameters = &step->model->parameters;
    step->plan = (struct sft_step_plan){
        .slices = step->slices,
        .rows = step->rows,
        .model = (uint64_t)(parameters->weights_size + parameters->buffers_size) * sizeof(float),
    };
    for (int i = 0; i < SFT_SLOTS; i++)
        if (step->tensors[i])
            *(i < SFT_SLOT_GRADIENT ? &step->plan.batch : &step->plan.state) += step->tensors[i]->bytes;
}

static void count_work(struct sft_step *step, enum sft_course course)
{
    const struct sft_graph *graph = step->planned[course].graph;
    double runs = runs_of(step, course);
    for (size_t k = 0; k < graph->n_nodes; k++) {
        struct sft_cost cost = sft_node_cost(graph, &graph->nodes[k]);
        step->plan.seconds += runs * sft_node_seconds(graph, &graph->nodes[k]);
        step->plan.flops += runs * cost.flops;
        step->plan.traffic += runs * cost.bytes;
        if (!graph->nodes[k].again || graph->nodes[k].op->view) continue;
        step->plan.flops_again += runs * cost.flops;
        step->plan.again += (int)runs;
    }
}

static enum sft_status plan_course(struct sft_step *step, enum sft_course course, size_t most)
{
    const struct sft_device *device = step->model->parameters.weights->device;
    struct sft_planned *planned = &step->planned[course];
    sft_planned_free(planned);
    SFT_TRY(sft_program_plan(device, step->graphs[course], most, planned));
    if (planned->plan->arena > step->plan.arena) step->plan.arena = planned->plan->arena;
    if (planned->plan->least > step->plan.arena_least) step->plan.arena_least = planned->plan->least;
    count_work(step, course);
    return SFT_OK;
}

static uint64_t bytes_beside_arena(const struct sft_step *step)
{
    return step->plan.state + step->plan.batch;
}

static uint64_t bytes_of(const struct sft_step_plan *plan) { return plan->state + plan->batch + plan->arena; }

/* What the arena may take of `memory`: 0 for no limit, else at least 1. */
static size_t arena_room(const struct sft_step *step, uint64_t memory)
{
    uint64_t largest = sft_device_largest(step->model->parameters.weights->device),
             beside = bytes_beside_arena(step);
    uint64_t room = memory > beside ? memory - beside : 1;
    if (memory == 0) room = 0;
    if (largest && (room == 0 || room > largest)) room = largest;
    return (size_t)room;
}

/* Plans the programs that are built. */
static enum sft_status plan(struct sft_step *step, uint64_t memory)
{
    count_bytes(step);
    for (int i = 0; i < SFT_COURSES; i++)
        if (step->graphs[i]) SFT_TRY(plan_course(step, (enum sft_course)i, arena_room(step, memory)));
    return SFT_OK;
}

static bool fits(const struct sft_step *step, uint64_t memory)
{
    uint64_t largest = sft_device_largest(step->model->parameters.weights->device);
    return (memory == 0 || bytes_of(&step->plan) <= memory) && (largest == 0 || step->plan.arena <= largest);
}

/* ---- the choice ---- */

struct choice {
    bool found;
    struct sft_step_plan best;  /* the fastest that fits */
    struct sft_step_plan least; /* the smallest of all that were tried; 0 slices: none was */
};

/* SFT_OK and *done set where more slices cannot be faster. */
static enum sft_status try_slices(struct sft_step *step, uint64_t memory, int slices, struct choice *choice,
                                  bool *done)
{
    double least = 0;
    SFT_TRY(build(step, slices));
    if (choice->found) SFT_TRY(least_seconds(step, &least));
    *done = choice->found && least >= choice->best.seconds;
    if (*done) return SFT_OK;
    SFT_TRY(plan(step, memory));
    if (choice->least.slices == 0 || bytes_of(&step->plan) < bytes_of(&choice->least))
        choice->least = step->plan;
    if (!fits(step, memory) || (choice->found && step->plan.seconds >= choice->best.seconds)) return SFT_OK;
    choice->found = true;
    choice->best = step->plan;
    return SFT_OK;
}

/* The numbers of slices that are tried: 1, 2, 3, 4, 6, 8, 12 ... and one for each row. */
static int next_slices(int slices, int rows)
{
    int next = slices < 2 ? slices + 1 : slices % 3 ? slices / 2 * 3 : slices / 3 * 4;
    return next < rows || slices >= rows ? next : rows;
}

static enum sft_status choose(struct sft_step *step, uint64_t memory, struct choice *choice)
{
    int most = can_be_sliced(step) ? rows_of_part(step) : 1, first = 1;
    bool done = false;
    *choice = (struct choice){.found = false};
    if (step->params.slices > 0) first = most = step->params.slices;
    for (int slices = first; slices <= most && !done; slices = next_slices(slices, most))
        SFT_TRY(try_slices(step, memory, slices, choice, &done));
    return SFT_OK;
}

static double mib(uint64_t bytes) { return (double)bytes / 1048576.0; }

static enum sft_status nothing_fits(const struct sft_step *step, const struct sft_step_plan *least)
{
    const struct sft_device_info *info = sft_device_get_info(step->model->parameters.weights->device);
    int side = step->model->image_size;
    return sft_fail(
        SFT_MEMORY,
        "a step of %s on images of %d x %d needs at least %.0f MiB beside the model on %s, of which %.0f MiB "
        "are gradients and the optimiser's state and %.0f MiB temporary values of %d image%s at a time; "
        "%.0f MiB are left%s: use a larger --memory, smaller images, or %s",
        step->model->variant->name, side, side, mib(bytes_of(least)), info->name, mib(least->state),
        mib(least->arena), least->rows, least->rows == 1 ? "" : "s", mib(step->params.memory),
        can_be_sliced(step) ? "" : " (batch norm needs the whole batch at once: it cannot be cut)",
        can_be_sliced(step) ? "a smaller model" : "a smaller --batch");
}

static enum sft_status settle(struct sft_step *step, uint64_t memory, const struct sft_step_plan *chosen)
{
    SFT_TRY(build(step, chosen->slices));
    return plan(step, memory);
}

enum sft_status sft_step_divide(struct sft_step *step)
{
    const double worth = 1.05;
    uint64_t memory = step->params.memory, thrift = step->params.thrift;
    struct choice free_choice, frugal;
    if (step->params.slices > rows_of_part(step))
        return sft_fail(SFT_USAGE, "%d images do not make %d slices", rows_of_part(step),
                        step->params.slices);
    if (step->params.slices > 1 && !can_be_sliced(step))
        return sft_fail(SFT_USAGE,
                        "%s: batch norm makes its statistics of the whole batch, which so cannot be cut into "
                        "micro-batches; fine-tune with --bn-mode eval, or give the batch more memory",
                        step->model->variant->name);
    SFT_TRY(choose(step, memory, &free_choice));
    if (!free_choice.found) return nothing_fits(step, &free_choice.least);
    if (thrift == 0 || (memory && thrift >= memory) || bytes_of(&free_choice.best) <= thrift)
        return settle(step, memory, &free_choice.best);
    SFT_TRY(choose(step, thrift, &frugal));
    if (frugal.found && frugal.best.seconds <= worth * free_choice.best.seconds)
        return settle(step, thrift, &frugal.best);
    return settle(step, memory, &free_choice.best);
}
