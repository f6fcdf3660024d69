/* SPDX-License-Identifier: Apache-2.0 */
/*
 * safetensors: a file made by an independent writer (tests/golden/make_models.py), damaged files of every
 * kind, random mutations, and models saved and loaded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formula.h"
#include "nn/checkpoint/safetensors.h"
#include "runtime/base/rng.h"
#include "runtime/open.h"
#include "tests/support/fixture.h"

#define TINY SFT_TEST_DATA "/golden/tiny.safetensors"

static struct sft_device *device;
/* Puts a header and `data` zero bytes into a file; the length says `claimed`, or the truth where that is
 * negative. */
static const char *make_file(const char *header, int64_t claimed, size_t data)
{
    size_t length = strlen(header);
    uint64_t says = claimed < 0 ? length : (uint64_t)claimed;
    const char *path = test_path("made.safetensors");
    char *bytes = calloc(8 + length + data, 1);
    assert_non_null(bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (char)(says >> (8 * i));
    memcpy(bytes + 8, header, length);
    assert_int_equal(sft_file_write(path, bytes, 8 + length + data), SFT_OK);
    free(bytes);
    return path;
}

static void assert_refused(const char *path, const char *word)
{
    struct sft_checkpoint *checkpoint;
    test_catch_log();
    assert_int_equal(sft_checkpoint_open(path, &checkpoint), SFT_DATA);
    assert_null(checkpoint);
    test_expect_last(word);
}

/* ---- reading ---- */

static void test_all_types(void **state)
{
    const float numbers[] = {0.0f, 1.0f, -2.5f, 0.15625f, 65504.0f, 0x1p-24f};
    const float rounded[] = {0.0f,     1.0f,     -2.5f,
                             0.15625f, 65280.0f, 0x1p-24f}; /* bf16 keeps 8 bits, cut off */
    struct sft_checkpoint *checkpoint;
    float values[6];
    (void)state;
    assert_int_equal(sft_checkpoint_open(TINY, &checkpoint), SFT_OK);
    assert_int_equal(checkpoint->n_tensors, 6);
    assert_string_equal(sft_checkpoint_metadata(checkpoint, "note"), "by hand");
    assert_null(sft_checkpoint_metadata(checkpoint, "absent"));
    assert_null(sft_checkpoint_find(checkpoint, "absent"));
    for (int i = 0; i < 4; i++) {
        const char *name = (const char *[]){"f32", "f16", "bf16", "f64"}[i];
        const struct sft_stored_tensor *tensor = sft_checkpoint_find(checkpoint, name);
        assert_non_null(tensor);
        assert_int_equal(sft_stored_read(tensor, values), SFT_OK);
        assert_memory_equal(values, i == 2 ? rounded : numbers, sizeof(values));
    }
    assert_int_equal(sft_checkpoint_find(checkpoint, "f64")->shape.rank, 3);
    assert_int_equal(sft_stored_read(sft_checkpoint_find(checkpoint, "i64"), values), SFT_OK);
    assert_true(values[0] == 7.0f && values[1] == -9.0f);
    assert_int_equal(sft_stored_read(sft_checkpoint_find(checkpoint, "scalar"), values), SFT_OK);
    assert_true(values[0] == 3.0f);
    sft_checkpoint_close(&checkpoint);
}

static void test_half_specials(void **state)
{
    const uint16_t bits[] = {0x7C00, 0xFC00, 0x7E00, 0x0001, 0x8000, 0x03FF, 0x0400};
    const struct sft_stored_tensor tensor = {
        .name = "half", .dtype = SFT_STORED_F16, .shape = SFT_SHAPE(7), .data = bits, .bytes = sizeof(bits)};
    float values[7];
    (void)state;
    assert_int_equal(sft_stored_read(&tensor, values), SFT_OK);
    assert_true(values[0] == INFINITY && values[1] == -INFINITY && isnan(values[2]));
    assert_true(values[3] == 0x1p-24f && values[4] == 0.0f && signbit(values[4]));
    assert_true(values[5] == 1023 * 0x1p-24f && values[6] == 0x1p-14f);
}

/* The same tensors and metadata through our writer give the file of the independent writer, byte for byte. */
static void test_writer_equals_python(void **state)
{
    static const char *const names[] = {"f32", "f16", "bf16", "f64", "i64", "scalar"};
    struct sft_stored_tensor tensors[6];
    struct sft_checkpoint *checkpoint;
    struct sft_bytes ours, theirs;
    const char *path = test_path("copy.safetensors");
    (void)state;
    assert_int_equal(sft_checkpoint_open(TINY, &checkpoint), SFT_OK);
    for (int i = 0; i < 6; i++) tensors[i] = *sft_checkpoint_find(checkpoint, names[i]);
    assert_int_equal(sft_safetensors_write(path, tensors, 6, checkpoint->metadata, checkpoint->n_metadata),
                     SFT_OK);
    sft_checkpoint_close(&checkpoint);
    assert_int_equal(sft_file_open(path, &ours), SFT_OK);
    assert_int_equal(sft_file_open(TINY, &theirs), SFT_OK);
    assert_int_equal(ours.size, theirs.size);
    assert_memory_equal(ours.data, theirs.data, theirs.size);
    sft_file_close(&ours);
    sft_file_close(&theirs);
}

static void test_damaged_headers(void **state)
{
#define TYPED(type, name, shape, begin, end)                                                                 \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"
#define F32(name, shape, begin, end) TYPED("F32", name, shape, begin, end)
#define F8(name, shape, begin, end) TYPED("F8_E4M3", name, shape, begin, end)
    static const struct {
        const char *header;
        int64_t claimed;
        size_t data;
        const char *word;
    } cases[] = {
        {"{}", 1000, 0, "claims"},
        {"{}", INT64_MAX, 0, "claims"},
        {"{}", 17 << 20, 0, "claims"},
        {"{" F32("a", "[2]", 0, 8), -1, 8, "JSON"},
        {"{" F32("a", "[2]", 0, 8) "}", 5, 8, "JSON"},
        {"[]", -1, 0, "no checkpoint"},
        {"{\"a\":[]}", -1, 0, "dtype"},
        {"{" F32("a", "[2]", 0, 8) "," F32("a", "[2]", 0, 8) "}", -1, 8, "duplicate"},
        {"{" F32("a", "[2]", 0, 8) "}", -1, 4, "outside the file"},
        {"{" F32("a", "[2]", 8, 0) "}", -1, 8, "outside the file"},
        {"{" F32("a", "[2]", -8, 0) "}", -1, 8, "outside the file"},
        {"{" F32("a", "[2]", 0, 9223372036854775807) "}", -1, 8, "outside the file"},
        {"{" F32("a", "[2]", 0, 99999999999999999999) "}", -1, 8, "JSON"},
        {"{" F32("a", "[3]", 0, 8) "}", -1, 8, "not those of its shape"},
        {"{" F32("a", "[4294967296,4294967296,2]", 0, 8) "}", -1, 8, "no valid shape"},
        {"{" F32("a", "[4611686018427387904,2]", 0, 0) "}", -1, 0, "not those of its shape"},
        {"{" F32("a", "[-2]", 0, 8) "}", -1, 8, "no valid shape"},
        {"{" F32("a", "[1,1,1,1,1,2]", 0, 8) "}", -1, 8, "no valid shape"},
        {"{" F32("a", "2", 0, 8) "}", -1, 8, "no valid shape"},
        {"{" F32("a", "[2.0]", 0, 8) "}", -1, 8, "no valid shape"},
        {"{" F8("a", "[2000000000]", 0, 0) "}", -1, 0, "not those of its shape"},
        {"{" F8("a", "[65]", 0, 8) "}", -1, 8, "not those of its shape"},
        {"{" F8("a", "[0]", 0, 8) "}", -1, 8, "not those of its shape"},
        {"{" F32("a", "[2]", 0, 8) "," F32("b", "[2]", 4, 12) "}", -1, 12, "begins at byte"},
        {"{" F32("a", "[2]", 0, 8) "," F32("b", "[2]", 12, 20) "}", -1, 20, "begins at byte"},
        {"{" F32("a", "[2]", 0, 8) "}", -1, 12, "its tensors take"},
        {"{\"__metadata__\":{\"a\":1}}", -1, 0, "no string"},
        {"{\"__metadata__\":7}", -1, 0, "no JSON object"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_refused(make_file(cases[i].header, cases[i].claimed, cases[i].data), cases[i].word);
    assert_refused(test_path("absent"), "cannot be opened");
    assert_refused(test_folder(), "a folder without model.safetensors");
}

/* Files of every kind that people have in place of weights are refused, and named by their content. */
#define BYTES(text) text, sizeof(text) - 1
#define ZIP(member)                                                                                          \
    "PK\3\4 the members PK\1\2 and their list: " member "PK\5\6\0\0\0\0\1\0\1\0\x40\0\0\0\x0c\0\0\0\0\0"
static const struct {
    const char *bytes;
    size_t size;
    const char *word;
} foreign[] = {
    {BYTES(""), "is empty; download"},
    {BYTES("\0\0\0\0\0\0\0\0\0\0\0\0"), "zeros"},
    {BYTES("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 9\n"), "git lfs pull"},
    {BYTES("<!DOCTYPE html><html><title>Google Drive"), "web page (HTML)"},
    {BYTES("\xef\xbb\xbf\r\n  <HTML lang=en>"), "web page (HTML)"},
    {BYTES("Entry not found"), "an answer of the Hugging Face Hub"},
    {BYTES("<?xml version=\"1.0\"?><Error><Code>AccessDenied"), "XML"},
    {BYTES("{\"metadata\": {\"total_size\": 9}, \"weight_map\": {}}"), "an index of no tensors"},
    {BYTES("{\"a\": [{\"b\": 1}]}"), "a JSON text"},
    {BYTES("{\"abc\": {\"b\": 1}}"), "a JSON text"}, /* a brace where safetensors has one */
    {BYTES(ZIP("w/data.pklw/data/0")), "list of members is"},
    {BYTES(ZIP("conv1.weight.npy")), "list of members is"},
    {BYTES("PK\3\4 w/data.pkl and no more"), "cut off"},
    {BYTES("\x80\2\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\2M\xe9\3."), "cut off"},
    {BYTES("\x80\4\x95\x27\5\0\0\0\0\0\0}\x94(\x8c"), "a Python pickle without"},
    {BYTES("\x93NUMPY\1\0v\0{'descr'"), "one NumPy array"},
    {BYTES("\x89HDF\r\n\x1a\n\0\0\0\0"), "an HDF5 file"},
    {BYTES("GGUF\3\0\0\0\0\0\0\0\0\0\0\0"), "a GGUF file"},
    {BYTES("\x1c\0\0\0TFL3\0\0\0\0"), "a TensorFlow Lite model"},
    {BYTES("\x08\x0e\x12\x0emk_checkpoints:\xc5\1\n\x10"), "an ONNX model"},
    {BYTES("\x82\xa6params\x81\xa1w\1\xa4step\5"), "a msgpack file"},
    {BYTES("\x1f\x8b\x08\0\0\0\0\0"), "gzip; unpack"},
    {BYTES("\x28\xb5\x2f\xfd\0\0\0\0"), "zstd; unpack"},
    {BYTES("\x89PNG\r\n\x1a\n"), "a picture (PNG)"},
    {BYTES("weights, no doubt"), "is no checkpoint; safetensors, PyTorch files"},
};

static void test_other_kinds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        test_put("weights.pth", foreign[i].bytes, foreign[i].size);
        assert_refused(test_path("weights.pth"), foreign[i].word);
    }
}

static void test_looks_like(void **state)
{
    (void)state;
    assert_true(sft_checkpoint_looks_like(TINY));
    assert_true(sft_checkpoint_looks_like(make_file("{", 1000, 0)));
    test_put("pointer", BYTES("version https://git-lfs.github.com/spec/v1\n"));
    assert_true(sft_checkpoint_looks_like(test_path("pointer")));
    test_put("array.npy", BYTES("\x93NUMPY\1\0v\0{'descr'"));
    assert_false(sft_checkpoint_looks_like(test_path("array.npy")));
}

/* What is no damage: an empty file of no tensors, an empty tensor, a type that nobody reads until it is asked
 * for. */
static void test_odd_but_valid(void **state)
{
    struct sft_checkpoint *checkpoint;
    float value;
    (void)state;
    assert_int_equal(sft_checkpoint_open(make_file("{}", -1, 0), &checkpoint), SFT_OK);
    assert_int_equal(checkpoint->n_tensors, 0);
    sft_checkpoint_close(&checkpoint);
    assert_int_equal(
        sft_checkpoint_open(make_file("{" F32("a", "[0,7]", 0, 0) "," F32("b", "[2]", 0, 8) "}", -1, 8),
                            &checkpoint),
        SFT_OK);
    sft_checkpoint_close(&checkpoint);
    assert_int_equal(
        sft_checkpoint_open(
            make_file("{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[8],\"data_offsets\":[0,8]}}", -1, 8),
            &checkpoint),
        SFT_OK);
    assert_int_equal(sft_stored_read(&checkpoint->tensors[0], &value), SFT_DATA);
    sft_checkpoint_close(&checkpoint);
}

/* Metadata comes back as it was given: bytes that are no UTF-8, and text that looks like their spelling. */
static void test_metadata(void **state)
{
    static const struct sft_metadata given[] = {
        {"a", "caf\xe9"}, {"b", "caf\\xE9 \\\\xE9"}, {"c", "[\"caf\\\\xE9\"]"}, {"d", "\x1b[31m\xc3\xa9"}};
    const char *path = test_path("metadata.safetensors");
    struct sft_checkpoint *checkpoint;
    (void)state;
    assert_int_equal(sft_safetensors_write(path, NULL, 0, given, 4), SFT_OK);
    assert_int_equal(sft_checkpoint_open(path, &checkpoint), SFT_OK);
    for (int i = 0; i < 4; i++)
        assert_string_equal(sft_checkpoint_metadata(checkpoint, given[i].key), given[i].value);
    sft_checkpoint_close(&checkpoint);
}

/* Random changes and cuts: success or a status, never a crash, and what was accepted can be read. */
static void test_mutations(void **state)
{
    enum { ROUNDS = 4000 };
    struct sft_bytes original;
    struct sft_rng rng;
    const char *path = test_path("mutated.safetensors");
    int accepted = 0;
    (void)state;
    assert_int_equal(sft_file_open(TINY, &original), SFT_OK);
    sft_rng_init(&rng, 1, SFT_STREAM_TEST, 0);
    for (int round = 0; round < ROUNDS; round++) {
        size_t size =
            sft_rng_below(&rng, 8) ? original.size : sft_rng_below(&rng, (uint32_t)original.size + 1);
        uint8_t *bytes = malloc(size + 1);
        struct sft_checkpoint *checkpoint;
        FILE *file;
        assert_non_null(bytes);
        memcpy(bytes, original.data, size);
        for (uint32_t changes = 1 + sft_rng_below(&rng, 4); size && changes; changes--)
            bytes[sft_rng_below(&rng, (uint32_t)size)] = (uint8_t)sft_rng_u32(&rng);
        file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, size, file), size);
        fclose(file);
        free(bytes);
        if (sft_checkpoint_open(path, &checkpoint) != SFT_OK) continue;
        accepted++;
        for (size_t i = 0; i < checkpoint->n_tensors; i++) {
            float values[1024];
            assert_true(checkpoint->tensors[i].bytes <= sizeof(values));
            (void)!sft_stored_read(&checkpoint->tensors[i], values);
        }
        sft_checkpoint_close(&checkpoint);
    }
    assert_in_range(accepted, 1, ROUNDS - 1);
    sft_file_close(&original);
}

