/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/program.h"

#include <stdlib.h>

#include "runtime/aliasing.h"
#include "runtime/backend.h"
#include "runtime/base/alloc.h"
#include "runtime/cost.h"
#include "runtime/passes.h"
#include "runtime/tensor.h"

static enum sft_status check_bindings(const struct sft_device *device, const struct sft_graph *graph)
{
    for (size_t i = 0; i < graph->n_values; i++) {
        const struct sft_value_info *info = &graph->values[i];
        if (!info->outside) continue;
        if (!info->tensor) return sft_fail(SFT_USAGE, "program: %s is not bound to a tensor", info->name);
        if (info->tensor->device != device || info->tensor->dtype != info->dtype ||
            sft_shape_count(&info->tensor->shape) != sft_shape_count(&info->shape))
            return sft_fail(SFT_USAGE, "program: tensor %s does not fit the value it is bound to",
                            info->tensor->name);
    }
    return SFT_OK;
}

/* Values of whatever type: the arena is bytes, and starts at a multiple of any alignment. */
enum sft_status sft_arena_create(struct sft_device *device, size_t bytes, struct sft_tensor **arena)
{
    size_t numbers = bytes ? (bytes + sizeof(float) - 1) / sizeof(float) : 1;
    return sft_tensor_create(device, "temporary values", SFT_F32, SFT_SHAPE((int64_t)numbers), arena);
}

/* The graph after the passes, for a plan of about `target` bytes, and its plan. */
static enum sft_status plan_for(const struct sft_device *device, const struct sft_graph *graph, size_t target,
                                struct sft_planned *planned)
{
    const struct sft_pass_limits limits = {target, device->backend->scratch};
    SFT_TRY(sft_graph_status(graph));
    SFT_TRY(sft_graph_check_aliasing(graph));
    SFT_TRY(sft_graph_copy(graph, &planned->graph));
    SFT_TRY(sft_passes_run(planned->graph, &limits));
    return sft_plan_create(planned->graph, limits.scratch, &planned->plan);
}

/* The passes go by the least that a plan can take, which may need somewhat more. */
enum sft_status sft_program_plan(const struct sft_device *device, const struct sft_graph *graph, size_t most,
                                 struct sft_planned *planned)
{
    enum { TRIES = 6, STEP = 64 };
    enum sft_status status = SFT_OK;
    size_t target = most, over;
    *planned = (struct sft_planned){NULL, NULL};
    for (int i = 0; i < TRIES; i++) {
        sft_planned_free(planned);
        status = plan_for(device, graph, target, planned);
        if (status != SFT_OK || most == 0 || planned->plan->arena <= most) break;
        over = planned->plan->arena - most;
        if (over < target / STEP) over = target / STEP;
        if (planned->plan->least > target || over >= target) break;
        target -= over;
    }
    if (status != SFT_OK) sft_planned_free(planned);
    return status;
}

enum sft_status sft_program_estimate(const struct sft_device *device, const struct sft_graph *graph,
                                     double *seconds)
{
    const struct sft_pass_limits limits = {0, device->backend->scratch};
    struct sft_graph *copy;
    enum sft_status status;
    *seconds = 0;
    SFT_TRY(sft_graph_copy(graph, &copy));
    status = sft_passes_run(copy, &limits);
    for (size_t k = 0; k < copy->n_nodes; k++) *seconds += sft_node_seconds(copy, &copy->nodes[k]);
    sft_graph_destroy(&copy);
    return status;
}

void sft_planned_free(struct sft_planned *planned)
{
    sft_plan_destroy(&planned->plan);
    sft_graph_destroy(&planned->graph);
}

static enum sft_status make(struct sft_program *program, struct sft_device *device, struct sft_tensor *arena)
{
    SFT_TRY(check_bindings(device, program->graph));
    if (!arena) SFT_TRY(sft_arena_create(device, program->plan->arena, &program->own_arena));
    program->arena = arena ? arena : program->own_arena;
    program->device = device;
    return device->backend->prepare(program);
}

enum sft_status sft_program_make(struct sft_device *device, struct sft_planned *planned,
                                 struct sft_tensor *arena, struct sft_program **out)
{
    struct sft_program *program = sft_calloc(1, sizeof(*program));
    enum sft_status status = SFT_MEMORY;
    *out = NULL;
    if (!program) return SFT_MEMORY;
    program->graph = planned->graph;
    program->plan = planned->plan;
    *planned = (struct sft_planned){NULL, NULL};
    status = make(program, device, arena);
    if (status == SFT_OK)
        *out = program;
    else
        sft_program_destroy(&program);
    return status;
}

enum sft_status sft_program_create(struct sft_device *device, const struct sft_graph *graph,
                                   struct sft_program **program)
{
    struct sft_planned planned;
    enum sft_status status;
    *program = NULL;
    SFT_TRY(sft_program_plan(device, graph, 0, &planned));
    status = sft_program_make(device, &planned, NULL, program);
    sft_planned_free(&planned); /* what was not taken, for want of memory */
    return status;
}

void sft_program_destroy(struct sft_program **program)
{
    struct sft_program *p = *program;
    if (!p) return;
    if (p->device) p->device->backend->forget(p);
    sft_tensor_destroy(&p->own_arena);
    sft_plan_destroy(&p->plan);
    sft_graph_destroy(&p->graph);
    free(p->seconds);
    free(p);
    *program = NULL;
}

enum sft_status sft_program_run(struct sft_program *program)
{
    return program->device->backend->run(program);
}

size_t sft_program_arena(const struct sft_program *program) { return program->plan->arena; }

enum sft_status sft_program_profile(struct sft_program *program, bool on)
{
    if (on && !program->seconds) {
        program->seconds = sft_calloc(program->graph->n_nodes, sizeof(*program->seconds));
        if (!program->seconds) return SFT_MEMORY;
    }
    program->profile = on;
    return SFT_OK;
}

const struct sft_graph *sft_program_graph(const struct sft_program *program) { return program->graph; }

const double *sft_program_seconds(const struct sft_program *program) { return program->seconds; }
