/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SVHN, format 2 (Y. Netzer et al., 2011): train_32x32.mat, test_32x32.mat, extra_32x32.mat. Of MATLAB's
 * level 5 MAT format only what these use is read: little-endian, numeric arrays, each compressed by zlib or
 * not. X is (32, 32, 3, N) uint8 in column-major order, y is (N, 1) with 1 .. 10, 10 being the digit 0.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "datasets/format.h"
#include "runtime/base/alloc.h"
#include "runtime/base/divide.h"
#include "runtime/base/file.h"
#include "runtime/base/little_endian.h"

enum {
    MI_INT8 = 1,
    MI_UINT8 = 2,
    MI_INT16 = 3,
    MI_UINT16 = 4,
    MI_INT32 = 5,
    MI_UINT32 = 6,
    MI_DOUBLE = 9,
    MI_MATRIX = 14,
    MI_COMPRESSED = 15
};
enum { HEADER = 128, SIDE = 32, IMAGE = SIDE * SIDE * 3, CLASSES = 10, MAX_DIMS = 4 };

/* A data element: a view of its bytes. */
struct element {
    uint32_t type;
    const uint8_t *data;
    size_t size;
};

/* A numeric array of the file. */
struct array {
    uint8_t *memory; /* unpacked, or NULL */
    char name[8];
    int dims;
    int64_t shape[MAX_DIMS];
    struct element values;
};

struct svhn {
    char *path;
    struct sft_bytes file;
    struct array x;
    uint8_t *labels; /* (N) */
    int64_t count;
};

static uint32_t u32(const uint8_t *at) { return (uint32_t)sft_little_endian(at, 4); }

/* Takes the element at *at off the bytes up to `end`. False when it does not fit. Elements of up to 4 bytes
 * have their size in the upper half of the type; others are padded to 8 bytes, except compressed ones. */
static bool next_element(const uint8_t **at, const uint8_t *end, struct element *element)
{
    size_t left = (size_t)(end - *at), padded;
    if (left < 8) return false;
    element->type = u32(*at) & 0xffff;
    element->size = u32(*at) >> 16;
    element->data = *at + 4;
    if (element->size) {
        *at += 8;
        return element->size <= 4;
    }
    element->size = u32(*at + 4);
    element->data = *at + 8;
    if (element->size > left - 8) return false;
    padded = element->type == MI_COMPRESSED ? element->size : (size_t)sft_round_up((int64_t)element->size, 8);
    *at = padded > left - 8 ? end : *at + 8 + padded;
    return true;
}

static enum sft_status damaged(const char *path, const char *reason)
{
    return sft_fail(SFT_DATA, "%s: damaged MAT file: %s; fetch it again", path, reason);
}

/* Inflates exactly `size` more bytes. */
static bool inflate_some(z_stream *stream, uint8_t *out, size_t size)
{
    stream->next_out = out;
    stream->avail_out = (uInt)size;
    while (stream->avail_out > 0)
        if (inflate(stream, Z_SYNC_FLUSH) != Z_OK) break;
    return stream->avail_out == 0;
}

/* Is the stream at its end, with the right checksum? */
static bool ends_well(z_stream *stream)
{
    uint8_t spare;
    stream->next_out = &spare;
    stream->avail_out = 1;
    return inflate(stream, Z_FINISH) == Z_STREAM_END && stream->avail_out == 1;
}

/* Unpacks a compressed element: the tag inside tells how long it is. */
static enum sft_status unpack(const char *path, const struct element *packed, struct array *array,
                              struct element *matrix)
{
    enum sft_status status = SFT_OK;
    uint8_t tag[8];
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)packed->data, .avail_in = (uInt)packed->size};
    if (inflateInit(&stream) != Z_OK) return sft_fail(SFT_MEMORY, "%s: out of memory while unpacking", path);
    if (!inflate_some(&stream, tag, sizeof(tag))) {
        status = damaged(path, "an array does not unpack");
        goto out;
    }
    matrix->type = u32(tag);
    matrix->size = u32(tag + 4);
    if (matrix->size / 1040 > packed->size) { /* more than deflate can pack */
        status = damaged(path, "an array tells of more bytes than it can hold");
        goto out;
    }
    array->memory = sft_calloc(matrix->size, 1);
    matrix->data = array->memory;
    if (!array->memory)
        status = SFT_MEMORY;
    else if (!inflate_some(&stream, array->memory, matrix->size) || !ends_well(&stream))
        status = damaged(path, "an array does not unpack");
