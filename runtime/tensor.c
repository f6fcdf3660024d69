/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/tensor.h"

#include <inttypes.h>
#include <stdlib.h>

#include "runtime/backend.h"
#include "runtime/base/alloc.h"

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
    SFT_TRY_OUT(sft_device_take(device, name, tensor->bytes));
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
    if (t->device) sft_device_give_back(t->device, t->bytes);
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

sft_value sft_graph_tensor(struct sft_graph *graph, struct sft_tensor *tensor)
{
    sft_value value = sft_graph_input(graph, tensor->name, tensor->dtype, tensor->shape);
    sft_graph_bind(graph, value, tensor);
    return value;
}
