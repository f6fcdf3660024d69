/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a .npy file is a line of Python: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
 */
#include "tools/array.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"

enum { MAX_HEADER = 4096, PREFIX = 10, RANK = 4 };

/* What stands behind a key; "" where the key is missing. */
static const char *value_of(const char *header, const char *key)
{
    const char *at = strstr(header, key);
    if (!at) return "";
    at += strlen(key);
    return at + strspn(at, " :");
}

static enum sft_status read_shape(const char *path, const char *text, struct sft_shape *shape)
{
    const char *at = text + (*text == '(');
    shape->rank = 0;
    while (shape->rank < RANK && *at >= '0' && *at <= '9') {
        char *end;
        shape->dim[shape->rank++] = strtoll(at, &end, 10);
        at = end + strspn(end, ", ");
    }
    if (shape->rank != RANK || *at != ')')
        return sft_fail(SFT_DATA, "%s: shape %.40s; images are an array (N, H, W, C)", path, text);
    if (!sft_shape_valid(shape))
        return sft_fail(SFT_DATA, "%s: shape %.40s is empty or too large", path, text);
    return SFT_OK;
}

static enum sft_status read_header(const char *path, const char *header, struct sft_array *array)
{
    const char *type = value_of(header, "'descr'");
    array->is_float = strncmp(type, "'<f4'", 5) == 0;
    if (!array->is_float && strncmp(type, "'|u1'", 5) != 0)
        return sft_fail(SFT_DATA,
                        "%s: values of type %.6s; float32 (normalised) and uint8 (0 to 255) are taken", path,
                        type);
    if (strncmp(value_of(header, "'fortran_order'"), "False", 5) != 0)
        return sft_fail(SFT_DATA, "%s: not in C order; save numpy.ascontiguousarray(array)", path);
    return read_shape(path, value_of(header, "'shape'"), &array->shape);
}

static enum sft_status parse(const char *path, struct sft_array *array)
{
    const uint8_t *bytes = array->file.data;
    size_t size = array->file.size, length, needed;
    char header[MAX_HEADER + 1];
    if (size < PREFIX || memcmp(bytes, "\x93NUMPY\x01", 7) != 0)
        return sft_fail(SFT_DATA, "%s: no .npy file of version 1", path);
    length = bytes[8] | (size_t)bytes[9] << 8;
    if (length > MAX_HEADER || length > size - PREFIX)
        return sft_fail(SFT_DATA, "%s: the header is longer than the file: cut off or damaged", path);
    memcpy(header, bytes + PREFIX, length);
    header[length] = '\0';
    SFT_TRY(read_header(path, header, array));
    needed = (size_t)sft_shape_count(&array->shape) * (array->is_float ? 4 : 1);
    if (needed != size - PREFIX - length)
        return sft_fail(SFT_DATA, "%s: %zu bytes of values where the shape needs %zu: cut off or damaged",
                        path, size - PREFIX - length, needed);
    array->data = bytes + PREFIX + length;
    return SFT_OK;
}

enum sft_status sft_array_open(const char *path, struct sft_array *array)
{
    enum sft_status status;
    *array = (struct sft_array){0};
    SFT_TRY(sft_file_open(path, &array->file));
    status = parse(path, array);
    if (status != SFT_OK) sft_array_close(array);
    return status;
}

void sft_array_close(struct sft_array *array)
{
    if (array->file.data) sft_file_close(&array->file);
    *array = (struct sft_array){0};
}

enum sft_status sft_array_write(const char *path, struct sft_shape shape, const float *values)
{
    enum { HEADER = 256 }; /* prefix included; values start aligned */
    size_t bytes = (size_t)sft_shape_count(&shape) * sizeof(float);
    char dims[SFT_SHAPE_TEXT] = "", header[HEADER - PREFIX];
    char *file = sft_calloc(HEADER + bytes, 1);
    enum sft_status status;
    if (!file) return SFT_MEMORY;
    for (int i = 0; i < shape.rank; i++) {
        size_t used = strlen(dims);
        snprintf(dims + used, sizeof(dims) - used, "%" PRId64 ",%s", shape.dim[i],
                 i + 1 < shape.rank ? " " : "");
    }
    snprintf(header, sizeof(header), "{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", dims);
    memset(file, ' ', HEADER);
    memcpy(file, "\x93NUMPY\x01\0", 8);
    file[8] = (char)(HEADER - PREFIX);
    file[9] = 0;
    memcpy(file + PREFIX, header, strlen(header));
    file[HEADER - 1] = '\n';
    memcpy(file + HEADER, values, bytes);
    status = sft_file_write(path, file, HEADER + bytes);
    free(file);
    return status;
}