out:
    inflateEnd(&stream);
    return status;
}

/* Flags, dimensions, name, values. Sets values.data to NULL where it is no plain numeric array. */
static enum sft_status parse_matrix(const char *path, const struct element *matrix, struct array *array)
{
    const uint8_t *at = matrix->data, *end = at + matrix->size;
    struct element flags, dims, name;
    array->values.data = NULL;
    if (!next_element(&at, end, &flags) || !next_element(&at, end, &dims) || !next_element(&at, end, &name))
        return damaged(path, "an array's head is cut off");
    if (dims.type != MI_INT32 || name.type != MI_INT8 || dims.size / 4 > MAX_DIMS ||
        name.size >= sizeof(array->name))
        return SFT_OK;
    array->dims = (int)(dims.size / 4);
    for (int d = 0; d < array->dims; d++) array->shape[d] = u32(dims.data + 4 * d);
    memcpy(array->name, name.data, name.size);
    array->name[name.size] = '\0';
    if (!next_element(&at, end, &array->values)) return damaged(path, "an array's values are cut off");
    return SFT_OK;
}

/* MATLAB drops the last dimension of a single image. */
static enum sft_status check_x(struct svhn *svhn)
{
    struct array *x = &svhn->x;
    if (x->dims == 3) {
        x->shape[3] = 1;
        x->dims = 4;
    }
    if (x->dims != 4 || x->shape[0] != SIDE || x->shape[1] != SIDE || x->shape[2] != 3)
        return sft_fail(SFT_DATA,
                        "%s: X is not (32, 32, 3, N); SVHN's format 2 (train_32x32.mat, ...) is read",
                        svhn->path);
    if (x->values.type != MI_UINT8 || x->shape[3] < 1 || x->values.size != (size_t)x->shape[3] * IMAGE)
        return damaged(svhn->path, "X does not have the values that its size tells of");
    return SFT_OK;
}

/* Value i of an array of labels as a whole number; -1 when it is none. */
static int label_at(const struct element *values, size_t item, int64_t i)
{
    const uint8_t *at = values->data + (size_t)i * item;
    double value;
    if (item == 1) return at[0];
    if (item == 2) return (int)sft_little_endian(at, 2);
    if (item == 4) return u32(at) > 255 ? -1 : (int)u32(at);
    memcpy(&value, at, sizeof(value));
    return value >= 0 && value <= 255 ? (int)value : -1;
}

static enum sft_status read_labels(struct svhn *svhn, const struct array *y)
{
    static const size_t sizes[16] = {[MI_INT8] = 1,  [MI_UINT8] = 1,  [MI_INT16] = 2, [MI_UINT16] = 2,
                                     [MI_INT32] = 4, [MI_UINT32] = 4, [MI_DOUBLE] = 8};
    size_t item = y->values.type < 16 ? sizes[y->values.type] : 0;
    svhn->count = svhn->x.shape[3];
    if (!item || y->values.size != item * (size_t)svhn->count)
        return sft_fail(SFT_DATA, "%s: y does not have a label for each of the %" PRId64 " images",
                        svhn->path, svhn->count);
    svhn->labels = sft_calloc((size_t)svhn->count, 1);
    if (!svhn->labels) return SFT_MEMORY;
    for (int64_t i = 0; i < svhn->count; i++) {
        int label = label_at(&y->values, item, i);
        if (label < 0 || label > CLASSES)
            return sft_fail(SFT_DATA, "%s: image %" PRId64 " has label %d; labels are 1 to 10", svhn->path, i,
                            label);
        svhn->labels[i] = (uint8_t)(label % CLASSES);
    }
    return SFT_OK;
}

