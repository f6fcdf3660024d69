/* SPDX-License-Identifier: Apache-2.0 */
/* The whole hardware abstraction: one table of functions for each backend. runtime/device.c validates, logs
 * and calls it. */
#ifndef SFT_BACKEND_H
#define SFT_BACKEND_H

#include "runtime/device.h"
#include "runtime/plan.h"

struct sft_device {
    const struct sft_backend *backend;
    struct sft_device_info info;
    uint64_t budget;    /* bytes that tensors and arenas may take together */
    uint64_t allocated; /* bytes that they take */
    void *state;        /* the backend's */
};

struct sft_program {
    struct sft_device *device;
    struct sft_graph graph; /* own copies of nodes and values; the bound tensors are borrowed */
    struct sft_plan *plan;
    void *state;     /* the backend's */
    double *seconds; /* by node; NULL until profiling is on */
    bool profile;
};

struct sft_backend {
    enum sft_backend_kind kind;
    /* Appends the backend's devices to an array made by sft_grow. No devices is success. */
    enum sft_status (*list)(struct sft_device_info **list, size_t *count, size_t *room);
    enum sft_status (*open)(struct sft_device *device); /* device->info tells which; sets device->state */
    void (*close)(struct sft_device *device);
    enum sft_status (*wait)(struct sft_device *device);

    /* Zeroed memory; tensor->memory is the backend's. */
    enum sft_status (*allocate)(struct sft_device *device, size_t bytes, void **memory);
    void (*release)(struct sft_device *device, void *memory);
    enum sft_status (*upload)(struct sft_device *device, void *memory, size_t offset, const void *data,
                              size_t bytes);
    enum sft_status (*download)(struct sft_device *device, void *memory, size_t offset, void *data,
                                size_t bytes);

    /* program->graph and ->plan are set; allocates the arena, records. */
    enum sft_status (*prepare)(struct sft_program *program);
    void (*forget)(struct sft_program *program); /* tolerates a half-prepared program */
    enum sft_status (*run)(struct sft_program *program);
};

extern const struct sft_backend sft_cpu_backend;
extern const struct sft_backend sft_vulkan_backend; /* absent from builds without Vulkan: no devices */

#endif
