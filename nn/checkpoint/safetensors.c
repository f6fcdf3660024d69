/* SPDX-License-Identifier: Apache-2.0 */
/*
 * safetensors: a 64-bit little-endian length, a JSON header of that length, the tensors' bytes. The header is
 * {name: {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}, "__metadata__": {string: string}};
 * offsets count from the end of the header, and the tensors fill the rest of the file without gaps or
 * overlaps.
 */
#include "nn/checkpoint/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/divide.h"
#include "runtime/base/json.h"
#include "runtime/base/json_parse.h"
#include "runtime/base/little_endian.h"

enum { LENGTH_BYTES = 8, MAX_HEADER = 16 << 20 };
static const char metadata_key[] = "__metadata__";

static uint64_t header_length(const struct sft_bytes *file)
{
    return sft_little_endian(file->data, LENGTH_BYTES);
}

/* In a text of JSON, too, a brace may stand there; but then no length stands before it. */
static bool is_safetensors(const struct sft_bytes *file)
{
    int letters = 0;
    if (file->size <= LENGTH_BYTES || file->data[LENGTH_BYTES] != '{') return false;
    for (int i = 0; i < LENGTH_BYTES; i++) letters += file->data[i] >= '\t' && file->data[i] < 0x7f;
    return letters < LENGTH_BYTES;
}

static enum sft_status parse_header(const char *path, const struct sft_bytes *file, json_t **header)
{
    uint64_t length = header_length(file);
    json_error_t error;
    if (length > MAX_HEADER || length > file->size - LENGTH_BYTES)
        return sft_fail(SFT_DATA,
                        "%s: the header claims %" PRIu64 " bytes of a file of %zu (at most %d are read); "
                        "the file is cut off or damaged",
                        path, length, file->size, MAX_HEADER);
    *header = sft_json_parse((const char *)file->data + LENGTH_BYTES, (size_t)length, JSON_REJECT_DUPLICATES,
                             &error);
    if (!*header && sft_json_lacks_memory(&error))
        return sft_fail(SFT_MEMORY, "%s: out of memory for the header", path);
    if (!*header) return sft_fail(SFT_DATA, "%s: the header is no valid JSON: %s", path, error.text);
    if (!json_is_object(*header)) return sft_fail(SFT_DATA, "%s: the header is no JSON object", path);
    return SFT_OK;
}

static enum sft_stored_dtype dtype_of(const char *name)
{
    for (int i = 0; i < SFT_STORED_OTHER; i++)
        if (strcmp(name, sft_stored_dtype_str((enum sft_stored_dtype)i)) == 0)
            return (enum sft_stored_dtype)i;
    return SFT_STORED_OTHER;
}

/* Whether so many elements can lie in so many bytes: exactly, or for a type of another size, which is not
 * read, at a bit each at least. */
static bool fits_in(enum sft_stored_dtype dtype, uint64_t count, size_t bytes)
{
    uint64_t all, size = sft_stored_dtype_size(dtype);
    if (size) return !__builtin_mul_overflow(count, size, &all) && all == bytes;
    return count / 8 + (count % 8 > 0) <= bytes && (count > 0 || bytes == 0);
}

/* Reads "shape" and its product; false when it is no array of sizes, has too many axes, or overflows. */
static bool read_shape(const json_t *array, struct sft_shape *shape, uint64_t *count)
{
    size_t rank = json_array_size(array);
    *count = 1;
    if (!json_is_array(array) || rank > SFT_MAX_RANK) return false;
    shape->rank = (int)rank;
    for (size_t i = 0; i < rank; i++) {
        json_t *size = json_array_get(array, i);
        if (!json_is_integer(size) || json_integer_value(size) < 0) return false;
        shape->dim[i] = json_integer_value(size);
        if (__builtin_mul_overflow(*count, (uint64_t)shape->dim[i], count)) return false;
    }
    return true;
}

