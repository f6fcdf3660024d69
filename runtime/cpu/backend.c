/* SPDX-License-Identifier: Apache-2.0 */
/* The CPU backend: kernels run one after the other on the calling thread, each over all threads of
 * runtime/base/parallel.h.
 */
#include "runtime/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/blas.h"
#include "runtime/base/clock.h"
#include "runtime/base/parallel.h"
#include "runtime/cpu/gemm_kernel.h"
#include "runtime/cpu/kernels.h"
#include "runtime/tensor.h"

struct cpu_program {
    struct sft_call *calls; /* the nodes that run */
    size_t n_calls;
};

/* Copies the value of "KEY : value" from a file like /proc/cpuinfo; keeps `text` where there is none. */
static void read_key(const char *path, const char *key, char *text, size_t size)
{
    char line[512];
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof(line), file)) {
        char *value = strchr(line, ':');
        if (strncmp(line, key, strlen(key)) != 0 || !value) continue;
        value += strspn(value, ": \t");
        value[strcspn(value, "\n")] = '\0';
        snprintf(text, size, "%s", value);
        break;
    }
    if (file) fclose(file);
}

static enum sft_status list_host(struct sft_device_list *list)
{
    struct sft_device_info info = {.id = "cpu", .kind = "cpu", .unified_memory = true, .usable = true};
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    snprintf(info.name, sizeof(info.name), "CPU");
    read_key("/proc/cpuinfo", "model name", info.name, sizeof(info.name));
    snprintf(info.driver, sizeof(info.driver), "%s kernels, %d threads", sft_cpu_isa(),
             sft_parallel_threads());
    snprintf(info.api, sizeof(info.api), "%s", sft_blas_name());
    info.memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * page;
    info.free = (uint64_t)sysconf(_SC_AVPHYS_PAGES) * page;
    return sft_device_list_add(list, &info);
}

static enum sft_status open_cpu(struct sft_device *device)
{
    (void)device;
    return sft_blas_start();
}

static void close_cpu(struct sft_device *device) { (void)device; }

static enum sft_status wait_cpu(struct sft_device *device)
{
    (void)device;
    return SFT_OK;
}

static enum sft_status allocate(struct sft_device *device, size_t bytes, void **memory)
{
    (void)device;
    *memory = sft_calloc_aligned(bytes, 1);
    return *memory ? SFT_OK : SFT_MEMORY;
}

static void release(struct sft_device *device, void *memory)
{
    (void)device;
    free(memory);
}

static enum sft_status upload(struct sft_device *device, void *memory, size_t offset, const void *data,
                              size_t bytes)
{
    (void)device;
    if (bytes) memcpy((char *)memory + offset, data, bytes);
    return SFT_OK;
}

static enum sft_status download(struct sft_device *device, void *memory, size_t offset, void *data,
                                size_t bytes)
{
    (void)device;
    if (bytes) memcpy(data, (char *)memory + offset, bytes);
    return SFT_OK;
}

static void *address(const struct sft_program *program, sft_value value)
{
    struct sft_place place;
    if (value == SFT_NONE) return NULL;
    place = program->plan->values[value];
    if (place.root == SFT_NONE) return (char *)program->arena->memory + place.offset;
    return (char *)program->graph->values[place.root].tensor->memory + place.offset;
}

static struct sft_call make_call(const struct sft_program *program, size_t k)
{
    const struct sft_node *node = &program->graph->nodes[k];
    struct sft_call call = {.graph = program->graph, .node = node};
    for (int i = 0; i < SFT_MAX_INPUTS; i++) call.in[i] = address(program, node->in[i]);
    for (int i = 0; i < SFT_MAX_OUTPUTS; i++) call.out[i] = address(program, node->out[i]);
    call.scratch = (char *)program->arena->memory + program->plan->scratch[k];
    return call;
}

static void forget(struct sft_program *program)
{
    struct cpu_program *cpu = program->state;
    if (!cpu) return;
    free(cpu->calls);
    free(cpu);
    program->state = NULL;
}

static enum sft_status prepare(struct sft_program *program)
{
    struct cpu_program *cpu = sft_calloc(1, sizeof(*cpu));
    if (!cpu) return SFT_MEMORY;
    program->state = cpu;
    cpu->calls = sft_calloc(program->graph->n_nodes, sizeof(*cpu->calls));
    if (!cpu->calls) return SFT_MEMORY;
    for (size_t k = 0; k < program->graph->n_nodes; k++)
        if (!program->graph->nodes[k].op->view) cpu->calls[cpu->n_calls++] = make_call(program, k);
    return SFT_OK;
}

static enum sft_status run(struct sft_program *program)
{
    const struct cpu_program *cpu = program->state;
    for (size_t i = 0; i < cpu->n_calls; i++) {
        const struct sft_call *call = &cpu->calls[i];
        double start = program->profile ? sft_now() : 0;
        SFT_TRY(sft_cpu_run(call));
        if (program->profile) program->seconds[call->node - program->graph->nodes] += sft_now() - start;
    }
    return SFT_OK;
}

const struct sft_backend sft_cpu_backend = {
    .name = "cpu",
    .host = true,
    .list = list_host,
    .open = open_cpu,
    .close = close_cpu,
    .wait = wait_cpu,
    .allocate = allocate,
    .release = release,
    .upload = upload,
    .download = download,
    .scratch = sft_cpu_scratch,
    .prepare = prepare,
    .forget = forget,
    .run = run,
};
