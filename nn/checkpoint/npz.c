/* SPDX-License-Identifier: Apache-2.0 */
/* A member is NAME.npy: a magic number, a version, the length of the header, the header, a line of Python as
 * {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }, and the elements. */
#include "nn/checkpoint/npz.h"

#include <stdlib.h>
#include <string.h>

#include "nn/checkpoint/metadata.h"
#include "nn/checkpoint/zip.h"
#include "runtime/base/alloc.h"
#include "runtime/base/little_endian.h"
#include "runtime/base/log.h"
#include "runtime/base/npy.h"

enum { MAGIC = sizeof(SFT_NPY_MAGIC) - 1, LENGTH_AT = MAGIC + 2, MAX_HEADER = 1 << 16 };

static bool is_npz(const struct sft_bytes *file) { return sft_zip_mentions(file, ".npy"); }

/* ---- the header ---- */

static const struct {
    const char *text; /* behind the byte order */
    enum sft_stored_dtype dtype;
} types[] = {
    {"f4", SFT_STORED_F32}, {"f2", SFT_STORED_F16}, {"f8", SFT_STORED_F64}, {"i8", SFT_STORED_I64},
    {"i4", SFT_STORED_I32}, {"i2", SFT_STORED_I16}, {"i1", SFT_STORED_I8},  {"u8", SFT_STORED_U64},
    {"u4", SFT_STORED_U32}, {"u2", SFT_STORED_U16}, {"u1", SFT_STORED_U8},  {"b1", SFT_STORED_BOOL},
};
enum { TYPES = sizeof(types) / sizeof(types[0]) };

/* What stands behind a key; "" where the key is missing. */
static const char *value_of(const char *header, const char *key)
{
    const char *at = strstr(header, key);
    if (!at) return "";
    at += strlen(key);
    return at + strspn(at, " :");
}

/* '<f4': false for another type. */
static bool read_type(const char *text, struct sft_stored_tensor *tensor)
{
    if (text[0] != '\'' || !text[1] || !strchr("<>|=", text[1])) return false;
    tensor->big_endian = text[1] == '>';
    for (int i = 0; i < TYPES; i++) {
        const size_t length = strlen(types[i].text);
        if (strncmp(text + 2, types[i].text, length) != 0 || text[2 + length] != '\'') continue;
        tensor->dtype = types[i].dtype;
        return true;
    }
    return false;
}

/* (), (2,), (2, 3): false for what is none, or has too many axes. */
static bool read_shape(const char *text, struct sft_shape *shape)
{
    const char *at = text + 1;
    shape->rank = 0;
    if (*text != '(') return false;
    while (shape->rank < SFT_MAX_RANK && *at >= '0' && *at <= '9') {
        char *end;
        shape->dim[shape->rank++] = strtoll(at, &end, 10);
        at = end + strspn(end, "L, "); /* Python 2 has 3L */
    }
    return *at == ')';
}

/* Columns first: the strides are those of the axes in reverse. */
static void make_fortran(struct sft_stored_tensor *tensor)
{
    int64_t apart = 1;
    tensor->strided = tensor->shape.rank > 1;
    for (int i = 0; i < tensor->shape.rank; i++) {
        tensor->stride[i] = apart;
        apart *= tensor->shape.dim[i];
    }
}

static enum sft_status describe(const struct sft_checkpoint *checkpoint, const char *header, size_t there,
                                struct sft_stored_tensor *tensor)
{
    const char *order = value_of(header, "'fortran_order'");
    uint64_t count;
    if (!read_shape(value_of(header, "'shape'"), &tensor->shape) ||
        !sft_stored_count(&tensor->shape, sft_stored_dtype_size(tensor->dtype), &count))
        return sft_fail(SFT_DATA, "%s: array %.200s has no valid shape (at most %d axes)", checkpoint->path,
                        tensor->name, SFT_MAX_RANK);
    tensor->bytes = (size_t)count * sft_stored_dtype_size(tensor->dtype);
    if (tensor->bytes != there)
        return sft_fail(SFT_DATA,
                        "%s: array %.200s: its header tells of %zu bytes, but %zu follow; it is damaged",
                        checkpoint->path, tensor->name, tensor->bytes, there);
    if (strncmp(order, "True", 4) == 0)
        make_fortran(tensor);
    else if (strncmp(order, "False", 5) != 0)
        return sft_fail(SFT_DATA, "%s: array %.200s does not say its order", checkpoint->path, tensor->name);
    return SFT_OK;
}