/* ---- models ---- */

static struct sft_model *make(const char *name)
{
    struct sft_model *model;
    assert_int_equal(
        sft_model_create(device, &(struct sft_model_config){.name = name, .classes = 10}, &model), SFT_OK);
    return model;
}

static float *download(const struct sft_tensor *tensor)
{
    int64_t count = sft_shape_count(&tensor->shape);
    float *values = calloc((size_t)count, sizeof(*values));
    assert_non_null(values);
    assert_int_equal(sft_tensor_download((struct sft_tensor *)tensor, 0, count, values), SFT_OK);
    return values;
}

static void assert_same_bits(const struct sft_tensor *a, const struct sft_tensor *b)
{
    float *x = download(a), *y = download(b);
    assert_true(sft_shape_equal(&a->shape, &b->shape));
    assert_memory_equal(x, y, (size_t)sft_shape_count(&a->shape) * sizeof(*x));
    free(x);
    free(y);
}

static void test_round_trip(void **state)
{
    const char *path = test_path("model.safetensors"), *again = test_path("again.safetensors");
    char hex[65];
    struct sft_model *model = make("resnetv2_20_bn"), *loaded;
    struct sft_bytes first, second;
    (void)state;
    assert_int_equal(sft_parameters_init(&model->parameters, 7), SFT_OK);
    assert_int_equal(sft_model_save(model, path, &(struct sft_metadata){"note", "\xC3\xA9"}, 1), SFT_OK);
    assert_int_equal(sft_model_open(device, path, NULL, &loaded), SFT_OK);
    assert_ptr_equal(loaded->variant, model->variant);
    assert_int_equal(sft_file_sha256(path, hex), SFT_OK);
    assert_string_equal(loaded->file.sha256, hex);
    assert_string_equal(model->file.sha256, "");
    assert_int_equal(loaded->classes, 10);
    assert_same_bits(model->parameters.weights, loaded->parameters.weights);
    assert_same_bits(model->parameters.buffers, loaded->parameters.buffers);
    assert_int_equal(sft_model_save(loaded, again, &(struct sft_metadata){"note", "\xC3\xA9"}, 1), SFT_OK);
    assert_int_equal(sft_file_open(path, &first), SFT_OK);
    assert_int_equal(sft_file_open(again, &second), SFT_OK);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    sft_file_close(&first);
    sft_file_close(&second);
    sft_model_destroy(&loaded);
    sft_model_destroy(&model);
}

