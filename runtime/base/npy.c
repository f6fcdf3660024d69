/* SPDX-License-Identifier: Apache-2.0 */
/* The file begins with the magic, the version, the length of the header and the header, a line of Python:
 * {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }. NumPy writes it in a fixed manner. */
#include "runtime/base/npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/divide.h"
#include "runtime/base/little_endian.h"
#include "runtime/base/stand_in.h"
#include "runtime/base/text.h"

enum { MAGIC = sizeof(SFT_NPY_MAGIC) - 1, LENGTH_AT = MAGIC + 2, ALIGNMENT = 64 };

static const struct {
    const char *text;
    enum sft_npy_type type;
} types[] = {
    {"'|u1'", SFT_NPY_U8},
    {"'<u1'", SFT_NPY_U8},
    {"'<f4'", SFT_NPY_F32},
    {"'<f8'", SFT_NPY_F64},
};

static const size_t item_bytes[] = {[SFT_NPY_U8] = 1, [SFT_NPY_F32] = 4, [SFT_NPY_F64] = 8};

/* "(2, 3)", or "(2,)" of one dimension, as Python has it. */
static void add_tuple(struct sft_text *text, const struct sft_shape *shape)
{
    sft_text_add(text, "(");
    for (int i = 0; i < shape->rank; i++) sft_text_printf(text, i ? ", %" PRId64 : "%" PRId64, shape->dim[i]);
    sft_text_add(text, shape->rank == 1 ? ",)" : ")");
}

/* ---- reading ---- */

/* What stands behind a key; "?" where the key is missing. */
static const char *value_of(const char *header, const char *key)
{
    const char *at = strstr(header, key);
    if (!at) return "?";
    at += strlen(key);
    return at + strspn(at, " :");
}

/* For messages: how much of `text` there is up to one of `ends`, and not more than fits into a line. */
static int shown(const char *text, const char *ends)
{
    size_t length = strcspn(text, ends);
    return length < 40 ? (int)length : 40;
}

static enum sft_status read_type(const char *path, const char *header, const struct sft_npy_wanted *wanted,
                                 struct sft_npy *npy)
{
    const char *type = value_of(header, "'descr'");
    bool known = false;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strncmp(type, types[i].text, strlen(types[i].text)) != 0) continue;
        npy->type = types[i].type;
        known = wanted->types >> types[i].type & 1;
    }
    if (!known)
        return sft_fail(SFT_DATA, "%s: values of type %.*s; %s", path, shown(type, ",}\n"), type,
                        wanted->type_words);
    if (strncmp(value_of(header, "'fortran_order'"), "False", 5) != 0)
        return sft_fail(SFT_DATA, "%s: not in C order; save numpy.ascontiguousarray(array)", path);
    return SFT_OK;
}

static enum sft_status read_shape(const char *path, const char *header, const struct sft_npy_wanted *wanted,
                                  struct sft_shape *shape)
{
    const char *text = value_of(header, "'shape'"), *at = text + (*text == '(');
    int length;
    shape->rank = 0;
    while (shape->rank < SFT_MAX_RANK && *at >= '0' && *at <= '9') {
        char *end;
        shape->dim[shape->rank++] = strtoll(at, &end, 10);
        at = end + strspn(end, ", ");
    }
    if (shape->rank == wanted->rank && *at == ')') return SFT_OK;
    length = shown(text, ")}\n");
    return sft_fail(SFT_DATA, "%s: shape %.*s; %s", path, length + (text[length] == ')'), text,
                    wanted->shape_words);
}

static enum sft_status lying(const char *path, const struct sft_npy *npy, size_t there)
{
    struct sft_text shape = {0};
    add_tuple(&shape, &npy->shape);
    sft_fail(SFT_DATA,
             "%s: the header tells of %s values of %zu bytes, but %zu bytes follow: cut off or damaged", path,
             shape.data ? shape.data : "?", item_bytes[npy->type], there);
    sft_text_free(&shape);
    return SFT_DATA;
}

/* Compares the shape with the bytes that are there. */
static enum sft_status check_size(const char *path, const struct sft_npy *npy, size_t there)
{
    size_t bytes = item_bytes[npy->type];
    bool overflow = false;
    for (int d = 0; d < npy->shape.rank; d++)
        overflow |= __builtin_mul_overflow(bytes, (size_t)npy->shape.dim[d], &bytes);
    if (overflow || bytes != there) return lying(path, npy, there);
    if (!sft_shape_valid(&npy->shape)) return sft_fail(SFT_DATA, "%s: an array without values", path);
    return SFT_OK;
}

static enum sft_status read_header(const char *path, const char *header, const struct sft_npy_wanted *wanted,
                                   struct sft_npy *npy)
{
    SFT_TRY(read_type(path, header, wanted, npy));
    return read_shape(path, header, wanted, &npy->shape);
}

