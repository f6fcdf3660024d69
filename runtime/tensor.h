/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tensors on a device: what outlives the run of a program. They are uploaded and downloaded in the order of
 * the calls, programs included, so the usual step upload, run, download needs no explicit wait.
 */
#ifndef SFT_TENSOR_H
#define SFT_TENSOR_H

#include "runtime/graph.h"

struct sft_device;

struct sft_tensor {
    struct sft_device *device; /* borrowed */
    char *name;
    enum sft_dtype dtype;
    struct sft_shape shape;
    size_t bytes;
    void *memory; /* the backend's buffer */
};

/* A tensor without memory: enough for graphs and plans of programs. */
enum sft_status sft_tensor_describe(struct sft_device *device, const char *name, enum sft_dtype dtype,
                                    struct sft_shape shape, struct sft_tensor **tensor) SFT_MUST_CHECK;
/* Its memory, zeros. Does nothing for one that has it. */
enum sft_status sft_tensor_allocate(struct sft_tensor *tensor) SFT_MUST_CHECK;

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

/* Where the host can read it without a copy, until the next upload or program; NULL: it has to be downloaded.
 */
const void *sft_tensor_address(const struct sft_tensor *tensor);

/* The tensor as a value of the graph: sft_graph_input and sft_graph_bind with its name, type and shape. */
sft_value sft_graph_tensor(struct sft_graph *graph, struct sft_tensor *tensor);

#endif