/* Stores `model`'s tensors with changes: a prefix, tensor `without` left out, one of `broken`'s shape, a
 * stray one, one with a NaN, and the beginning `ours` of names replaced by `theirs`. */
struct changes {
    const char *prefix, *without, *broken, *stray, *nan, *ours, *theirs;
    bool infinite; /* in place of the NaN */
};

static void name_changed(const struct changes *changes, const char *name, char *out, size_t room)
{
    size_t length = changes->ours ? strlen(changes->ours) : 0;
    bool other = length && strncmp(name, changes->ours, length) == 0;
    snprintf(out, room, "%s%s%s", changes->prefix ? changes->prefix : "", other ? changes->theirs : "",
             other ? name + length : name);
}

static const char *save_changed(const struct sft_model *model, struct changes changes)
{
    const struct sft_parameters *parameters = &model->parameters;
    static char names[SFT_MAX_PARAMETERS][2 * SFT_MAX_NAME];
    static float zeros[1 << 20], nans[1 << 20];
    struct sft_stored_tensor tensors[SFT_MAX_PARAMETERS];
    const char *path = test_path("changed.safetensors");
    size_t n = 0;
    nans[0] = changes.infinite ? -INFINITY : NAN;
    for (int i = 0; i < parameters->n; i++) {
        const struct sft_parameter *item = &parameters->items[i];
        bool is_nan = changes.nan && strcmp(changes.nan, item->name) == 0;
        if (changes.without && strcmp(changes.without, item->name) == 0) continue;
        name_changed(&changes, item->name, names[n], sizeof(names[n]));
        tensors[n] = (struct sft_stored_tensor){.name = names[n],
                                                .shape = item->file_shape,
                                                .data = is_nan ? nans : zeros,
                                                .bytes = (size_t)item->count * sizeof(float)};
        if (changes.broken && strcmp(changes.broken, item->name) == 0)
            tensors[n].shape = SFT_SHAPE(item->count, 1, 1);
        n++;
    }
    if (changes.stray)
        tensors[n++] = (struct sft_stored_tensor){
            .name = changes.stray, .shape = SFT_SHAPE(1), .data = zeros, .bytes = sizeof(float)};
    assert_int_equal(sft_safetensors_write(path, tensors, n, NULL, 0), SFT_OK);
    return path;
}

