/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices, tensors on them, and programs that run there. Nothing above this header knows whether a device is
 * a GPU.
 *
 * A program is a graph made ready for one device: planned, its arena allocated, its kernels recorded. Running
 * it is asynchronous; tensors are uploaded and downloaded in the order of the calls, so the usual step
 * upload, run, download needs no explicit wait. One thread at a time uses a device.
 */
#ifndef SFT_DEVICE_H
#define SFT_DEVICE_H

#include "runtime/graph.h"
#include "runtime/op.h"

struct sft_device;
struct sft_program;

struct sft_device_info {
    enum sft_backend_kind backend;
    int index;   /* among the devices of its backend */
    char id[40]; /* stable: a UUID, or "cpu" */
    char name[256];
    char kind[16];                                 /* cpu, integrated, discrete, virtual */
    char driver[256];                              /* name and version */
    char api[32];                                  /* Vulkan version, or the BLAS */
    uint64_t memory, free;                         /* bytes; free is 0 where it is not known */
    uint32_t subgroup_min, subgroup_max, subgroup; /* 0 on the CPU backend */
    bool fp16, bf16, cooperative_matrix, unified_memory;
    bool usable;
    char reason[256]; /* why not, where it is not usable */
};

/* All devices, the CPU first. Release with free(). */
enum sft_status sft_device_list(struct sft_device_info **list, int *count) SFT_MUST_CHECK;

/* Opens the device that `want` names: auto, cpu, vulkan, vulkan:N, an id, or a part of a name. A device that
 * is not there is SFT_DEVICE, never another device. `memory` is the budget in bytes, 0 for what the device
 * has. */
enum sft_status sft_device_open(const char *want, uint64_t memory, struct sft_device **device) SFT_MUST_CHECK;
void sft_device_close(struct sft_device **device); /* after its tensors and programs are gone */
const struct sft_device_info *sft_device_get_info(const struct sft_device *device);

/* Waits until all that was asked of the device is done; reports what failed meanwhile. */
enum sft_status sft_device_wait(struct sft_device *device) SFT_MUST_CHECK;

/* ---- tensors ---- */

struct sft_tensor {
    struct sft_device *device; /* borrowed */
    char *name;
    enum sft_dtype dtype;
    struct sft_shape shape;
    size_t bytes;
    void *memory; /* the backend's buffer */
};

/* A tensor of zeros. */
enum sft_status sft_tensor_create(struct sft_device *device, const char *name, enum sft_dtype dtype,
                                  struct sft_shape shape, struct sft_tensor **tensor) SFT_MUST_CHECK;
void sft_tensor_destroy(struct sft_tensor **tensor);

/* Copies `count` elements from or to element `first`. The host memory may be reused when the call returns; a
 * download waits for the programs run before it. */
enum sft_status sft_tensor_upload(struct sft_tensor *tensor, int64_t first, int64_t count,
                                  const void *data) SFT_MUST_CHECK;
enum sft_status sft_tensor_download(struct sft_tensor *tensor, int64_t first, int64_t count,
                                    void *data) SFT_MUST_CHECK;

/* ---- programs ---- */

/* Makes `graph` ready. Every outside value must be bound to a tensor of `device`. The graph may be destroyed
 * afterwards, the tensors not. SFT_MEMORY when the arena does not fit. */
enum sft_status sft_program_create(struct sft_device *device, const struct sft_graph *graph,
                                   struct sft_program **program) SFT_MUST_CHECK;
void sft_program_destroy(struct sft_program **program);
enum sft_status sft_program_run(struct sft_program *program) SFT_MUST_CHECK;
size_t sft_program_arena(const struct sft_program *program); /* bytes */

/* Seconds each node took, summed over runs since the program was made; `seconds` has room for the graph's
 * nodes. Needs sft_program_profile(program, true) before; profiling costs a wait after each node. */
enum sft_status sft_program_profile(struct sft_program *program, bool on) SFT_MUST_CHECK;
const double *sft_program_seconds(const struct sft_program *program);

#endif
