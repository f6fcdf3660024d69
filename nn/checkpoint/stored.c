/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/checkpoint/stored.h"

#include <math.h>
#include <string.h>

#include "runtime/base/file.h"
#include "runtime/base/little_endian.h"

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
_Static_assert(sizeof(dtypes) / sizeof(dtypes[0]) == SFT_STORED_OTHER + 1, "a row for each type");

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
        out[i] = dtypes[tensor->dtype].convert(sft_little_endian(bytes + i * size, size));
    return sft_files_whole();
}