static enum sft_status load(struct sft_model *model, const char *path)
{
    struct sft_checkpoint *checkpoint;
    enum sft_status status;
    assert_int_equal(sft_checkpoint_open(path, &checkpoint), SFT_OK);
    status = sft_parameters_load(&model->parameters, checkpoint);
    sft_checkpoint_close(&checkpoint);
    return status;
}

static void test_strict_loading(void **state)
{
    static const char conv[] = "body.block2.unit01.conv1.weight";
    struct sft_model *model = make("resnetv2_20_gn");
    int number = sft_parameters_find(&model->parameters, conv);
    (void)state;
    assert_int_equal(load(model, save_changed(model, (struct changes){0})), SFT_OK);
    assert_int_equal(load(model, save_changed(model, (struct changes){.stray = "x.num_batches_tracked"})),
                     SFT_OK);
    assert_null(model->parameters.items[number].file_name);
    assert_int_equal(load(model, save_changed(model, (struct changes){.prefix = "module."})), SFT_OK);
    assert_string_equal(model->parameters.items[number].file_name, "module.body.block2.unit01.conv1.weight");

    assert_int_equal(load(model, save_changed(model, (struct changes){.without = conv, .stray = "surplus"})),
                     SFT_DATA);
    test_expect_last("1 missing: body.block2.unit01.conv1.weight");
    test_expect_last("1 unexpected: surplus");
    assert_int_equal(load(model, save_changed(model, (struct changes){.broken = conv})), SFT_DATA);
    test_expect_last(
        "1 of another shape: body.block2.unit01.conv1.weight (4608x1x1, the model has 32x16x3x3)");
    assert_int_equal(load(model, save_changed(model, (struct changes){.nan = conv})), SFT_DATA);
    test_expect_last(conv);
    test_expect_last("NaN");
    assert_int_equal(load(model, save_changed(model, (struct changes){.nan = conv, .infinite = true})),
                     SFT_DATA);
    test_expect_last(conv);
    sft_model_destroy(&model);
}

