/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/checkpoint/foreign.h"

#include <stdint.h>
#include <string.h>

#include "runtime/base/little_endian.h"

static const uint8_t *find(const struct sft_bytes *part, const char *bytes, size_t n)
{
    return part->size >= n ? memmem(part->data, part->size, bytes, n) : NULL;
}

static bool has(const struct sft_bytes *part, const char *text)
{
    return find(part, text, strlen(text)) != NULL;
}

/* The first n bytes, or as many as there are. */
static struct sft_bytes head_of(const struct sft_bytes *file, size_t n)
{
    return (struct sft_bytes){.data = file->data, .size = n < file->size ? n : file->size};
}

/* ---- zip ---- */

static bool is_zip(const struct sft_bytes *file)
{
    return file->size >= 4 && memcmp(file->data, "PK\3\4", 4) == 0;
}

/* The list of members, which is the last part of a zip before its end record and, in large ones, that
 * record's extension; empty where the end is missing. */
static struct sft_bytes zip_directory(const struct sft_bytes *file)
{
    enum { END = 22, COMMENT = 65535, SIZE = 12, EXTENSION = 76 };
    for (size_t back = END; back <= file->size && back <= END + COMMENT; back++) {
        const uint8_t *end = file->data + file->size - back;
        size_t before = file->size - back, size;
        if (memcmp(end, "PK\5\6", 4) != 0) continue;
        size = (size_t)sft_little_endian(end + SIZE, 4) + EXTENSION;
        if (size > before) size = before;
        return (struct sft_bytes){.data = end - size, .size = size};
    }
    return (struct sft_bytes){0};
}

static bool zip_has(const struct sft_bytes *file, const char *member)
{
    const struct sft_bytes directory = zip_directory(file);
    return is_zip(file) && directory.size > 0 && has(&directory, member);
}

static bool is_cut_zip(const struct sft_bytes *file) { return is_zip(file) && zip_directory(file).size == 0; }
static bool is_torch_script(const struct sft_bytes *file) { return zip_has(file, "constants.pkl"); }
static bool is_torch_zip(const struct sft_bytes *file) { return zip_has(file, "data.pkl"); }
static bool is_npz(const struct sft_bytes *file) { return zip_has(file, ".npy"); }

/* ---- pickle ---- */

static bool is_pickle(const struct sft_bytes *file)
{
    return file->size > 2 && file->data[0] == 0x80 && file->data[1] >= 2 && file->data[1] <= 5;
}

/* Before zip, torch.save wrote several pickles; the first is this number. */
static bool is_old_torch(const struct sft_bytes *file)
{
    static const char magic[] = "\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    const struct sft_bytes head = head_of(file, 32);
    return is_pickle(file) && find(&head, magic, sizeof(magic) - 1);
}

/* ---- text ---- */

static bool is_json(const struct sft_bytes *file)
{
    return sft_text_file_starts(file, "{") || sft_text_file_starts(file, "[");
}

static bool is_index(const struct sft_bytes *file)
{
    const struct sft_bytes head = head_of(file, 1 << 16);
    return is_json(file) && has(&head, "\"weight_map\"");
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

#define SAVE_TORCH                                                                                           \
    "only safetensors is read here: save its state_dict with safetensors.torch.save_file(state_dict, "       \
    "\"W.safetensors\")"
#define SAVE_ARRAYS "only safetensors is read here: save its arrays with safetensors.numpy.save_file()"
#define UNPACK "unpack it first"

/* The first that fits counts: those that look at more of a file come first. */
static const struct row {
    struct sft_foreign foreign;
    bool (*is)(const struct sft_bytes *file); /* NULL: these bytes at this offset */
    size_t offset, length;
    const char *bytes;
} rows[] = {
    {{"the index of a checkpoint in several parts", "join the parts into one safetensors file", true},
     .is = is_index},
    {{"a JSON text", "name the file with the weights", false}, .is = is_json},
    {{"a zip archive that is cut off: its list of members is missing", "download it again", true},
     .is = is_cut_zip},
    {{"a TorchScript program", SAVE_TORCH, true}, .is = is_torch_script},
    {{"a PyTorch file (zip)", SAVE_TORCH, true}, .is = is_torch_zip},
    {{"a NumPy archive (.npz)", SAVE_ARRAYS, true}, .is = is_npz},
    {{"a zip archive", UNPACK, false}, .is = is_zip},
    {{"a PyTorch file (of before 1.6)", SAVE_TORCH, true}, .is = is_old_torch},
    {{"a Python pickle", SAVE_ARRAYS, false}, .is = is_pickle},
    {{"one NumPy array (.npy)", SAVE_ARRAYS, false}, NULL, 0, 6, "\x93NUMPY"},
    {{"an HDF5 file (Keras, TensorFlow)", SAVE_ARRAYS, true}, NULL, 0, 8, "\x89HDF\r\n\x1a\n"},
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
    {{"a tar archive", UNPACK, false}, NULL, 257, 5, "ustar"},
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
