/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "nn/checkpoint/metadata.h"
#include "nn/checkpoint/torch/pickle_calls.h"
#include "nn/checkpoint/torch/torch_zip.h"
#include "nn/checkpoint/zip_write.h"
#include "runtime/base/little_endian.h"

#define ROOT "archive/"

/* ---- the pickle: OrderedDict of name -> _rebuild_tensor_v2(storage, 0, sizes, strides, False, {}) ---- */

static void put_number(struct sft_text *pickle, uint64_t number, size_t size)
{
    uint8_t bytes[8];
    sft_put_little_endian(number, bytes, size);
    sft_text_add_bytes(pickle, bytes, size);
}

/* BININT, or LONG1 of eight bytes. */
static void put_int(struct sft_text *pickle, int64_t number)
{
    sft_text_add(pickle, number <= INT32_MAX ? "J" : "\x8a\x08");
    put_number(pickle, (uint64_t)number, number <= INT32_MAX ? 4 : 8);
}

/* BINUNICODE */
static void put_text(struct sft_text *pickle, const char *text)
{
    sft_text_add(pickle, "X");
    put_number(pickle, strlen(text), 4);
    sft_text_add(pickle, text);
}

static void put_global(struct sft_text *pickle, const char *module, const char *name)
{
    sft_text_printf(pickle, "c%s\n%s\n", module, name);
}

static void put_empty_dict(struct sft_text *pickle)
{
    put_global(pickle, "collections", "OrderedDict");
    sft_text_add(pickle, ")R");
}

static void put_ints(struct sft_text *pickle, int n, const int64_t *numbers)
{
    sft_text_add(pickle, "(");
    for (int i = 0; i < n; i++) put_int(pickle, numbers[i]);
    sft_text_add(pickle, "t");
}

/* ("storage", class, key, "cpu", elements), which stands for a member of the zip. */
static void put_storage(struct sft_text *pickle, const struct sft_stored_tensor *tensor, size_t number)
{
    char key[32];
    snprintf(key, sizeof(key), "%zu", number);
    sft_text_add(pickle, "(");
    put_text(pickle, "storage");
    put_global(pickle, "torch", sft_pickle_storage_class(tensor->dtype));
    put_text(pickle, key);
    put_text(pickle, "cpu");
    put_int(pickle, (int64_t)(tensor->bytes / sft_stored_dtype_size(tensor->dtype)));
    sft_text_add(pickle, "tQ");
}

static void put_tensor(struct sft_text *pickle, const struct sft_stored_tensor *tensor, size_t number)
{
    int64_t strides[SFT_MAX_RANK], apart = 1;
    for (int i = tensor->shape.rank - 1; i >= 0; i--) {
        strides[i] = apart;
        apart *= tensor->shape.dim[i] > 0 ? tensor->shape.dim[i] : 1;
    }
    put_text(pickle, tensor->name);
    put_global(pickle, "torch._utils", "_rebuild_tensor_v2");
    sft_text_add(pickle, "(");
    put_storage(pickle, tensor, number);
    put_int(pickle, 0);
    put_ints(pickle, tensor->shape.rank, tensor->shape.dim);
    put_ints(pickle, tensor->shape.rank, strides);
    sft_text_add(pickle, "\x89"); /* requires no gradient */
    put_empty_dict(pickle);
    sft_text_add(pickle, "tR");
}

static enum sft_status make_pickle(const struct sft_checkpoint_content *content, struct sft_text *pickle)
{
    sft_text_add(pickle, "\x80\2");
    put_empty_dict(pickle);
    sft_text_add(pickle, "(");
    for (size_t i = 0; i < content->n_tensors; i++) put_tensor(pickle, &content->tensors[i], i);
    sft_text_add(pickle, "u.");
    return pickle->status;
}

/* ---- the zip ---- */

static enum sft_status add_bytes(struct sft_zip_writer *zip, const char *name, const void *bytes, size_t size)
{
    uint8_t *to;
    SFT_TRY(sft_zip_add(zip, name, size, &to));
    memcpy(to, bytes, size);
    return SFT_OK;
}

static enum sft_status add_members(struct sft_zip_writer *zip, const struct sft_checkpoint_content *content,
                                   const struct sft_text *pickle, const struct sft_text *metadata)
{
    SFT_TRY(add_bytes(zip, ROOT "data.pkl", pickle->data, pickle->length));
    SFT_TRY(add_bytes(zip, ROOT "byteorder", "little", 6));
    for (size_t i = 0; i < content->n_tensors; i++) {
        char name[48];
        uint8_t *bytes;
        snprintf(name, sizeof(name), ROOT "data/%zu", i);
        SFT_TRY(sft_zip_add(zip, name, content->tensors[i].bytes, &bytes));
        sft_stored_pack(&content->tensors[i], bytes);
    }
    if (metadata->length) SFT_TRY(add_bytes(zip, ROOT SFT_METADATA_MEMBER, metadata->data, metadata->length));
    return add_bytes(zip, ROOT "version", "3\n", 2);
}

static enum sft_status check(const char *path, const struct sft_checkpoint_content *content, size_t *bytes)
{
    *bytes = 0;
    for (size_t i = 0; i < content->n_tensors; i++) {
        const struct sft_stored_tensor *tensor = &content->tensors[i];
        if (!sft_pickle_storage_class(tensor->dtype))
            return sft_fail(SFT_DATA,
                            "%s: tensor %s has elements of a type (%s) that is not written for PyTorch", path,
                            tensor->name, sft_stored_dtype_str(tensor->dtype));
        *bytes += tensor->bytes;
    }
    return SFT_OK;
}

static enum sft_status write_torch_zip(const char *path, const struct sft_checkpoint_content *content)
{
    enum { OTHERS = 4, NAME = 48, VERSION = 16 };
    struct sft_zip_writer zip = {0};
    struct sft_text pickle = {0}, metadata = {0};
    size_t bytes;
    enum sft_status status;
    SFT_TRY(check(path, content, &bytes));
    SFT_TRY_OUT(make_pickle(content, &pickle));
    if (content->n_metadata)
        SFT_TRY_OUT(sft_metadata_text(content->metadata, content->n_metadata, &metadata));
    bytes += pickle.length + metadata.length + VERSION;
    SFT_TRY_OUT(sft_zip_reserve(&zip, bytes, content->n_tensors + OTHERS, NAME, 0));
    SFT_TRY_OUT(add_members(&zip, content, &pickle, &metadata));
    status = sft_zip_finish(&zip, path, NULL, 0);
out:
    sft_zip_free(&zip);
    sft_text_free(&pickle);
    sft_text_free(&metadata);
    return status;
}

const struct sft_checkpoint_writer sft_writer_torch_zip = {
    .name = "pth",
    .about = "a state dict that torch.load(weights_only=True) reads",
    .endings = ".pth .pt .bin .ckpt",
    .write = write_torch_zip,
};