/* PyTorch's wrappers, in whatever order; what counts batches or averaged models does not belong to them. */
static void test_wrappers(void **state)
{
    static const char *const wrappers[] = {
        "module.", "_orig_mod.", "module._orig_mod.",      "_orig_mod.module.",
        "model.",  "net.",       "model._orig_mod.module."};
    static const char conv[] = "body.block2.unit01.conv1.weight";
    struct sft_model *model = make("resnetv2_20_gn"), *loaded;
    (void)state;
    for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++) {
        struct changes changes = {.prefix = wrappers[i], .stray = "n_averaged"};
        char name[128];
        assert_int_equal(sft_model_open(device, save_changed(model, changes), NULL, &loaded), SFT_OK);
        assert_ptr_equal(loaded->variant, model->variant);
        snprintf(name, sizeof(name), "%s%s", wrappers[i], conv);
        assert_string_equal(
            loaded->parameters.items[sft_parameters_find(&loaded->parameters, conv)].file_name, name);
        sft_model_destroy(&loaded);
    }
    assert_int_equal(load(model, save_changed(model, (struct changes){.prefix = "module.", .stray = "x"})),
                     SFT_DATA);
    test_expect_last("missing: ");
    sft_model_destroy(&model);
}

/* A head whose two tensors tell of different classes, as no model has it. */
static void test_damaged_head(void **state)
{
    const struct sft_model_config config = {.name = "resnetv2_20_gn"};
    struct sft_model *model = make(config.name), *loaded;
    const char *path = save_changed(model, (struct changes){.broken = "head.conv.weight"});
    (void)state;
    assert_int_equal(sft_model_open(device, path, &config, &loaded), SFT_DATA);
    test_expect_last("head.conv.weight is of 640 classes and head.conv.bias of 10; the file is damaged");
    assert_null(loaded);
    sft_model_destroy(&model);
}