/* Moves the arrays X and y of the file to where they are wanted; frees the others. */
static enum sft_status find_arrays(struct svhn *svhn, struct array *y)
{
    const uint8_t *at = svhn->file.data + HEADER, *end = svhn->file.data + svhn->file.size;
    while (at < end) {
        struct element packed, element;
        struct array array = {0}, *wanted;
        enum sft_status status = SFT_OK;
        if (!next_element(&at, end, &packed)) return damaged(svhn->path, "it is cut off");
        element = packed;
        if (packed.type == MI_COMPRESSED) status = unpack(svhn->path, &packed, &array, &element);
        if (status == SFT_OK && element.type == MI_MATRIX)
            status = parse_matrix(svhn->path, &element, &array);
        wanted = strcmp(array.name, "X") == 0 ? &svhn->x : strcmp(array.name, "y") == 0 ? y : NULL;
        if (status == SFT_OK && wanted && array.values.data && !wanted->values.data)
            *wanted = array;
        else
            free(array.memory);
        SFT_TRY(status);
    }
    if (!svhn->x.values.data || !y->values.data)
        return sft_fail(SFT_DATA,
                        "%s: no arrays X and y in it; SVHN's format 2 (train_32x32.mat, ...) is read",
                        svhn->path);
    return SFT_OK;
}

static enum sft_status check_head(const struct svhn *svhn)
{
    const uint8_t *head = svhn->file.data;
    if (svhn->file.size < HEADER || memcmp(head + 126, "IM", 2) != 0)
        return sft_fail(SFT_DATA, "%s: no little-endian MAT file of level 5", svhn->path);
    if (memcmp(head, "MATLAB 7.3", 10) == 0)
        return sft_fail(SFT_DATA, "%s: a MAT file of version 7.3; save it again with -v7", svhn->path);
    if (memcmp(head, "MATLAB 5.0", 10) == 0) return SFT_OK;
    return sft_fail(SFT_DATA, "%s: no MAT file of level 5", svhn->path);
}

static enum sft_status open_svhn(const char *path, const char *split, struct sft_source *source)
{
    struct svhn *svhn = sft_calloc(1, sizeof(*svhn));
    struct array y = {0};
    enum sft_status status;
    (void)split;
    source->state = svhn;
    source->classes = CLASSES;
    if (!svhn) return SFT_MEMORY;
    svhn->path = sft_strdup(path);
    if (!svhn->path) return SFT_MEMORY;
    SFT_TRY(sft_file_open(path, &svhn->file));
    SFT_TRY(check_head(svhn));
    status = find_arrays(svhn, &y);
    if (status == SFT_OK) status = check_x(svhn);
    if (status == SFT_OK) status = read_labels(svhn, &y);
    free(y.memory);
    source->count = svhn->count;
    return status;
}

static enum sft_status read_image(const void *state, int64_t i, struct sft_image *image, int *label)
{
    const struct svhn *svhn = state;
    const uint8_t *from = svhn->x.values.data + (size_t)i * IMAGE;
    SFT_TRY(sft_image_reserve(image, SIDE, SIDE, svhn->path));
    for (int c = 0; c < 3; c++)
        for (int x = 0; x < SIDE; x++)
            for (int y = 0; y < SIDE; y++) image->rgb[3 * (y * SIDE + x) + c] = *from++;
    *label = svhn->labels[i];
    return SFT_OK;
}

static const char *class_name(const void *state, int label)
{
    static const char *const digits[CLASSES] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    (void)state;
    return digits[label];
}

static void identity(const void *state, char hex[65])
{
    const struct svhn *svhn = state;
    char parts[2][65];
    sft_sha256(svhn->x.values.data, svhn->x.values.size, parts[0]);
    sft_sha256(svhn->labels, (size_t)svhn->count, parts[1]);
    sft_sha256(parts, sizeof(parts), hex);
}

static void close_svhn(void *state)
{
    struct svhn *svhn = state;
    sft_file_close(&svhn->file);
    free(svhn->x.memory);
    free(svhn->labels);
    free(svhn->path);
    free(svhn);
}

static bool claims(const struct sft_look *look)
{
    return memcmp(look->head, "MATLAB 5.0", 10) == 0 || memcmp(look->head, "MATLAB 7.3", 10) == 0;
}

const struct sft_format sft_format_svhn = {
    .name = "svhn",
    .help = "svhn:FILE.mat     Street View House Numbers, format 2 (train_32x32.mat, test_32x32.mat, "
            "extra_32x32.mat)",
    .needs_path = true,
    .claims = claims,
    .open = open_svhn,
    .read = read_image,
    .class_name = class_name,
    .identity = identity,
    .close = close_svhn,
};
