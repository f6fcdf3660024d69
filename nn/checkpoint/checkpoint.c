/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/checkpoint/checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/checkpoint/format.h"
#include "runtime/base/alloc.h"

static const struct sft_checkpoint_format *const formats[] = {&sft_format_safetensors};
enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sft_stored_tensor *)a)->name, ((const struct sft_stored_tensor *)b)->name);
}

static enum sft_status sort(struct sft_checkpoint *checkpoint)
{
    qsort(checkpoint->tensors, checkpoint->n_tensors, sizeof(*checkpoint->tensors), by_name);
    for (size_t i = 1; i < checkpoint->n_tensors; i++)
        if (by_name(&checkpoint->tensors[i - 1], &checkpoint->tensors[i]) == 0)
            return sft_fail(SFT_DATA, "%s: tensor %s is there twice", checkpoint->path,
                            checkpoint->tensors[i].name);
    return SFT_OK;
}

static enum sft_status read_with_format(struct sft_checkpoint *checkpoint)
{
    for (int i = 0; i < FORMATS; i++) {
        if (!formats[i]->is(&checkpoint->file)) continue;
        checkpoint->format = formats[i];
        SFT_TRY(formats[i]->read(checkpoint, &checkpoint->file));
        return sort(checkpoint);
    }
    return sft_fail(SFT_DATA, "%s: not a checkpoint of a known format (safetensors)", checkpoint->path);
}

enum sft_status sft_checkpoint_open(const char *path, struct sft_checkpoint **checkpoint)
{
    struct sft_checkpoint *made = sft_calloc(1, sizeof(*made));
    enum sft_status status = SFT_MEMORY;
    *checkpoint = NULL;
    if (!made) return SFT_MEMORY;
    made->path = sft_strdup(path);
    if (!made->path) goto out;
    SFT_TRY_OUT(sft_file_open(path, &made->file));
    SFT_TRY_OUT(read_with_format(made));
    *checkpoint = made;
    made = NULL;
out:
    sft_checkpoint_close(&made);
    return status;
}

void sft_checkpoint_close(struct sft_checkpoint **checkpoint)
{
    struct sft_checkpoint *closing = *checkpoint;
    if (!closing) return;
    if (closing->format) closing->format->release(closing);
    sft_file_close(&closing->file);
    free(closing->tensors);
    free(closing->metadata);
    free((char *)closing->path);
    free(closing);
    *checkpoint = NULL;
}

const struct sft_stored_tensor *sft_checkpoint_find(const struct sft_checkpoint *checkpoint, const char *name)
{
    const struct sft_stored_tensor key = {.name = name};
    if (checkpoint->n_tensors == 0) return NULL;
    return bsearch(&key, checkpoint->tensors, checkpoint->n_tensors, sizeof(key), by_name);
}

const char *sft_checkpoint_metadata(const struct sft_checkpoint *checkpoint, const char *key)
{
    for (size_t i = 0; i < checkpoint->n_metadata; i++)
        if (strcmp(checkpoint->metadata[i].key, key) == 0) return checkpoint->metadata[i].value;
    return NULL;
}

/* ---- element types ---- */

static uint64_t little_endian(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static float f32_of(uint64_t bits)
{
    uint32_t word = (uint32_t)bits;
    float value;
    memcpy(&value, &word, sizeof(value));
    return value;
}

static float bf16_of(uint64_t bits) { return f32_of(bits << 16); }

static float f16_of(uint64_t bits)
{
    int exponent = (int)(bits >> 10 & 31);
    float fraction = (float)(bits & 1023), value;
    if (exponent == 31)
        value = fraction > 0 ? NAN : INFINITY;
    else if (exponent == 0)
        value = ldexpf(fraction, -24);
    else
        value = ldexpf(fraction + 1024.0f, exponent - 25);
    return bits >> 15 ? -value : value;
}

static float f64_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return (float)value;
}

static float i64_of(uint64_t bits) { return (float)(int64_t)bits; }
static float i32_of(uint64_t bits) { return (float)(int32_t)(uint32_t)bits; }
static float u8_of(uint64_t bits) { return (float)bits; }

static const struct {
    const char *name;
    size_t size;
    float (*convert)(uint64_t bits);
} dtypes[] = {
    [SFT_STORED_F32] = {"F32", 4, f32_of},    [SFT_STORED_F16] = {"F16", 2, f16_of},
    [SFT_STORED_BF16] = {"BF16", 2, bf16_of}, [SFT_STORED_F64] = {"F64", 8, f64_of},
    [SFT_STORED_I64] = {"I64", 8, i64_of},    [SFT_STORED_I32] = {"I32", 4, i32_of},
    [SFT_STORED_U8] = {"U8", 1, u8_of},       [SFT_STORED_OTHER] = {"of another type", 0, NULL},
};

size_t sft_stored_dtype_size(enum sft_stored_dtype dtype) { return dtypes[dtype].size; }
const char *sft_stored_dtype_str(enum sft_stored_dtype dtype) { return dtypes[dtype].name; }

enum sft_status sft_stored_read(const struct sft_stored_tensor *tensor, float *out)
{
    const uint8_t *bytes = tensor->data;
    size_t size = dtypes[tensor->dtype].size;
    if (size == 0)
        return sft_fail(SFT_DATA, "tensor %s: its elements are of a type that is not read here",
                        tensor->name);
    for (size_t i = 0; i < tensor->bytes / size; i++)
        out[i] = dtypes[tensor->dtype].convert(little_endian(bytes + i * size, size));
    return SFT_OK;
}
