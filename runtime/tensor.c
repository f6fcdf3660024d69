/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/tensor.h"

#include <inttypes.h>
#include <stdlib.h>

#include "runtime/backend.h"
#include "runtime/base/alloc.h"

enum sft_status sft_tensor_describe(struct sft_device *device, const char *name, enum sft_dtype dtype,
                                    struct sft_shape shape, struct sft_tensor **out)
{
    struct sft_tensor *tensor;
    *out = NULL;
    if (!sft_shape_valid(&shape)) return sft_fail(SFT_USAGE, "tensor %s: not a valid shape", name);
    tensor = sft_calloc(1, sizeof(*tensor));
    if (!tensor) return SFT_MEMORY;
    tensor->device = device;
    tensor->dtype = dtype;
    tensor->shape = shape;
    tensor->bytes = (size_t)sft_shape_count(&shape) * sft_dtype_size(dtype);
    tensor->name = sft_strdup(name);
    *out = tensor;
    if (tensor->name) return SFT_OK;
    sft_tensor_destroy(out);
    return SFT_MEMORY;
}

enum sft_status sft_tensor_allocate(struct sft_tensor *tensor)
{
    struct sft_device *device = tensor->device;
    enum sft_status status;
    if (tensor->memory) return SFT_OK;
    SFT_TRY(sft_device_take(device, tensor->name, tensor->bytes));
    status = device->backend->allocate(device, tensor->bytes, &tensor->memory);
    if (status == SFT_OK) return SFT_OK;
    tensor->memory = NULL;
    sft_device_give_back(device, tensor->bytes);
    return status;
}

enum sft_status sft_tensor_create(struct sft_device *device, const char *name, enum sft_dtype dtype,
                                  struct sft_shape shape, struct sft_tensor **out)
{
    enum sft_status status;
    SFT_TRY(sft_tensor_describe(device, name, dtype, shape, out));
    status = sft_tensor_allocate(*out);
    if (status != SFT_OK) sft_tensor_destroy(out);
    return status;
}

void sft_tensor_destroy(struct sft_tensor **tensor)
{
    struct sft_tensor *t = *tensor;
    if (!t) return;
    if (t->memory) {
        t->device->backend->release(t->device, t->memory);
        sft_device_give_back(t->device, t->bytes);
    }
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

const void *sft_tensor_address(const struct sft_tensor *tensor)
{
    return tensor->device->backend->host ? tensor->memory : NULL;
}

sft_value sft_graph_tensor(struct sft_graph *graph, struct sft_tensor *tensor)
{
    sft_value value = sft_graph_input(graph, tensor->name, tensor->dtype, tensor->shape);
    sft_graph_bind(graph, value, tensor);
    return value;
}
