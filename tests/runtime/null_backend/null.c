/* SPDX-License-Identifier: Apache-2.0 */
/* A backend with one device that keeps memory on the host and runs nothing. */
#include <stdlib.h>
#include <string.h>

#include "runtime/backend.h"
#include "runtime/base/alloc.h"
#include "runtime/op.h"
#include "tests/runtime/null_backend/asked.h"

int null_lists, null_runs;

static enum sft_status list(struct sft_device_list *list)
{
    struct sft_device_info info = {
        .id = "0-nothing", .name = "Idle One", .kind = "virtual", .memory = 1 << 30, .usable = true};
    null_lists++;
    return sft_device_list_add(list, &info);
}

static enum sft_status open_null(struct sft_device *device)
{
    device->state = &null_runs;
    return SFT_OK;
}

static void close_null(struct sft_device *device) { device->state = NULL; }

static enum sft_status wait_null(struct sft_device *device) { return device->state ? SFT_OK : SFT_FAILED; }

static enum sft_status allocate(struct sft_device *device, size_t bytes, void **memory)
{
    (void)device;
    *memory = sft_calloc(bytes, 1);
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
    memcpy((char *)memory + offset, data, bytes);
    return SFT_OK;
}

static enum sft_status download(struct sft_device *device, void *memory, size_t offset, void *data,
                                size_t bytes)
{
    (void)device;
    memcpy(data, (char *)memory + offset, bytes);
    return SFT_OK;
}

static size_t scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    (void)graph;
    return node->op->view ? 0 : NULL_SCRATCH;
}

static enum sft_status prepare(struct sft_program *program)
{
    program->state = program->graph;
    return SFT_OK;
}

static void forget(struct sft_program *program) { program->state = NULL; }

static enum sft_status run(struct sft_program *program)
{
    null_runs++;
    return program->state == program->graph ? SFT_OK : SFT_FAILED;
}

extern const struct sft_backend sft_null_backend;
const struct sft_backend sft_null_backend = {
    .name = "null",
    .list = list,
    .open = open_null,
    .close = close_null,
    .wait = wait_null,
    .allocate = allocate,
    .release = release,
    .upload = upload,
    .download = download,
    .scratch = scratch,
    .prepare = prepare,
    .forget = forget,
    .run = run,
};