static bool read_offsets(const json_t *array, uint64_t limit, uint64_t offsets[2])
{
    if (!json_is_array(array) || json_array_size(array) != 2) return false;
    for (size_t i = 0; i < 2; i++) {
        json_t *offset = json_array_get(array, i);
        if (!json_is_integer(offset) || json_integer_value(offset) < 0) return false;
        offsets[i] = (uint64_t)json_integer_value(offset);
    }
    return offsets[0] <= offsets[1] && offsets[1] <= limit;
}

static enum sft_status read_tensor(const char *path, const char *name, const json_t *entry,
                                   const uint8_t *data, uint64_t limit, struct sft_stored_tensor *tensor)
{
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    uint64_t count, offsets[2];
    if (!dtype) return sft_fail(SFT_DATA, "%s: tensor %.200s has no dtype", path, name);
    if (!read_shape(json_object_get(entry, "shape"), &tensor->shape, &count))
        return sft_fail(SFT_DATA, "%s: tensor %.200s has no valid shape (at most %d axes)", path, name,
                        SFT_MAX_RANK);
    if (!read_offsets(json_object_get(entry, "data_offsets"), limit, offsets))
        return sft_fail(SFT_DATA,
                        "%s: tensor %.200s has offsets outside the file, which has %" PRIu64
                        " bytes of data; "
                        "the file is cut off or damaged",
                        path, name, limit);
    tensor->name = name;
    tensor->dtype = dtype_of(dtype);
    tensor->data = data + offsets[0];
    tensor->bytes = (size_t)(offsets[1] - offsets[0]);
    if (!fits_in(tensor->dtype, count, tensor->bytes))
        return sft_fail(SFT_DATA, "%s: tensor %.200s: its %zu bytes are not those of its shape and type %s",
                        path, name, tensor->bytes, dtype);
    return SFT_OK;
}

static enum sft_status read_metadata(struct sft_checkpoint *checkpoint, json_t *object)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return sft_fail(SFT_DATA, "%s: the metadata is no JSON object", checkpoint->path);
    checkpoint->metadata = sft_calloc(json_object_size(object), sizeof(*checkpoint->metadata));
    if (!checkpoint->metadata) return SFT_MEMORY;
    json_object_foreach(object, key, value)
    {
        if (!json_is_string(value))
            return sft_fail(SFT_DATA, "%s: metadata \"%.200s\" is no string", checkpoint->path, key);
        checkpoint->metadata[checkpoint->n_metadata] = (struct sft_metadata){key, sft_json_bytes(value)};
        if (!checkpoint->metadata[checkpoint->n_metadata++].value) return SFT_MEMORY;
    }
    return SFT_OK;
}

