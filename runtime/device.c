/* SPDX-License-Identifier: Apache-2.0 */
/* The public stratum: validates, counts memory, and calls the backend's table. */
#include "runtime/device.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/backend.h"
#include "runtime/base/alloc.h"
#include "runtime/open.h"

static const struct sft_backend *const backends[] = {&sft_cpu_backend, &sft_vulkan_backend};
enum { N_BACKENDS = sizeof(backends) / sizeof(backends[0]) };

enum sft_status sft_device_list(struct sft_device_info **list, int *count)
{
    size_t n = 0, room = 0;
    enum sft_status status = SFT_OK;
    *list = NULL;
    *count = 0;
    for (int i = 0; i < N_BACKENDS; i++) SFT_TRY_OUT(backends[i]->list(list, &n, &room));
    *count = (int)n;
    return SFT_OK;
out:
    free(*list);
    *list = NULL;
    return status;
}

enum sft_status sft_device_open(const char *want, uint64_t memory, struct sft_device **out)
{
    struct sft_device_info *list = NULL;
    const struct sft_device_info *info;
    struct sft_device *device = NULL;
    enum sft_status status = SFT_OK;
    int count = 0;
    *out = NULL;
    SFT_TRY(sft_device_list(&list, &count));
    info = sft_choose_device(list, count, want);
    if (!info || !info->usable) {
        status = info ? sft_fail(SFT_DEVICE, "device %s cannot be used: %s", info->name, info->reason)
                      : SFT_DEVICE;
        goto out;
    }
    device = sft_calloc(1, sizeof(*device));
    if (!device) {
        status = SFT_MEMORY;
        goto out;
    }
    device->info = *info;
    device->backend = backends[info->backend == SFT_VULKAN];
    device->budget = memory ? memory : info->memory;
    SFT_TRY_OUT(device->backend->open(device));
    *out = device;
    device = NULL;
out:
    free(device);
    free(list);
    return status;
}

void sft_device_close(struct sft_device **device)
{
    if (!*device) return;
    (*device)->backend->close(*device);
    free(*device);
    *device = NULL;
}

const struct sft_device_info *sft_device_get_info(const struct sft_device *device) { return &device->info; }

enum sft_status sft_device_wait(struct sft_device *device) { return device->backend->wait(device); }

/* ---- memory ---- */

static enum sft_status reserve(struct sft_device *device, const char *what, size_t bytes)
{
    if (device->budget && device->allocated + bytes > device->budget)
        return sft_fail(
            SFT_MEMORY,
            "%s: %.1f MiB do not fit: %.1f of %.1f MiB are taken on %s; use a smaller --batch or a larger "
            "--memory",
            what, (double)bytes / 1048576.0, (double)device->allocated / 1048576.0,
            (double)device->budget / 1048576.0, device->info.name);
    device->allocated += bytes;
    return SFT_OK;
}

enum sft_status sft_tensor_create(struct sft_device *device, const char *name, enum sft_dtype dtype,
                                  struct sft_shape shape, struct sft_tensor **out)
{
    enum sft_status status = SFT_MEMORY;
    struct sft_tensor *tensor;
    *out = NULL;
    if (!sft_shape_valid(&shape)) return sft_fail(SFT_USAGE, "tensor %s: not a valid shape", name);
    tensor = sft_calloc(1, sizeof(*tensor));
    if (!tensor) return SFT_MEMORY;
    tensor->dtype = dtype;
    tensor->shape = shape;
    tensor->bytes = (size_t)sft_shape_count(&shape) * sft_dtype_size(dtype);
    tensor->name = sft_strdup(name);
    if (!tensor->name) goto out;
    SFT_TRY_OUT(reserve(device, name, tensor->bytes));
    tensor->device = device;
    SFT_TRY_OUT(device->backend->allocate(device, tensor->bytes, &tensor->memory));
    *out = tensor;
    return SFT_OK;
out:
    sft_tensor_destroy(&tensor);
    return status;
}

void sft_tensor_destroy(struct sft_tensor **tensor)
{
    struct sft_tensor *t = *tensor;
    if (!t) return;
    if (t->memory) t->device->backend->release(t->device, t->memory);
    if (t->device) t->device->allocated -= t->bytes;
    free(t->name);
    free(t);
    *tensor = NULL;
}

static enum sft_status check_range(const struct sft_tensor *tensor, int64_t first, int64_t count)
{
    int64_t whole = sft_shape_count(&tensor->shape);
    if (first >= 0 && count >= 0 && first <= whole && count <= whole - first) return SFT_OK;
    return sft_fail(SFT_USAGE, "tensor %s has %" PRId64 " elements: no %" PRId64 " from %" PRId64,
                    tensor->name, whole, count, first);
}

enum sft_status sft_tensor_upload(struct sft_tensor *tensor, int64_t first, int64_t count, const void *data)
{
    size_t size = sft_dtype_size(tensor->dtype);
    SFT_TRY(check_range(tensor, first, count));
    return tensor->device->backend->upload(tensor->device, tensor->memory, (size_t)first * size, data,
                                           (size_t)count * size);
}

enum sft_status sft_tensor_download(struct sft_tensor *tensor, int64_t first, int64_t count, void *data)
{
    size_t size = sft_dtype_size(tensor->dtype);
    SFT_TRY(check_range(tensor, first, count));
    return tensor->device->backend->download(tensor->device, tensor->memory, (size_t)first * size, data,
                                             (size_t)count * size);
}

/* ---- programs ---- */

static enum sft_status copy_graph(const struct sft_graph *graph, struct sft_graph *copy)
{
    copy->nodes = sft_calloc(graph->n_nodes, sizeof(*copy->nodes));
    copy->values = sft_calloc(graph->n_values, sizeof(*copy->values));
    if (!copy->nodes || !copy->values) return SFT_MEMORY;
    if (graph->n_nodes) memcpy(copy->nodes, graph->nodes, graph->n_nodes * sizeof(*copy->nodes));
    if (graph->n_values) memcpy(copy->values, graph->values, graph->n_values * sizeof(*copy->values));
    copy->n_nodes = copy->node_room = graph->n_nodes;
    copy->n_values = copy->value_room = graph->n_values;
    return SFT_OK;
}

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

enum sft_status sft_program_create(struct sft_device *device, const struct sft_graph *graph,
                                   struct sft_program **out)
{
    enum sft_status status = SFT_OK;
    struct sft_program *program;
    *out = NULL;
    SFT_TRY(sft_graph_status(graph));
    SFT_TRY(check_bindings(device, graph));
    program = sft_calloc(1, sizeof(*program));
    if (!program) return SFT_MEMORY;
    SFT_TRY_OUT(copy_graph(graph, &program->graph));
    SFT_TRY_OUT(sft_plan_create(graph, device->backend->kind, &program->plan));
    SFT_TRY_OUT(reserve(device, "a step's temporary values", program->plan->arena));
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
        p->device->allocated -= p->plan->arena;
    }
    sft_plan_destroy(&p->plan);
    free(p->graph.nodes);
    free(p->graph.values);
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
        program->seconds = sft_calloc(program->graph.n_nodes, sizeof(*program->seconds));
        if (!program->seconds) return SFT_MEMORY;
    }
    program->profile = on;
    return SFT_OK;
}

const double *sft_program_seconds(const struct sft_program *program) { return program->seconds; }
