/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "nn/checkpoint/metadata.h"
#include "nn/checkpoint/npz.h"
#include "nn/checkpoint/zip_write.h"
#include "runtime/base/alloc.h"
#include "runtime/base/divide.h"
#include "runtime/base/little_endian.h"
#include "runtime/base/npy.h"

enum { MAX_COMMENT = 65535, ALIGNMENT = 64, MAX_HEADER = 256 };

/* NumPy's name of each type; bfloat16 is written as float32, which holds all of its numbers. */
static const char *const types[] = {
    [SFT_STORED_F32] = "<f4",  [SFT_STORED_F16] = "<f2",  [SFT_STORED_BF16] = "<f4", [SFT_STORED_F64] = "<f8",
    [SFT_STORED_I64] = "<i8",  [SFT_STORED_I32] = "<i4",  [SFT_STORED_I16] = "<i2",  [SFT_STORED_I8] = "|i1",
    [SFT_STORED_U64] = "<u8",  [SFT_STORED_U32] = "<u4",  [SFT_STORED_U16] = "<u2",  [SFT_STORED_U8] = "|u1",
    [SFT_STORED_BOOL] = "|b1", [SFT_STORED_OTHER] = NULL,
};

static size_t value_bytes(const struct sft_stored_tensor *tensor)
{
    return tensor->dtype == SFT_STORED_BF16 ? 2 * tensor->bytes : tensor->bytes;
}

/* All before the values, padded so that they begin at a multiple of 64 bytes, as NumPy does. */
static enum sft_status make_header(const struct sft_stored_tensor *tensor, struct sft_text *text)
{
    static const char front[] = SFT_NPY_MAGIC "\1\0\0\0"; /* version 1.0, and a length */
    const size_t begin = sizeof(front) - 1;
    size_t padded;
    sft_text_add_bytes(text, front, begin);
    sft_text_printf(text, "{'descr': '%s', 'fortran_order': False, 'shape': (", types[tensor->dtype]);
    for (int i = 0; i < tensor->shape.rank; i++)
        sft_text_printf(text, i ? ", %" PRId64 : "%" PRId64, tensor->shape.dim[i]);
    sft_text_add(text, tensor->shape.rank == 1 ? ",), }" : "), }");
    padded = (size_t)sft_round_up((int64_t)text->length + 1, ALIGNMENT);
    while (text->status == SFT_OK && text->length < padded - 1) sft_text_add(text, " ");
    sft_text_add(text, "\n");
    if (text->status == SFT_OK) sft_put_little_endian(padded - begin, (uint8_t *)text->data + begin - 2, 2);
    return text->status;
}

static enum sft_status put_values(const struct sft_stored_tensor *tensor, uint8_t *to)
{
    float *values;
    enum sft_status status;
    if (tensor->dtype != SFT_STORED_BF16) {
        sft_stored_pack(tensor, to);
        return SFT_OK;
    }
    values = sft_calloc(tensor->bytes / 2, sizeof(*values));
    if (!values) return SFT_MEMORY;
    status = sft_stored_read(tensor, values);
    for (size_t i = 0; status == SFT_OK && i < tensor->bytes / 2; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof(bits));
        sft_put_little_endian(bits, to + 4 * i, 4);
    }
    free(values);
    return status;
}

static enum sft_status add_tensor(struct sft_zip_writer *zip, const struct sft_stored_tensor *tensor)
{
    struct sft_text header = {0}, name = {0};
    uint8_t *bytes;
    enum sft_status status;
    SFT_TRY_OUT(make_header(tensor, &header));
    sft_text_printf(&name, "%s.npy", tensor->name);
    SFT_TRY_OUT(name.status);
    SFT_TRY_OUT(sft_zip_add(zip, name.data, header.length + value_bytes(tensor), &bytes));
    memcpy(bytes, header.data, header.length);
    SFT_TRY_OUT(put_values(tensor, bytes + header.length));
out:
    sft_text_free(&header);
    sft_text_free(&name);
    return status;
}

static enum sft_status check(const char *path, const struct sft_checkpoint_content *content, size_t *bytes,
                             size_t *longest)
{
    *bytes = *longest = 0;
    for (size_t i = 0; i < content->n_tensors; i++) {
        const struct sft_stored_tensor *tensor = &content->tensors[i];
        const size_t length = strlen(tensor->name) + 4;
        if (!types[tensor->dtype])
            return sft_fail(SFT_DATA, "%s: tensor %s has elements of a type that NumPy does not have", path,
                            tensor->name);
        if (length > UINT16_MAX) return sft_fail(SFT_DATA, "%s: a tensor's name is too long", path);
        *bytes += MAX_HEADER + value_bytes(tensor);
        if (length > *longest) *longest = length;
    }
    return SFT_OK;
}

static enum sft_status write_npz(const char *path, const struct sft_checkpoint_content *content)
{
    struct sft_zip_writer zip = {0};
    struct sft_text comment = {0};
    size_t bytes, longest;
    enum sft_status status;
    SFT_TRY(check(path, content, &bytes, &longest));
    if (content->n_metadata) SFT_TRY_OUT(sft_metadata_text(content->metadata, content->n_metadata, &comment));
    if (comment.length > MAX_COMMENT) {
        status =
            sft_fail(SFT_DATA,
                     "%s: %zu bytes of metadata (names of classes) do not fit into an .npz, which has room "
                     "for %d; write .safetensors",
                     path, comment.length, MAX_COMMENT);
        goto out;
    }
    SFT_TRY_OUT(sft_zip_reserve(&zip, bytes, content->n_tensors, longest, comment.length));
    for (size_t i = 0; i < content->n_tensors; i++) SFT_TRY_OUT(add_tensor(&zip, &content->tensors[i]));
    status = sft_zip_finish(&zip, path, comment.data, comment.length);
out:
    sft_zip_free(&zip);
    sft_text_free(&comment);
    return status;
}

const struct sft_checkpoint_writer sft_writer_npz = {
    .name = "npz",
    .about = "what numpy.load() reads",
    .endings = ".npz",
    .write = write_npz,
};