/* An array of objects, texts or records holds no weights: it is named and left out. */
static void leave_out(const struct sft_checkpoint *checkpoint, const char *name, const char *type)
{
    const size_t length = strcspn(type, ",}");
    sft_log(SFT_LOG_INFO, "%s: array %.200s is left out: its elements (%.*s) are no numbers that are read",
            checkpoint->path, name, length < 40 ? (int)length : 40, type);
}

static enum sft_status read_array(struct sft_checkpoint *checkpoint, const char *name, const char *header,
                                  const struct sft_bytes *values)
{
    const char *type = value_of(header, "'descr'");
    struct sft_stored_tensor tensor = {.name = name, .data = values->data};
    if (!read_type(type, &tensor)) {
        leave_out(checkpoint, name, type);
        return SFT_OK;
    }
    SFT_TRY(describe(checkpoint, header, values->size, &tensor));
    checkpoint->tensors[checkpoint->n_tensors++] = tensor;
    return SFT_OK;
}

static enum sft_status read_member(struct sft_checkpoint *checkpoint, const char *name,
                                   const struct sft_bytes *bytes)
{
    const uint8_t *at = bytes->data;
    size_t begin, length;
    char *header;
    enum sft_status status;
    struct sft_bytes values;
    if (bytes->size < LENGTH_AT + 4 || memcmp(at, SFT_NPY_MAGIC, MAGIC) != 0 || at[MAGIC] < 1 ||
        at[MAGIC] > 3)
        return sft_fail(SFT_DATA, "%s: array %.200s is no .npy of version 1 to 3", checkpoint->path, name);
    begin = LENGTH_AT + (at[MAGIC] == 1 ? 2 : 4);
    length = (size_t)sft_little_endian(at + LENGTH_AT, begin - LENGTH_AT);
    if (length > bytes->size - begin || length > MAX_HEADER)
        return sft_fail(SFT_DATA, "%s: array %.200s: its header claims %zu bytes; it is damaged",
                        checkpoint->path, name, length);
    header = sft_calloc(length + 1, 1);
    if (!header) return SFT_MEMORY;
    memcpy(header, at + begin, length);
    values = (struct sft_bytes){.data = at + begin + length, .size = bytes->size - begin - length};
    status = read_array(checkpoint, name, header, &values);
    free(header);
    return status;
}

/* ---- the archive ---- */

/* Length of the array's name, which is that of the member without its ending; 0 for other members. */
static size_t name_length(const char *member)
{
    const size_t length = strlen(member);
    return length > 4 && strcmp(member + length - 4, ".npy") == 0 ? length - 4 : 0;
}

static enum sft_status read_members(struct sft_checkpoint *checkpoint, struct sft_zip *zip)
{
    if (zip->n > SFT_MAX_TENSORS)
        return sft_fail(SFT_DATA, "%s: more than %d arrays", checkpoint->path, SFT_MAX_TENSORS);
    checkpoint->tensors = sft_calloc(zip->n, sizeof(*checkpoint->tensors));
    if (!checkpoint->tensors) return SFT_MEMORY;
    for (size_t i = 0; i < zip->n; i++) {
        const size_t length = name_length(zip->members[i].name);
        struct sft_bytes bytes;
        const char *name;
        if (length == 0) continue;
        name = sft_checkpoint_own_text(checkpoint, zip->members[i].name, length);
        if (!name) return SFT_MEMORY;
        SFT_TRY(sft_zip_take(zip, &zip->members[i], &bytes));
        SFT_TRY(read_member(checkpoint, name, &bytes));
    }
    return SFT_OK;
}

/* A comment that begins as a JSON object is ours. */
static enum sft_status read_comment(struct sft_checkpoint *checkpoint, const struct sft_zip *zip)
{
    const struct sft_bytes bytes = {.data = zip->comment, .size = zip->comment_size};
    if (bytes.size == 0 || bytes.data[0] != '{') return SFT_OK;
    return sft_metadata_read(checkpoint, &bytes);
}

static enum sft_status read_npz(struct sft_checkpoint *checkpoint, const struct sft_bytes *file)
{
    struct sft_zip *zip = sft_calloc(1, sizeof(*zip));
    checkpoint->state = zip;
    if (!zip) return SFT_MEMORY;
    SFT_TRY(sft_zip_open(checkpoint->path, file, zip));
    SFT_TRY(read_members(checkpoint, zip));
    return read_comment(checkpoint, zip);
}

static void release(struct sft_checkpoint *checkpoint)
{
    if (checkpoint->state) sft_zip_close(checkpoint->state);
    free(checkpoint->state);
}

const struct sft_checkpoint_format sft_checkpoint_npz = {
    .name = "NumPy archive (npz)",
    .is = is_npz,
    .read = read_npz,
    .release = release,
};
