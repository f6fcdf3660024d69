/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A graph as command buffers. Ops name their dispatches (recorder.c); here addresses are filled in, barriers
 * set where a dispatch touches what an earlier one wrote (or writes what it touched) since the last barrier,
 * and the list is recorded once, cut where the estimated work would keep the device busy for too long. A run
 * submits the buffers again.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/cost.h"
#include "runtime/tensor.h"
#include "runtime/vulkan/kernels.h"
#include "runtime/vulkan/vk.h"

struct step {
    VkPipeline pipeline;
    uint32_t push[SFT_VK_PUSH_BYTES / 4]; /* two words for each operand's address, then the op's words */
    uint32_t push_bytes;
    uint32_t groups[3];
    size_t node;
    bool barrier; /* before it */
};

struct vk_program {
    struct step *steps;
    size_t n_steps;
    VkCommandBuffer *commands; /* submitted in order */
    size_t n_commands, commands_room;
    VkCommandBuffer probe; /* for profiling; made when it is first needed */
    VkQueryPool timestamps;
};

/* ---- addresses ---- */

struct range {
    VkDeviceAddress begin, end;
    bool write;
};

static VkDeviceAddress arena_address(const struct sft_program *program)
{
    return sft_vk_address(program->arena->memory);
}

/* Where the operand lies, and for how many bytes; nothing for an absent one. */
static struct range locate(const struct sft_program *program, const struct sft_vk_operand *operand,
                           size_t node)
{
    const struct sft_graph *graph = program->graph;
    const struct sft_plan *plan = program->plan;
    struct range range = {.write = operand->write};
    size_t bytes;
    if (operand->value == SFT_VK_SCRATCH) {
        range.begin = arena_address(program) + plan->scratch[node];
        bytes = sft_vk_scratch(graph, &graph->nodes[node]);
    } else if (operand->value == SFT_NONE) {
        return (struct range){0};
    } else {
        const struct sft_place *place = &plan->values[operand->value];
        range.begin = place->root == SFT_NONE ? arena_address(program)
                                              : sft_vk_address(graph->values[place->root].tensor->memory);
        range.begin += place->offset;
        bytes = sft_graph_bytes(graph, operand->value);
    }
    range.begin += operand->offset;
    bytes = bytes > operand->offset ? bytes - operand->offset : 0;
    range.end = range.begin + (operand->bytes && operand->bytes < bytes ? operand->bytes : bytes);
    return range;
}

/* ---- hazards ---- */

/* What was touched since the last barrier. */
struct touched {
    struct range *ranges;
    size_t count, room;
};

static bool collides(const struct touched *touched, const struct range *range)
{
    for (size_t i = 0; i < touched->count; i++) {
        const struct range *other = &touched->ranges[i];
        if ((range->write || other->write) && range->begin < other->end && other->begin < range->end)
            return true;
    }
    return false;
}

static enum sft_status note(struct touched *touched, const struct range *ranges, int n, bool *barrier)
{
    *barrier = false;
    for (int i = 0; i < n; i++) *barrier = *barrier || collides(touched, &ranges[i]);
    if (*barrier) touched->count = 0;
    SFT_TRY(sft_grow(&touched->ranges, &touched->room, touched->count + (size_t)n, sizeof(*ranges)));
    for (int i = 0; i < n; i++)
        if (ranges[i].begin < ranges[i].end) touched->ranges[touched->count++] = ranges[i];
    return SFT_OK;
}

/* ---- dispatches into steps ---- */

static enum sft_status make_step(const struct sft_program *program, const struct sft_vk_dispatch *dispatch,
                                 struct touched *touched, struct step *step)
{
    struct range ranges[SFT_VK_MAX_OPERANDS];
    size_t n = (size_t)dispatch->n_operands;
    for (size_t i = 0; i < n; i++) {
        ranges[i] = locate(program, &dispatch->operands[i], dispatch->node);
        memcpy(step->push + 2 * i, &ranges[i].begin, sizeof(ranges[i].begin));
    }
    memcpy(step->push + 2 * n, dispatch->words, (size_t)dispatch->n_words * sizeof(dispatch->words[0]));
    step->push_bytes = (uint32_t)((2 * n + (size_t)dispatch->n_words) * sizeof(step->push[0]));
    memcpy(step->groups, dispatch->groups, sizeof(step->groups));
    step->node = dispatch->node;
    SFT_TRY(note(touched, ranges, dispatch->n_operands, &step->barrier));
    return sft_vk_pipeline_get(program->device->state, dispatch->shader, dispatch->spec, dispatch->n_spec,
                               &step->pipeline);
}