static enum sft_status parse(const char *path, const struct sft_npy_wanted *wanted, struct sft_npy *npy)
{
    const uint8_t *bytes = npy->file.data;
    size_t size = npy->file.size, begin, length;
    char *header;
    enum sft_status status;
    SFT_TRY(sft_stand_in_refuse(path, bytes, size));
    if (size < LENGTH_AT + 4 || memcmp(bytes, SFT_NPY_MAGIC, MAGIC) != 0 || bytes[MAGIC] < 1 ||
        bytes[MAGIC] > 3)
        return sft_fail(SFT_DATA, "%s: no .npy file of version 1 to 3", path);
    begin = LENGTH_AT + (bytes[MAGIC] == 1 ? 2 : 4);
    length = sft_little_endian(bytes + LENGTH_AT, begin - LENGTH_AT);
    if (length > size - begin)
        return sft_fail(SFT_DATA, "%s: the header is longer than the file: cut off or damaged", path);
    header = sft_calloc(length + 1, 1);
    if (!header) return SFT_MEMORY;
    memcpy(header, bytes + begin, length);
    status = read_header(path, header, wanted, npy);
    free(header);
    npy->values = bytes + begin + length;
    return status == SFT_OK ? check_size(path, npy, size - begin - length) : status;
}

enum sft_status sft_npy_open(const char *path, const struct sft_npy_wanted *wanted, struct sft_npy *npy)
{
    enum sft_status status;
    memset(npy, 0, sizeof(*npy));
    SFT_TRY(sft_file_open(path, &npy->file));
    status = parse(path, wanted, npy);
    if (status != SFT_OK) sft_npy_close(npy);
    return status;
}

void sft_npy_close(struct sft_npy *npy)
{
    sft_file_close(&npy->file);
    memset(npy, 0, sizeof(*npy));
}

static double f32_at(const uint8_t *bytes)
{
    uint32_t bits = (uint32_t)sft_little_endian(bytes, sizeof(bits));
    float value;
    memcpy(&value, &bits, sizeof(value));
    return (double)value;
}

static double f64_at(const uint8_t *bytes)
{
    uint64_t bits = sft_little_endian(bytes, sizeof(bits));
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

double sft_npy_value(const struct sft_npy *npy, int64_t i)
{
    const uint8_t *at = npy->values + (size_t)i * item_bytes[npy->type];
    if (npy->type == SFT_NPY_U8) return *at;
    return npy->type == SFT_NPY_F32 ? f32_at(at) : f64_at(at);
}

enum sft_status sft_npy_read(const char *path, int64_t *n, float **values)
{
    static const struct sft_npy_wanted wanted = {1 << SFT_NPY_F32, "float32 (little-endian) is read", 1,
                                                 "an array of one dimension is read"};
    struct sft_npy npy;
    *n = 0;
    *values = NULL;
    SFT_TRY(sft_npy_open(path, &wanted, &npy));
    *values = sft_calloc((size_t)npy.shape.dim[0], sizeof(**values));
    if (*values) *n = npy.shape.dim[0];
    for (int64_t i = 0; i < *n; i++) (*values)[i] = (float)sft_npy_value(&npy, i);
    sft_npy_close(&npy);
    return *values ? sft_files_whole() : SFT_MEMORY;
}

/* ---- writing ---- */

/* Everything before the values, padded so that they start at a multiple of 64 bytes, as NumPy does. */
static void add_header(struct sft_text *text, const struct sft_shape *shape)
{
    static const char version[] = {1, 0}, no_length[] = {0, 0};
    size_t begin, padded;
    sft_text_add(text, SFT_NPY_MAGIC);
    sft_text_add_bytes(text, version, sizeof(version));
    sft_text_add_bytes(text, no_length, sizeof(no_length));
    begin = text->length;
    sft_text_add(text, "{'descr': '<f4', 'fortran_order': False, 'shape': ");
    add_tuple(text, shape);
    sft_text_add(text, ", }");
    padded = (size_t)sft_round_up((int64_t)text->length + 1, ALIGNMENT);
    while (text->status == SFT_OK && text->length < padded - 1) sft_text_add(text, " ");
    sft_text_add(text, "\n");
    if (text->status == SFT_OK)
        sft_put_little_endian(padded - begin, (uint8_t *)text->data + LENGTH_AT, sizeof(no_length));
}

static void put_f32(uint8_t *bytes, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    sft_put_little_endian(bits, bytes, sizeof(bits));
}

enum sft_status sft_npy_write(const char *path, const struct sft_shape *shape, const float *values)
{
    size_t count = (size_t)sft_shape_count(shape);
    struct sft_text header = {0};
    uint8_t *file = NULL;
    enum sft_status status;
    add_header(&header, shape);
    status = header.status;
    if (status == SFT_OK) file = sft_calloc(header.length + count * sizeof(float), 1);
    if (status == SFT_OK && !file) status = SFT_MEMORY;
    if (status == SFT_OK) {
        memcpy(file, header.data, header.length);
        for (size_t i = 0; i < count; i++) put_f32(file + header.length + i * sizeof(float), values[i]);
        status = sft_file_write(path, file, header.length + count * sizeof(float));
    }
    free(file);
    sft_text_free(&header);
    return status;
}