static int by_data(const void *a, const void *b)
{
    const struct sft_stored_tensor *x = a, *y = b;
    const uint8_t *p = x->data, *q = y->data;
    if (p != q) return p < q ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* The tensors have to fill the data without gaps and overlaps. */
static enum sft_status check_cover(struct sft_checkpoint *checkpoint, const uint8_t *data, uint64_t limit)
{
    const uint8_t *end = data;
    qsort(checkpoint->tensors, checkpoint->n_tensors, sizeof(*checkpoint->tensors), by_data);
    for (size_t i = 0; i < checkpoint->n_tensors; i++) {
        const struct sft_stored_tensor *tensor = &checkpoint->tensors[i];
        if ((const uint8_t *)tensor->data != end)
            return sft_fail(
                SFT_DATA,
                "%s: tensor %.200s begins at byte %td of the data, expected %td; the file is damaged",
                checkpoint->path, tensor->name, (const uint8_t *)tensor->data - data, end - data);
        end += tensor->bytes;
    }
    if ((uint64_t)(end - data) != limit)
        return sft_fail(SFT_DATA,
                        "%s: %" PRIu64 " bytes of data, but its tensors take %td; the file is damaged",
                        checkpoint->path, limit, end - data);
    return SFT_OK;
}

static enum sft_status read_safetensors(struct sft_checkpoint *checkpoint, const struct sft_bytes *file)
{
    const uint8_t *data;
    uint64_t limit;
    json_t *header = NULL, *entry;
    const char *name;
    enum sft_status status = parse_header(checkpoint->path, file, &header);
    checkpoint->state = header;
    if (status != SFT_OK) return status;
    data = file->data + LENGTH_BYTES + header_length(file);
    limit = file->size - LENGTH_BYTES - header_length(file);
    if (json_object_size(header) > SFT_MAX_TENSORS)
        return sft_fail(SFT_DATA, "%s: more than %d tensors", checkpoint->path, SFT_MAX_TENSORS);
    checkpoint->tensors = sft_calloc(json_object_size(header), sizeof(*checkpoint->tensors));
    if (!checkpoint->tensors) return SFT_MEMORY;
    json_object_foreach(header, name, entry)
    {
        if (strcmp(name, metadata_key) == 0) {
            SFT_TRY(read_metadata(checkpoint, entry));
            continue;
        }
        SFT_TRY(read_tensor(checkpoint->path, name, entry, data, limit,
                            &checkpoint->tensors[checkpoint->n_tensors]));
        checkpoint->n_tensors++;
    }
    return check_cover(checkpoint, data, limit);
}

static void release_safetensors(struct sft_checkpoint *checkpoint)
{
    for (size_t i = 0; i < checkpoint->n_metadata; i++) free((char *)checkpoint->metadata[i].value);
    json_decref(checkpoint->state);
}

const struct sft_checkpoint_format sft_checkpoint_safetensors = {
    .name = "safetensors",
    .is = is_safetensors,
    .read = read_safetensors,
    .release = release_safetensors,
};

/* ---- writing ---- */

static void describe_metadata(struct sft_json *json, const struct sft_metadata *metadata, size_t n)
{
    sft_json_object(json, metadata_key);
    for (size_t i = 0; i < n; i++) sft_json_text(json, metadata[i].key, metadata[i].value);
    sft_json_end(json);
}

static void describe_tensor(struct sft_json *json, const struct sft_stored_tensor *tensor, size_t begin)
{
    sft_json_object(json, tensor->name);
    sft_json_text(json, "dtype", sft_stored_dtype_str(tensor->dtype));
    sft_json_array(json, "shape");
    for (int i = 0; i < tensor->shape.rank; i++) sft_json_integer(json, NULL, tensor->shape.dim[i]);
    sft_json_end(json);
    sft_json_array(json, "data_offsets");
    sft_json_integer(json, NULL, (int64_t)begin);
    sft_json_integer(json, NULL, (int64_t)(begin + tensor->bytes));
    sft_json_end(json);
    sft_json_end(json);
}

/* The header, and how many bytes of data it tells of. */
static enum sft_status make_header(struct sft_json *json, const char *path,
                                   const struct sft_stored_tensor *tensors, size_t n_tensors,
                                   const struct sft_metadata *metadata, size_t n_metadata, size_t *total)
{
    *total = 0;
    sft_json_object(json, NULL);
    if (n_metadata) describe_metadata(json, metadata, n_metadata);
    for (size_t i = 0; i < n_tensors; i++) {
        size_t names = json_object_size(json->root);
        describe_tensor(json, &tensors[i], *total);
        if (json->status == SFT_OK && json_object_size(json->root) == names)
            return sft_fail(SFT_FAILED, "%s: tensor %s is there twice", path, tensors[i].name);
        *total += tensors[i].bytes;
    }
    sft_json_end(json);
    return SFT_OK;
}

/* The header as text, which is the caller's to free(). */
static enum sft_status describe(const char *path, const struct sft_stored_tensor *tensors, size_t n_tensors,
                                const struct sft_metadata *metadata, size_t n_metadata, char **text,
                                size_t *total)
{
    struct sft_json json = {0};
    struct sft_text header = {0};
    enum sft_status status = make_header(&json, path, tensors, n_tensors, metadata, n_metadata, total);
    if (status == SFT_OK) sft_json_dump(&json, JSON_COMPACT | JSON_ENSURE_ASCII, &header);
    sft_json_free(&json);
    if (header.status != SFT_OK) status = sft_fail(header.status, "%s: not written, see above", path);
    if (status != SFT_OK) sft_text_free(&header);
    *text = header.data;
    return status;
}

/* The file as it is written: its header, then the tensors. */
struct pieces {
    const struct sft_stored_tensor *tensors;
    size_t n_tensors, next; /* 0: the header, k: tensor k-1 */
    uint8_t *header, *packed;
    size_t header_size;
};

/* A tensor as its bytes are in the file: where it lies, or packed. */
static enum sft_status tensor_piece(struct pieces *pieces, const struct sft_stored_tensor *tensor,
                                    struct sft_piece *piece)
{
    *piece = (struct sft_piece){tensor->data, tensor->bytes};
    if (!tensor->strided && !tensor->big_endian) return SFT_OK;
    free(pieces->packed);
    pieces->packed = sft_calloc(tensor->bytes, 1);
    if (!pieces->packed) return SFT_MEMORY;
    sft_stored_pack(tensor, pieces->packed);
    piece->data = pieces->packed;
    return SFT_OK;
}

static enum sft_status next_piece(void *context, struct sft_piece *piece)
{
    struct pieces *pieces = context;
    size_t number = pieces->next++;
    *piece = (struct sft_piece){pieces->header, pieces->header_size};
    if (number == 0) return SFT_OK;
    while (number <= pieces->n_tensors && pieces->tensors[number - 1].bytes == 0) number = pieces->next++;
    *piece = (struct sft_piece){NULL, 0};
    return number <= pieces->n_tensors ? tensor_piece(pieces, &pieces->tensors[number - 1], piece) : SFT_OK;
}

enum sft_status sft_safetensors_write(const char *path, const struct sft_stored_tensor *tensors,
                                      size_t n_tensors, const struct sft_metadata *metadata,
                                      size_t n_metadata)
{
    struct pieces pieces = {.tensors = tensors, .n_tensors = n_tensors};
    char *text = NULL;
    size_t total, length, padded;
    enum sft_status status;
    SFT_TRY_OUT(describe(path, tensors, n_tensors, metadata, n_metadata, &text, &total));
    length = strlen(text);
    padded = (size_t)sft_round_up((int64_t)length, 8);
    pieces.header_size = LENGTH_BYTES + padded;
    pieces.header = sft_calloc(pieces.header_size, 1);
    if (!pieces.header) {
        status = SFT_MEMORY;
        goto out;
    }
    sft_put_little_endian(padded, pieces.header, LENGTH_BYTES);
    memset(pieces.header + LENGTH_BYTES, ' ', padded);
    memcpy(pieces.header + LENGTH_BYTES, text, length);
    status = sft_file_write_pieces(path, next_piece, &pieces);
out:
    free(text);
    free(pieces.header);
    free(pieces.packed);
    return status;
}

static enum sft_status write_content(const char *path, const struct sft_checkpoint_content *content)
{
    for (size_t i = 0; i < content->n_tensors; i++)
        if (content->tensors[i].dtype == SFT_STORED_OTHER)
            return sft_fail(SFT_DATA, "%s: tensor %s has elements of a type that is not written", path,
                            content->tensors[i].name);
    return sft_safetensors_write(path, content->tensors, content->n_tensors, content->metadata,
                                 content->n_metadata);
}

const struct sft_checkpoint_writer sft_writer_safetensors = {
    .name = "safetensors",
    .about = "what timm, transformers and this program read",
    .endings = ".safetensors",
    .write = write_content,
};