/* A file without metadata is recognised by its names, whichever model it is. */
static void test_guessing(void **state)
{
    const struct sft_variant *variant;
    (void)state;
    for (int i = 0; (variant = sft_model_variant(i)); i++) {
        struct sft_model *model = make(variant->name);
        struct sft_checkpoint *checkpoint;
        struct sft_model_config config = {0};
        if (sft_parameters_count(&model->parameters, SFT_KINDS_TRAINED) < 1 << 20) {
            assert_int_equal(
                sft_checkpoint_open(save_changed(model, (struct changes){.prefix = "module."}), &checkpoint),
                SFT_OK);
            assert_int_equal(sft_model_guess(checkpoint, &config), SFT_OK);
            assert_string_equal(config.name, variant->name);
            assert_int_equal(config.classes, 10);
            sft_checkpoint_close(&checkpoint);
        }
        sft_model_destroy(&model);
    }
}

/* BiT calls its last norm head.gn: such a file is recognised and loaded, with a wrapper's prefix too, and
 * saved again under its own names. */
static void test_other_names(void **state)
{
    static const char *const prefixes[] = {NULL, "module."};
    struct sft_model *model = make("resnetv2_20_gn"), *loaded;
    struct sft_checkpoint *checkpoint;
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct changes changes = {.prefix = prefixes[i], .ours = "before_head.gn.", .theirs = "head.gn."};
        const char *again = test_path("other_names.safetensors");
        assert_int_equal(sft_model_open(device, save_changed(model, changes), NULL, &loaded), SFT_OK);
        assert_ptr_equal(loaded->variant, model->variant);
        assert_int_equal(loaded->classes, 10);
        assert_int_equal(sft_model_save(loaded, again, NULL, 0), SFT_OK);
        assert_int_equal(sft_checkpoint_open(again, &checkpoint), SFT_OK);
        assert_non_null(sft_checkpoint_find(checkpoint, i ? "module.head.gn.weight" : "head.gn.weight"));
        assert_null(sft_checkpoint_find(checkpoint, "before_head.gn.weight"));
        sft_checkpoint_close(&checkpoint);
        sft_model_destroy(&loaded);
    }
    sft_model_destroy(&model);
}

/* Mean and deviation by channel: of the variant, of the configuration, and of the file. */
static void test_normalisation(void **state)
{
    const struct sft_model_config config = {.name = "resnetv2_20_gn",
                                            .classes = 10,
                                            .mean = {0.4914f, 0.4822f, 0.4465f},
                                            .std = {0.2023f, 0.1994f, 0.2010f}};
    const struct sft_model_config other = {.mean = {0.1f, 0.2f, 0.3f}, .std = {1.0f, 2.0f, 3.0f}};
    const char *path = test_path("own.safetensors");
    struct sft_checkpoint *checkpoint;
    struct sft_model *usual = make("resnetv2_20_gn"), *model, *loaded;
    (void)state;
    assert_memory_equal(usual->mean, usual->variant->mean, sizeof(usual->mean));
    assert_int_equal(sft_model_save(usual, path, NULL, 0), SFT_OK);
    assert_int_equal(sft_checkpoint_open(path, &checkpoint), SFT_OK);
    assert_null(sft_checkpoint_metadata(checkpoint, "mean"));
    sft_checkpoint_close(&checkpoint);
    assert_int_equal(sft_model_create(device, &config, &model), SFT_OK);
    assert_int_equal(sft_model_save(model, path, NULL, 0), SFT_OK);
    assert_int_equal(sft_model_open(device, path, NULL, &loaded), SFT_OK);
    assert_memory_equal(loaded->mean, config.mean, sizeof(config.mean));
    assert_memory_equal(loaded->std, config.std, sizeof(config.std));
    sft_model_destroy(&loaded);
    assert_int_equal(sft_model_open(device, path, &other, &loaded), SFT_OK);
    assert_memory_equal(loaded->mean, other.mean, sizeof(other.mean));
    assert_memory_equal(loaded->std, other.std, sizeof(other.std));
    sft_model_destroy(&loaded);
    sft_model_destroy(&model);
    sft_model_destroy(&usual);
}