static enum sft_status make_steps(struct sft_program *program, const struct sft_vk_recorder *recorder)
{
    struct vk_program *state = program->state;
    struct touched touched = {0};
    enum sft_status status = SFT_OK;
    state->steps = sft_calloc(recorder->count, sizeof(*state->steps));
    if (!state->steps) return SFT_MEMORY;
    for (size_t i = 0; status == SFT_OK && i < recorder->count; i++)
        status = make_step(program, &recorder->dispatches[i], &touched, &state->steps[i]);
    state->n_steps = recorder->count;
    free(touched.ranges);
    return status;
}

/* ---- steps into command buffers ---- */

static void record_step(const struct sft_vk *vk, VkCommandBuffer commands, const struct step *step,
                        bool barrier)
{
    if (barrier)
        sft_vk_barrier(commands, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT,
                       VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, step->pipeline);
    if (step->push_bytes)
        vkCmdPushConstants(commands, vk->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, step->push_bytes,
                           step->push);
    vkCmdDispatch(commands, step->groups[0], step->groups[1], step->groups[2]);
}

/* Seconds that a slow device of its kind may need for a node; a few times more or less does no harm. */
static double guess_seconds(const struct sft_vk *vk, const struct sft_program *program, size_t node)
{
    struct sft_cost cost = sft_node_cost(program->graph, &program->graph->nodes[node]);
    bool discrete = vk->adapter.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
    double flops = discrete ? 1e12 : 1e11, bandwidth = discrete ? 1e11 : 2e10;
    if (vk->limits.cpu_device) {
        flops = 2e10;
        bandwidth = 4e9;
    }
    return cost.flops / flops + cost.bytes / bandwidth + 1e-5;
}

/* The first step after `begin` at which a new command buffer starts: before the estimate passes the limit,
 * never within a node. */
static size_t cut(const struct sft_vk *vk, const struct sft_program *program, size_t begin)
{
    const struct vk_program *state = program->state;
    double seconds = 0;
    size_t i = begin;
    if (vk->submit_seconds <= 0) return state->n_steps;
    while (i < state->n_steps) {
        size_t node = state->steps[i].node, end = i;
        seconds += guess_seconds(vk, program, node);
        if (i > begin && seconds > vk->submit_seconds) break;
        while (end < state->n_steps && state->steps[end].node == node) end++;
        i = end;
    }
    return i;
}

static enum sft_status record_buffer(struct sft_vk *vk, struct vk_program *state, size_t begin, size_t end)
{
    VkCommandBuffer commands;
    SFT_TRY(
        sft_grow(&state->commands, &state->commands_room, state->n_commands + 1, sizeof(*state->commands)));
    SFT_TRY(sft_vk_commands_create(vk, &commands));
    state->commands[state->n_commands++] = commands;
    SFT_TRY(sft_vk_commands_begin(vk, commands, VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT));
    for (size_t i = begin; i < end; i++)
        record_step(vk, commands, &state->steps[i], i > begin && state->steps[i].barrier);
    return sft_vk_commands_end(vk, commands);
}

static enum sft_status record(struct sft_program *program)
{
    struct sft_vk *vk = program->device->state;
    struct vk_program *state = program->state;
    size_t end;
    for (size_t begin = 0; begin < state->n_steps; begin = end) {
        end = cut(vk, program, begin);
        SFT_TRY(record_buffer(vk, state, begin, end));
    }
    return SFT_OK;
}

enum sft_status sft_vk_program_prepare(struct sft_program *program)
{
    struct sft_vk *vk = program->device->state;
    struct sft_vk_recorder recorder = {.limits = vk->limits};
    struct vk_program *state = sft_calloc(1, sizeof(*state));
    enum sft_status status = SFT_OK;
    program->state = state;
    if (!state) return SFT_MEMORY;
    for (size_t i = 0; status == SFT_OK && i < program->graph->n_nodes; i++)
        status = sft_vk_record_node(&recorder, program->graph, i);
    if (status == SFT_OK) status = make_steps(program, &recorder);
    if (status == SFT_OK) status = record(program);
    sft_vk_recorder_uninit(&recorder);
    return status;
}

