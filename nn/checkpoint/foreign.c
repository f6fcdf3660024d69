/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/checkpoint/foreign.h"

#include <stdint.h>
#include <string.h>

#include "nn/checkpoint/zip.h"

/* ---- zip ---- */

static bool is_cut_zip(const struct sft_bytes *file)
{
    return sft_zip_begins(file) && !sft_zip_has_list(file);
}

/* ---- pickle ---- */

static bool is_pickle(const struct sft_bytes *file)
{
    return file->size > 2 && file->data[0] == 0x80 && file->data[1] >= 2 && file->data[1] <= 5;
}

/* ---- text ---- */

static bool is_json(const struct sft_bytes *file)
{
    return sft_text_file_starts(file, "{") || sft_text_file_starts(file, "[");
}

/* ---- others without a magic number ---- */

/* A protobuf of the version of ONNX, a small number, and then one of the other fields of a model. */
static bool is_onnx(const struct sft_bytes *file)
{
    return file->size > 3 && file->data[0] == 0x08 && file->data[1] < 0x20 &&
           memchr("\x12\x1a\x22\x32\x3a\x42", file->data[2], 6);
}

/* A map whose first key is a text. */
static bool is_msgpack(const struct sft_bytes *file)
{
    return file->size > 2 && file->data[0] > 0x80 && file->data[0] < 0x90 && file->data[1] >= 0xa0 &&
           file->data[1] < 0xc0;
}

/* ---- all of them ---- */

#define SAVE_ARRAYS                                                                                          \
    "safetensors, PyTorch files and NumPy's .npz are read: save its arrays with "                            \
    "safetensors.numpy.save_file() or numpy.savez()"
#define UNPACK "unpack it first"

/* The first that fits counts: those that look at more of a file come first. */
static const struct row {
    struct sft_foreign foreign;
    bool (*is)(const struct sft_bytes *file); /* NULL: these bytes at this offset */
    size_t offset, length;
    const char *bytes;
} rows[] = {
    {{"a JSON text", "name the file with the weights", false}, .is = is_json},
    {{"a zip archive that is cut off: its list of members (the central directory) is missing",
      "download it again", true},
     .is = is_cut_zip},
    {{"a Python pickle without the container of PyTorch", SAVE_ARRAYS, false}, .is = is_pickle},
    {{"one NumPy array (.npy) and not a checkpoint", "save all arrays with numpy.savez()", false},
     NULL,
     0,
     6,
     "\x93NUMPY"},
    {{"an HDF5 file (Keras, TensorFlow)",
      "of the published BiT models take the .npz of the same name; else save its arrays with numpy.savez()",
      true},
     NULL,
     0,
     8,
     "\x89HDF\r\n\x1a\n"},
    {{"a GGUF file", SAVE_ARRAYS, true}, NULL, 0, 4, "GGUF"},
    {{"a TensorFlow Lite model", SAVE_ARRAYS, true}, NULL, 4, 4, "TFL3"},
    {{"an ONNX model", SAVE_ARRAYS, false}, .is = is_onnx},
    {{"a msgpack file (Flax)", SAVE_ARRAYS, false}, .is = is_msgpack},
    {{"packed with gzip", UNPACK, false}, NULL, 0, 2, "\x1f\x8b"},
    {{"packed with xz", UNPACK, false},
     NULL,
     0,
     6,
     "\xfd"
     "7zXZ\0"},
    {{"packed with zstd", UNPACK, false}, NULL, 0, 4, "\x28\xb5\x2f\xfd"},
    {{"packed with bzip2", UNPACK, false}, NULL, 0, 3, "BZh"},
    {{"a 7z archive", UNPACK, false}, NULL, 0, 6, "7z\xbc\xaf\x27\x1c"},
    {{"a RAR archive", UNPACK, false}, NULL, 0, 4, "Rar!"},
    {{"a picture (PNG)", "name the file with the weights", false}, NULL, 0, 4, "\x89PNG"},
    {{"a picture (JPEG)", "name the file with the weights", false}, NULL, 0, 3, "\xff\xd8\xff"},
    {{"a PDF", "name the file with the weights", false}, NULL, 0, 5, "%PDF-"},
};

static bool fits(const struct row *row, const struct sft_bytes *file)
{
    if (row->is) return row->is(file);
    return file->size >= row->offset + row->length &&
           memcmp(file->data + row->offset, row->bytes, row->length) == 0;
}

const struct sft_foreign *sft_foreign_find(const struct sft_bytes *file)
{
    const struct sft_foreign *stand_in = sft_stand_in_find(file);
    if (stand_in) return stand_in;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (fits(&rows[i], file)) return &rows[i].foreign;
    return NULL;
}