static void test_damaged_normalisation(void **state)
{
    static const struct sft_metadata pairs[][2] = {
        {{"mean", "0.5,0.5"}, {"std", "1,1,1"}},     {{"mean", "0.5,0.5,0.5,0.5"}, {"std", "1,1,1"}},
        {{"mean", "nan,0.5,0.5"}, {"std", "1,1,1"}}, {{"mean", "0.5,0.5,0.5"}, {"std", "1,0,1"}},
        {{"mean", "0.5,0.5,0.5"}, {"std", ""}},      {{"mean", "0.5,0.5,0.5"}, {"note", "no std"}},
    };
    const char *path = test_path("damaged_mean.safetensors");
    struct sft_model *model = make("resnetv2_20_gn"), *loaded;
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        assert_int_equal(sft_model_save(model, path, pairs[i], 2), SFT_OK);
        assert_int_equal(sft_model_open(device, path, NULL, &loaded), SFT_DATA);
        assert_null(loaded);
        test_expect_last("metadata");
    }
    sft_model_destroy(&model);
}

/* ---- names of classes ---- */

static void name_classes(struct sft_class_names *names, const char *list)
{
    char copy[256], *rest = copy;
    snprintf(copy, sizeof(copy), "%s", list);
    for (char *name; (name = strsep(&rest, ","));) assert_int_equal(sft_class_names_add(names, name), SFT_OK);
}

/* Names of any bytes travel with the weights; without them there is no such metadata. */
static void test_class_names_travel(void **state)
{
    static const char list[] = "ant,caf\xe9,caf\\xE9,\"d\",e,f\x1b,g\xc3\xa9,h,\\,'";
    const char *path = test_path("named.safetensors"), *again = test_path("renamed.safetensors");
    struct sft_model *model = make("resnetv2_20_gn"), *loaded;
    struct sft_checkpoint *checkpoint;
    int first;
    (void)state;
    assert_int_equal(sft_model_save(model, path, NULL, 0), SFT_OK);
    assert_int_equal(sft_checkpoint_open(path, &checkpoint), SFT_OK);
    assert_null(sft_checkpoint_metadata(checkpoint, "class_names"));
    sft_checkpoint_close(&checkpoint);
    name_classes(&model->class_names, list);
    assert_int_equal(sft_model_save(model, path, NULL, 0), SFT_OK);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(sft_model_open(device, round ? again : path, NULL, &loaded), SFT_OK);
        assert_int_equal(loaded->class_names.n, 10);
        assert_int_equal(sft_class_names_compare(&loaded->class_names, &model->class_names, &first),
                         SFT_CLASSES_SAME);
        if (round == 0) assert_int_equal(sft_model_save(loaded, again, NULL, 0), SFT_OK);
        sft_model_destroy(&loaded);
    }
    sft_model_destroy(&model);
}

/* Somebody else's metadata of that name is no reason to refuse the weights. */
static void test_other_class_names(void **state)
{
    static const char *const texts[] = {"ant,bee", "[\"ant\", \"bee\"]", "[1,2,3,4,5,6,7,8,9,10]", "{}", ""};
    const char *path = test_path("odd_names.safetensors");
    struct sft_model *model = make("resnetv2_20_gn"), *loaded;
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const struct sft_metadata metadata = {"class_names", texts[i]};
        test_catch_log();
        assert_int_equal(sft_model_save(model, path, &metadata, 1), SFT_OK);
        assert_int_equal(sft_model_open(device, path, NULL, &loaded), SFT_OK);
        assert_int_equal(loaded->class_names.n, 0);
        test_expect_last("no JSON array of 10 texts");
        sft_model_destroy(&loaded);
    }
    sft_model_destroy(&model);
}

