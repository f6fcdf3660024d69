/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/program.h"

#include <stdlib.h>

#include "runtime/aliasing.h"
#include "runtime/backend.h"
#include "runtime/base/alloc.h"
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

enum sft_status sft_program_plan(const struct sft_device *device, const struct sft_graph *graph,
                                 struct sft_graph **planned, struct sft_plan **plan)
{
    enum sft_status status;
    *plan = NULL;
    SFT_TRY(sft_graph_copy(graph, planned));
    status = sft_passes_run(*planned);
    if (status == SFT_OK) status = sft_plan_create(*planned, device->backend->scratch, plan);
    if (status != SFT_OK) sft_graph_destroy(planned);
    return status;
}

enum sft_status sft_program_create(struct sft_device *device, const struct sft_graph *graph,
                                   struct sft_program **out)
{
    enum sft_status status;
    struct sft_program *program;
    *out = NULL;
    SFT_TRY(sft_graph_status(graph));
    SFT_TRY(check_bindings(device, graph));
    SFT_TRY(sft_graph_check_aliasing(graph));
    program = sft_calloc(1, sizeof(*program));
    if (!program) return SFT_MEMORY;
    SFT_TRY_OUT(sft_program_plan(device, graph, &program->graph, &program->plan));
    SFT_TRY_OUT(sft_device_take(device, "a step's temporary values", program->plan->arena));
    program->device = device;
    SFT_TRY_OUT(device->backend->prepare(program));
    *out = program;
    return SFT_OK;
out:
    sft_program_destroy(&program);
    return status;
}

void sft_program_destroy(struct sft_program **program)
{
    struct sft_program *p = *program;
    if (!p) return;
    if (p->device) {
        p->device->backend->forget(p);
        sft_device_give_back(p->device, p->plan->arena);
    }
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
