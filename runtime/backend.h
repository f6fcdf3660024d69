/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole hardware abstraction: one table of functions for each backend. Whoever opens devices, holds
 * tensors or runs programs validates first and then calls the table.
 *
 * Adding a backend: a folder with its `const struct sft_backend sft_NAME_backend` and a row in
 * runtime/backends.def.
 */
#ifndef SFT_BACKEND_H
#define SFT_BACKEND_H

#include "runtime/device_info.h"
#include "runtime/plan.h"

struct sft_device {
    const struct sft_backend *backend;
    struct sft_device_info info;
    uint64_t budget;    /* bytes that tensors and arenas may take together */
    uint64_t thrift;    /* of these, bytes that they may take where more is not worth it (runtime/device.h) */
    uint64_t allocated; /* bytes that they take */
    uint64_t largest;   /* bytes that one tensor or arena may take; 0: no limit of its own. Set by open() */
    void *state;        /* the backend's */
};

struct sft_program {
    struct sft_device *device;
    struct sft_graph *graph; /* owned: a copy after the passes; the bound tensors are borrowed */
    struct sft_plan *plan;
    struct sft_tensor *arena; /* where the plan's temporary values lie, and maybe those of other programs */
    struct sft_tensor *own_arena; /* the same where it is this program's alone; else NULL */
    void *state;                  /* the backend's */
    double *seconds;              /* by node; NULL until profiling is on */
    bool profile;
};

/* The devices that a backend found, and why there are none or no more. Starts as {0}. */
struct sft_device_list {
    struct sft_device_info *items; /* owned */
    size_t count, room;
    char why[256]; /* "" where there is nothing to say */
};

struct sft_backend {
    const char *name; /* the word for --device */
    /* Its only device is the host: found by the backend's name alone, never by a part of its own name. */
    bool host;

    /* Appends the backend's devices with sft_device_list_add. No devices is success. A failure is described
     * in list->why and not logged: the other backends go on. */
    enum sft_status (*list)(struct sft_device_list *list);
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

    sft_scratch_rule scratch; /* of its kernels; a plan is the same on every device of a backend */
    /* program->graph, ->plan and ->arena are set; records. */
    enum sft_status (*prepare)(struct sft_program *program);
    void (*forget)(struct sft_program *program); /* tolerates a half-prepared program */
    enum sft_status (*run)(struct sft_program *program);
};

/* Appends a device to a list. */
enum sft_status sft_device_list_add(struct sft_device_list *list,
                                    const struct sft_device_info *info) SFT_MUST_CHECK;

/* Counts `bytes` as taken on the device: SFT_MEMORY, with a message that says what for, where the budget does
 * not hold them. */
enum sft_status sft_device_take(struct sft_device *device, const char *what, size_t bytes) SFT_MUST_CHECK;
void sft_device_give_back(struct sft_device *device, size_t bytes);

#endif