static void test_class_names_compare(void **state)
{
    static const struct {
        const char *a, *b;
        enum sft_class_match match;
        int first;
    } cases[] = {
        {"a,b,c", "a,b,c", SFT_CLASSES_SAME, 3},  {"a,b,c", "a,b", SFT_CLASSES_PREFIX, 2},
        {"a,b", "a,b,c", SFT_CLASSES_PREFIX, 2},  {"a,b,c", "a,c,b", SFT_CLASSES_MOVED, 1},
        {"a,c", "a,b,c", SFT_CLASSES_MOVED, 1},   {"a,b,c", "a,x,c", SFT_CLASSES_OTHER, 1},
        {"a,b,c", "x,a,b", SFT_CLASSES_OTHER, 0}, {"x,b,c", "a,b", SFT_CLASSES_OTHER, 0},
    };
    struct sft_class_names a = {0}, b = {0};
    int first;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        name_classes(&a, cases[i].a);
        name_classes(&b, cases[i].b);
        assert_int_equal(sft_class_names_compare(&a, &b, &first), cases[i].match);
        assert_int_equal(first, cases[i].first);
        sft_class_names_free(&a);
        sft_class_names_free(&b);
    }
    name_classes(&a, "a");
    assert_int_equal(sft_class_names_compare(&a, &b, &first), SFT_CLASSES_SAME);
    assert_int_equal(sft_class_names_copy(&a, &b), SFT_OK);
    assert_string_equal(b.names[0], "a");
    sft_class_names_free(&a);
    sft_class_names_free(&b);
}

static void test_wrong_model(void **state)
{
    struct sft_model *model = make("resnetv2_20_gn"), *other;
    const char *path = save_changed(model, (struct changes){0});
    (void)state;
    assert_int_equal(sft_model_open(device, path, &(struct sft_model_config){.name = "vgg11"}, &other),
                     SFT_DATA);
    assert_null(other);
    test_expect_last("missing: features.0.weight");
    assert_int_equal(sft_model_open(device, TINY, NULL, &other), SFT_DATA);
    assert_null(other);
    sft_model_destroy(&model);
}

/* Padding between parameters stays zero, draws do not depend on each other, and the spread is as asked. */
static void test_init(void **state)
{
    struct sft_model *model = make("resnetv2_20_gn");
    const struct sft_parameter *conv =
        &model->parameters.items[sft_parameters_find(&model->parameters, "body.block3.unit03.conv2.weight")];
    float *first, *second;
    double sum = 0, squares = 0;
    (void)state;
    assert_int_equal(sft_parameters_init(&model->parameters, 3), SFT_OK);
    first = download(model->parameters.weights);
    for (int64_t i = 0; i < conv->count; i++) {
        sum += first[conv->offset + i];
        squares += (double)first[conv->offset + i] * (double)first[conv->offset + i];
    }
    assert_true(fabs(sum / (double)conv->count) < 4 * sqrt(2.0 / 576 / (double)conv->count));
    assert_true(fabs(squares / (double)conv->count / (2.0 / 576) - 1) < 0.05);
    assert_int_equal(sft_parameters_init(&model->parameters, 4), SFT_OK);
    second = download(model->parameters.weights);
    assert_memory_equal(first, second,
                        (size_t)model->parameters.norm_size * sizeof(float)); /* ones and zeros */
    assert_memory_not_equal(first + conv->offset, second + conv->offset, (size_t)conv->count * sizeof(float));
    free(first);
    free(second);
    sft_model_destroy(&model);
}

static int setup(void **state)
{
    return test_setup_folder(state) == 0 && sft_device_open("cpu", 0, &device) == SFT_OK ? 0 : -1;
}

static int teardown(void **state)
{
    sft_device_close(&device);
    return test_remove_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_types),
        cmocka_unit_test(test_half_specials),
        cmocka_unit_test(test_writer_equals_python),
        cmocka_unit_test(test_damaged_headers),
        cmocka_unit_test(test_other_kinds),
        cmocka_unit_test(test_looks_like),
        cmocka_unit_test(test_odd_but_valid),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_strict_loading),
        cmocka_unit_test(test_wrappers),
        cmocka_unit_test(test_damaged_head),
        cmocka_unit_test(test_guessing),
        cmocka_unit_test(test_other_names),
        cmocka_unit_test(test_normalisation),
        cmocka_unit_test(test_damaged_normalisation),
        cmocka_unit_test(test_class_names_travel),
        cmocka_unit_test(test_other_class_names),
        cmocka_unit_test(test_class_names_compare),
        cmocka_unit_test(test_wrong_model),
        cmocka_unit_test(test_init),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