void sft_vk_program_forget(struct sft_program *program)
{
    struct sft_vk *vk = program->device->state;
    struct vk_program *state = program->state;
    if (!state || !sft_vk_idle(vk)) return;
    if (state->n_commands)
        vkFreeCommandBuffers(vk->device, vk->command_pool, (uint32_t)state->n_commands, state->commands);
    if (state->probe) vkFreeCommandBuffers(vk->device, vk->command_pool, 1, &state->probe);
    vkDestroyQueryPool(vk->device, state->timestamps, NULL);
    free(state->commands);
    free(state->steps);
    free(state);
    program->state = NULL;
}

/* ---- profiling: node by node, with a wait after each ---- */

static enum sft_status make_probe(struct sft_vk *vk, struct vk_program *state)
{
    VkQueryPoolCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
        .queryType = VK_QUERY_TYPE_TIMESTAMP,
        .queryCount = 2,
    };
    if (!state->probe) SFT_TRY(sft_vk_commands_create(vk, &state->probe));
    if (!state->timestamps && vk->adapter.timestamp_bits > 0)
        VK_TRY(vk, vkCreateQueryPool(vk->device, &info, NULL, &state->timestamps));
    return SFT_OK;
}

static enum sft_status record_probe(struct sft_vk *vk, struct vk_program *state, size_t begin, size_t end)
{
    SFT_TRY(sft_vk_commands_begin(vk, state->probe, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT));
    if (state->timestamps) {
        vkCmdResetQueryPool(state->probe, state->timestamps, 0, 2);
        vkCmdWriteTimestamp2(state->probe, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, state->timestamps, 0);
    }
    for (size_t i = begin; i < end; i++)
        record_step(vk, state->probe, &state->steps[i], i > begin && state->steps[i].barrier);
    if (state->timestamps)
        vkCmdWriteTimestamp2(state->probe, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, state->timestamps, 1);
    return sft_vk_commands_end(vk, state->probe);
}

/* By the device's clock where it has one: the host's includes the submission. */
static enum sft_status run_probe(struct sft_vk *vk, struct vk_program *state, double *seconds)
{
    const VkQueryResultFlags how = VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT;
    uint32_t bits = vk->adapter.timestamp_bits;
    uint64_t mask = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
    uint64_t value, ticks[2];
    double started = sft_now();
    SFT_TRY(sft_vk_submit(vk, state->probe, &value));
    SFT_TRY(sft_vk_wait(vk, value));
    *seconds = sft_now() - started;
    if (!state->timestamps) return SFT_OK;
    VK_TRY(vk, vkGetQueryPoolResults(vk->device, state->timestamps, 0, 2, sizeof(ticks), ticks,
                                     sizeof(ticks[0]), how));
    ticks[1] = (ticks[1] - ticks[0]) & mask;
    *seconds = (double)ticks[1] * vk->adapter.properties.limits.timestampPeriod * 1e-9;
    return SFT_OK;
}

static enum sft_status run_profiled(struct sft_program *program)
{
    struct sft_vk *vk = program->device->state;
    struct vk_program *state = program->state;
    SFT_TRY(make_probe(vk, state));
    for (size_t begin = 0, end; begin < state->n_steps; begin = end) {
        double seconds;
        for (end = begin; end < state->n_steps && state->steps[end].node == state->steps[begin].node;) end++;
        SFT_TRY(record_probe(vk, state, begin, end));
        SFT_TRY(run_probe(vk, state, &seconds));
        program->seconds[state->steps[begin].node] += seconds;
    }
    return SFT_OK;
}

enum sft_status sft_vk_program_run(struct sft_program *program)
{
    struct vk_program *state = program->state;
    if (program->profile && program->seconds) return run_profiled(program);
    for (size_t i = 0; i < state->n_commands; i++)
        SFT_TRY(sft_vk_submit(program->device->state, state->commands[i], NULL));
    return SFT_OK;
}
