/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/file.h"

/* Magic, version, header length, header; padded so that the values start at a multiple of 64. */
enum { PREFIX = 10, HEADER = 128 };

static const char magic[] = "\x93NUMPY\x01"; /* and the minor version, the terminating zero */

static void put_f32(uint8_t *at, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(bits >> (8 * i));
}

static float get_f32(const uint8_t *at)
{
    uint32_t bits = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

enum sft_status sft_npy_write(const char *path, int64_t n, const float *values)
{
    size_t size = HEADER + (size_t)n * 4;
    uint8_t *bytes = sft_calloc(size, 1);
    enum sft_status status;
    int length;
    if (!bytes) return SFT_MEMORY;
    memset(bytes, ' ', HEADER);
    memcpy(bytes, magic, sizeof(magic));
    bytes[8] = HEADER - PREFIX;
    bytes[9] = 0;
    length = snprintf((char *)bytes + PREFIX, HEADER - PREFIX,
                      "{'descr': '<f4', 'fortran_order': False, 'shape': (%lld,), }", (long long)n);
    bytes[PREFIX + length] = ' ';
    bytes[HEADER - 1] = '\n';
    for (int64_t i = 0; i < n; i++) put_f32(bytes + HEADER + 4 * i, values[i]);
    status = sft_file_write(path, bytes, size);
    free(bytes);
    return status;
}

/* Reads the header dictionary: only what the writer above (and NumPy, for such arrays) puts there is
 * accepted. */
static int parse_header(const uint8_t *bytes, size_t length, int64_t *n)
{
    char text[512];
    const char *shape;
    long long count;
    int end = 0;
    if (length >= sizeof(text)) return 0;
    memcpy(text, bytes, length);
    text[length] = '\0';
    shape = strstr(text, "'shape':");
    if (!shape || !strstr(text, "'descr': '<f4'") || !strstr(text, "'fortran_order': False")) return 0;
    if (sscanf(shape, "'shape': (%18lld,)%n", &count, &end) != 1 || end == 0 || count < 0) return 0;
    *n = count;
    return 1;
}

static enum sft_status parse(const char *path, const struct sft_bytes *file, int64_t *n, float **values)
{
    size_t header;
    if (file->size < PREFIX || memcmp(file->data, magic, sizeof(magic)) != 0)
        return sft_fail(SFT_DATA, "%s: not a .npy file of version 1.0", path);
    header = (size_t)file->data[8] | (size_t)file->data[9] << 8;
    if (file->size - PREFIX < header || !parse_header(file->data + PREFIX, header, n))
        return sft_fail(SFT_DATA, "%s: the header does not describe one dimension of little-endian float32",
                        path);
    if ((uint64_t)*n != (file->size - PREFIX - header) / 4 || (file->size - PREFIX - header) % 4 != 0)
        return sft_fail(SFT_DATA, "%s: the header promises %lld values, but %zu bytes follow it", path,
                        (long long)*n, file->size - PREFIX - header);
    *values = sft_calloc((size_t)*n, sizeof(**values));
    if (!*values) return SFT_MEMORY;
    for (int64_t i = 0; i < *n; i++) (*values)[i] = get_f32(file->data + PREFIX + header + 4 * i);
    return SFT_OK;
}

enum sft_status sft_npy_read(const char *path, int64_t *n, float **values)
{
    struct sft_bytes file;
    enum sft_status status;
    *n = 0;
    *values = NULL;
    SFT_TRY(sft_file_open(path, &file));
    status = parse(path, &file, n, values);
    sft_file_close(&file);
    return status;
}
