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
static float i16_of(uint64_t bits) { return (float)(int16_t)(uint16_t)bits; }
static float i8_of(uint64_t bits) { return (float)(int8_t)(uint8_t)bits; }
static float unsigned_of(uint64_t bits) { return (float)bits; }
static float bool_of(uint64_t bits) { return bits ? 1.0f : 0.0f; }

static const struct {
    const char *name;
    size_t size;
    float (*convert)(uint64_t bits);
} dtypes[] = {
    [SFT_STORED_F32] = {"F32", 4, f32_of},      [SFT_STORED_F16] = {"F16", 2, f16_of},
    [SFT_STORED_BF16] = {"BF16", 2, bf16_of},   [SFT_STORED_F64] = {"F64", 8, f64_of},
    [SFT_STORED_I64] = {"I64", 8, i64_of},      [SFT_STORED_I32] = {"I32", 4, i32_of},
    [SFT_STORED_I16] = {"I16", 2, i16_of},      [SFT_STORED_I8] = {"I8", 1, i8_of},
    [SFT_STORED_U64] = {"U64", 8, unsigned_of}, [SFT_STORED_U32] = {"U32", 4, unsigned_of},
    [SFT_STORED_U16] = {"U16", 2, unsigned_of}, [SFT_STORED_U8] = {"U8", 1, unsigned_of},
    [SFT_STORED_BOOL] = {"BOOL", 1, bool_of},   [SFT_STORED_OTHER] = {"of another type", 0, NULL},
};
_Static_assert(sizeof(dtypes) / sizeof(dtypes[0]) == SFT_STORED_OTHER + 1, "a row for each type");

size_t sft_stored_dtype_size(enum sft_stored_dtype dtype) { return dtypes[dtype].size; }
const char *sft_stored_dtype_str(enum sft_stored_dtype dtype) { return dtypes[dtype].name; }

bool sft_stored_count(const struct sft_shape *shape, size_t element, uint64_t *count)
{
    uint64_t bytes;
    bool overflow = false;
    *count = 1;
    for (int i = 0; i < shape->rank; i++)
        overflow |= __builtin_mul_overflow(*count, (uint64_t)shape->dim[i], count);
    overflow |= __builtin_mul_overflow(*count, (uint64_t)element, &bytes);
    return !overflow && bytes <= INT64_MAX;
}

/* ---- walking over the elements ---- */

/* One line of the last axis at a time: where it begins, how many elements it has and how far they are apart,
 * in elements. */
struct walk {
    const struct sft_stored_tensor *tensor;
    int64_t index[SFT_MAX_RANK];
    int64_t begin, length, apart, lines;
};

/* A packed tensor is one line. */
static struct walk walk_over(const struct sft_stored_tensor *tensor)
{
    const int last = tensor->shape.rank - 1;
    struct walk walk = {.tensor = tensor, .length = 1, .apart = 1, .lines = 1};
    const size_t size = dtypes[tensor->dtype].size;
    if (!tensor->strided || last < 0) {
        walk.length = size ? (int64_t)(tensor->bytes / size) : 0;
        return walk;
    }
    walk.length = tensor->shape.dim[last];
    walk.apart = tensor->stride[last];
    for (int i = 0; i < last; i++) walk.lines *= tensor->shape.dim[i];
    return walk;
}

static void next_line(struct walk *walk)
{
    const struct sft_stored_tensor *tensor = walk->tensor;
    for (int i = tensor->shape.rank - 2; i >= 0; i--) {
        walk->begin += tensor->stride[i];
        if (++walk->index[i] < tensor->shape.dim[i]) return;
        walk->begin -= tensor->stride[i] * tensor->shape.dim[i];
        walk->index[i] = 0;
    }
}

static uint64_t bits_at(const struct sft_stored_tensor *tensor, int64_t i, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)tensor->data + (size_t)i * size;
    uint64_t bits = 0;
    if (!tensor->big_endian) return sft_little_endian(bytes, size);
    for (size_t k = 0; k < size; k++) bits = bits << 8 | bytes[k];
    return bits;
}

/* Whether the bytes are those of an array of float here. */
static bool is_plain(const struct sft_stored_tensor *tensor)
{
    return tensor->dtype == SFT_STORED_F32 && !tensor->strided && !tensor->big_endian &&
           __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
}

enum sft_status sft_stored_read(const struct sft_stored_tensor *tensor, float *out)
{
    const size_t size = dtypes[tensor->dtype].size;
    struct walk walk = walk_over(tensor);
    if (is_plain(tensor)) {
        if (tensor->bytes) memcpy(out, tensor->data, tensor->bytes);
        return sft_files_whole();
    }
    if (size == 0)
        return sft_fail(SFT_DATA, "tensor %s: its elements are of a type that is not read here",
                        tensor->name);
    for (int64_t line = 0; line < walk.lines; line++, next_line(&walk))
        for (int64_t i = 0; i < walk.length; i++)
            *out++ = dtypes[tensor->dtype].convert(bits_at(tensor, walk.begin + i * walk.apart, size));
    return sft_files_whole();
}

void sft_stored_pack(const struct sft_stored_tensor *tensor, uint8_t *out)
{
    const size_t size = dtypes[tensor->dtype].size;
    struct walk walk = walk_over(tensor);
    if (!tensor->strided && !tensor->big_endian) {
        if (tensor->bytes) memcpy(out, tensor->data, tensor->bytes);
        return;
    }
    for (int64_t line = 0; line < walk.lines; line++, next_line(&walk))
        for (int64_t i = 0; i < walk.length; i++, out += size)
            sft_put_little_endian(bits_at(tensor, walk.begin + i * walk.apart, size), out, size);
}
