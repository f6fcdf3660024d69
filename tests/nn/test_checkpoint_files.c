/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints of every kind that people have, made by the libraries that own the formats
 * (tests/golden/checkpoints.py): each holds its tensors with their hashes, or is refused with its reason.
 *
 * A folder of more files with a manifest.json of the same form is run through by
 *
 *     SFT_CHECKPOINTS=FOLDER build/tests/test_nn_checkpoint_files
 *
 * where an entry may have "expect": "refuse" and "why", in words for people, which are printed beside the
 * message.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nn/checkpoint/checkpoint.h"
#include "nn/checkpoint/writer.h"
#include "runtime/base/path.h"
#include "runtime/base/rng.h"
#include "tests/support/fixture.h"

#define GOLDEN SFT_TEST_DATA "/golden/checkpoints"

static const char *text_of(const json_t *entry, const char *key)
{
    return json_string_value(json_object_get(entry, key));
}

/* ---- one entry ---- */

/* "F32" for itself, and for NumPy's word. */
static bool same_type(const char *ours, const char *theirs)
{
    static const char *const words[][2] = {
        {"F32", "float32"}, {"F16", "float16"}, {"BF16", "bfloat16"}, {"F64", "float64"}, {"I64", "int64"},
        {"I32", "int32"},   {"I16", "int16"},   {"I8", "int8"},       {"U8", "uint8"},    {"BOOL", "bool"}};
    if (strcmp(ours, theirs) == 0) return true;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(ours, words[i][0]) == 0 && strcmp(theirs, words[i][1]) == 0) return true;
    return false;
}

static void hash_values(const struct sft_stored_tensor *tensor, char hex[65])
{
    const size_t count = (size_t)sft_shape_count(&tensor->shape);
    float *values = calloc(count + 1, sizeof(*values));
    assert_non_null(values);
    assert_int_equal(sft_stored_read(tensor, values), SFT_OK);
    sft_sha256(values, count * sizeof(*values), hex);
    free(values);
}

static void check_tensor(const struct sft_checkpoint *checkpoint, const json_t *expected)
{
    const struct sft_stored_tensor *tensor = sft_checkpoint_find(checkpoint, text_of(expected, "name"));
    const json_t *shape = json_object_get(expected, "shape");
    char hex[65];
    if (!tensor) fail_msg("%s: no tensor %s", checkpoint->path, text_of(expected, "name"));
    if (!same_type(sft_stored_dtype_str(tensor->dtype), text_of(expected, "dtype")))
        fail_msg("%s: %s is of type %s", checkpoint->path, tensor->name, sft_stored_dtype_str(tensor->dtype));
    assert_int_equal(tensor->shape.rank, json_array_size(shape));
    for (int i = 0; i < tensor->shape.rank; i++)
        assert_int_equal(tensor->shape.dim[i], json_integer_value(json_array_get(shape, (size_t)i)));
    hash_values(tensor, hex);
    if (strcmp(hex, text_of(expected, "sha256_f32")) != 0)
        fail_msg("%s: %s has other values", checkpoint->path, tensor->name);
}

static void check_said(const json_t *entry, bool last)
{
    const json_t *says = json_object_get(entry, "says");
    for (size_t i = 0; i < json_array_size(says); i++) {
        const char *words = json_string_value(json_array_get(says, i));
        if (last)
            test_expect_last(words);
        else
            test_expect_log(words);
    }
}

static void check_loaded(const struct sft_checkpoint *checkpoint, const json_t *entry)
{
    const json_t *tensors = json_object_get(entry, "tensors");
    const char *choose = text_of(entry, "choose"), *prefix = text_of(entry, "prefix");
    char hex[65];
    if (!prefix) prefix = text_of(entry, "strip_prefix");
    assert_int_equal(checkpoint->n_tensors, json_array_size(tensors));
    for (size_t i = 0; i < json_array_size(tensors); i++)
        check_tensor(checkpoint, json_array_get(tensors, i));
    assert_string_equal(checkpoint->key ? checkpoint->key : "", choose ? choose : "");
    assert_string_equal(checkpoint->wrapper, prefix ? prefix : "");
    if (text_of(entry, "config")) assert_string_equal(checkpoint->config, text_of(entry, "config"));
    assert_int_equal(sft_checkpoint_sha256(checkpoint, hex), SFT_OK);
    if (text_of(entry, "sha256") && !text_of(entry, "kind"))
        assert_string_equal(hex, text_of(entry, "sha256"));
}

static void check_entry(const char *folder, const json_t *entry)
{
    const json_t *tensors = json_object_get(entry, "tensors");
    const bool refused = !tensors || json_array_size(tensors) == 0;
    struct sft_checkpoint *checkpoint;
    char *path = sft_path_join(folder, "%s", text_of(entry, "file"));
    enum sft_status status;
    assert_non_null(path);
    test_catch_log();
    status = sft_checkpoint_open(path, &checkpoint);
    test_release_log();
    if (status != (refused ? SFT_DATA : SFT_OK))
        fail_msg("%s: %s\n%s", path, sft_status_str(status), test_log());
    check_said(entry, refused);
    if (!refused) check_loaded(checkpoint, entry);
    if (refused && text_of(entry, "why"))
        print_message("%s\n    should say: %s\n    says: %s", text_of(entry, "file"), text_of(entry, "why"),
                      test_log());
    sft_checkpoint_close(&checkpoint);
    free(path);
}

static size_t check_folder(const char *folder)
{
    char *path = sft_path_join(folder, "manifest.json");
    json_t *entries = path ? json_load_file(path, 0, NULL) : NULL;
    const size_t n = json_array_size(entries);
    assert_non_null(entries);
    for (size_t i = 0; i < n; i++) check_entry(folder, json_array_get(entries, i));
    json_decref(entries);
    free(path);
    return n;
}

static void test_golden(void **state)
{
    (void)state;
    assert_in_range(check_folder(GOLDEN), 50, 200);
    assert_int_not_equal(access("hostile_ran", F_OK), 0); /* what hostile.pth would leave */
}

static void test_given(void **state)
{
    const char *folder = getenv("SFT_CHECKPOINTS");
    (void)state;
    if (!folder) skip();
    print_message("%zu checkpoints of %s\n", check_folder(folder), folder);
}

/* ---- a bomb ---- */

/* A kilobyte that would become a gigabyte is told by its ratio; a file of a megabyte that may become one, by
 * the most that members may take in all. */
static void test_bomb(void **state)
{
    enum { PACKED = 2 << 20, NAME = 5 };
    static uint8_t file[30 + NAME + PACKED + 46 + NAME + 22];
    uint8_t *entry = file + 30 + NAME + PACKED, *end = entry + 46 + NAME;
    const uint32_t packed = PACKED, size = 1u << 30, list = 46 + NAME, at = 30 + NAME + PACKED;
    struct sft_checkpoint *checkpoint;
    (void)state;
    memcpy(file, "PK\3\4", 4);
    file[26] = NAME;
    memcpy(file + 30, "a.npy", NAME);
    memcpy(entry, "PK\1\2", 4);
    entry[10] = 8; /* deflated */
    memcpy(entry + 20, &packed, 4);
    memcpy(entry + 24, &size, 4);
    entry[28] = NAME;
    memcpy(entry + 46, "a.npy", NAME);
    memcpy(end, "PK\5\6", 4);
    end[8] = end[10] = 1;
    memcpy(end + 12, &list, 4);
    memcpy(end + 16, &at, 4);
    test_put("bomb.npz", file, sizeof(file));
    test_catch_log();
    assert_int_equal(sft_checkpoint_open(test_path("bomb.npz"), &checkpoint), SFT_DATA);
    test_expect_last("as those of a zip bomb do");
}

/* ---- mutations ---- */

/* What was accepted can be read and packed. */
static void use(const char *path)
{
    struct sft_checkpoint *checkpoint;
    if (sft_checkpoint_open(path, &checkpoint) != SFT_OK) return;
    for (size_t i = 0; i < checkpoint->n_tensors; i++) {
        const struct sft_stored_tensor *tensor = &checkpoint->tensors[i];
        const size_t count =
            sft_stored_dtype_size(tensor->dtype) ? (size_t)sft_shape_count(&tensor->shape) : 0;
        float *values = calloc(count + 1, sizeof(*values));
        uint8_t *packed = calloc(tensor->bytes + 1, 1);
        assert_true(values && packed);
        (void)!sft_stored_read(tensor, values);
        sft_stored_pack(tensor, packed);
        free(values);
        free(packed);
    }
    sft_checkpoint_close(&checkpoint);
}

/* Random changes and cuts: success or a status, never a crash. */
static void mutate(const char *name, int rounds)
{
    struct sft_bytes original;
    struct sft_rng rng;
    char *path = sft_path_join(GOLDEN, "%s", name);
    assert_int_equal(sft_file_open(path, &original), SFT_OK);
    sft_rng_init(&rng, 1, SFT_STREAM_TEST, 0);
    for (int round = 0; round < rounds; round++) {
        const size_t size =
            sft_rng_below(&rng, 8) ? original.size : sft_rng_below(&rng, (uint32_t)original.size + 1);
        uint8_t *bytes = malloc(size + 1);
        FILE *file = fopen(test_path("mutated"), "wb");
        assert_true(bytes && file);
        memcpy(bytes, original.data, size);
        for (uint32_t changes = 1 + sft_rng_below(&rng, 4); size && changes; changes--)
            bytes[sft_rng_below(&rng, (uint32_t)size)] = (uint8_t)sft_rng_u32(&rng);
        assert_int_equal(fwrite(bytes, 1, size, file), size);
        fclose(file);
        free(bytes);
        use(test_path("mutated"));
    }
    sft_file_close(&original);
    free(path);
}

static void test_mutations(void **state)
{
    static const char *const names[] = {
        "plain.pth",        "legacy.pth",    "training.pth.tar",
        "views.legacy.pth", "deflated.npz",  "odd.npz",
        "real.tar",         "protocol5.pth", "sharded_bin/pytorch_model.bin.index.json"};
    (void)state;
    test_catch_log();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) mutate(names[i], 1000);
}

/* ---- writing ---- */

/* Metadata as a model's: texts of any bytes. */
static const struct sft_metadata metadata[] = {{"class_names", "[\"caf\\u00e9\", \"b\"]"},
                                               {"note", "caf\xe9 \\xE9"}};

static void assert_same(const struct sft_checkpoint *a, const struct sft_checkpoint *b, bool bf16)
{
    assert_int_equal(a->n_tensors, b->n_tensors);
    for (size_t i = 0; i < a->n_tensors; i++) {
        const struct sft_stored_tensor *x = &a->tensors[i], *y = &b->tensors[i];
        char p[65], q[65];
        assert_string_equal(x->name, y->name);
        assert_true(x->dtype == y->dtype ||
                    (!bf16 && x->dtype == SFT_STORED_BF16 && y->dtype == SFT_STORED_F32));
        assert_true(sft_shape_equal(&x->shape, &y->shape));
        hash_values(x, p);
        hash_values(y, q);
        assert_string_equal(p, q);
        assert_true((uintptr_t)y->strided + y->big_endian == 0);
    }
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(sft_checkpoint_metadata(b, metadata[i].key), metadata[i].value);
}

/* Writes what a file holds in each format, twice: the same tensors come back, from the same bytes. */
static void check_writers(const char *name, const struct sft_checkpoint *from)
{
    const struct sft_checkpoint_content content = {from->tensors, from->n_tensors, metadata, 2};
    const struct sft_checkpoint_writer *writer;
    for (int i = 0; (writer = sft_checkpoint_writer_at(i)); i++) {
        char file[64], first[65], second[65];
        struct sft_checkpoint *again;
        snprintf(file, sizeof(file), "%s.%.*s", name, (int)strcspn(writer->endings + 1, " "),
                 writer->endings + 1);
        assert_ptr_equal(sft_checkpoint_writer_of(file), writer);
        assert_ptr_equal(sft_checkpoint_writer_find(writer->name), writer);
        assert_int_equal(writer->write(test_path(file), &content), SFT_OK);
        assert_int_equal(sft_file_sha256(test_path(file), first), SFT_OK);
        assert_int_equal(writer->write(test_path(file), &content), SFT_OK);
        assert_int_equal(sft_file_sha256(test_path(file), second), SFT_OK);
        assert_string_equal(first, second);
        assert_int_equal(sft_checkpoint_open(test_path(file), &again), SFT_OK);
        assert_same(from, again, strcmp(writer->name, "npz") != 0);
        sft_checkpoint_close(&again);
    }
}

static void test_writers(void **state)
{
    static const char *const names[] = {"views.pth", "big_endian.pth", "odd.npz", "training.pth.tar"};
    (void)state;
    test_catch_log();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = sft_path_join(GOLDEN, "%s", names[i]);
        struct sft_checkpoint *checkpoint;
        assert_int_equal(sft_checkpoint_open(path, &checkpoint), SFT_OK);
        check_writers(names[i], checkpoint);
        sft_checkpoint_close(&checkpoint);
        free(path);
    }
}

/* Types that a format lacks, and a name that is there twice, are refused, and nothing is written. */
static void test_not_written(void **state)
{
    static const float values[2];
    struct sft_stored_tensor tensors[2] = {
        {.name = "a", .shape = SFT_SHAPE(2), .data = values, .bytes = 8},
        {.name = "a", .shape = SFT_SHAPE(2), .data = values, .bytes = 8},
    };
    const struct sft_checkpoint_content twice = {tensors, 2, NULL, 0};
    const struct sft_checkpoint_content other = {tensors, 1, NULL, 0};
    (void)state;
    test_catch_log();
    assert_int_equal(sft_checkpoint_writer_find("npz")->write(test_path("w"), &twice), SFT_FAILED);
    test_expect_last("a.npy is there twice");
    tensors[0].dtype = SFT_STORED_OTHER;
    for (int i = 0; i < 3; i++)
        assert_int_equal(sft_checkpoint_writer_at(i)->write(test_path("w"), &other), SFT_DATA);
    tensors[0].dtype = SFT_STORED_U16;
    assert_int_equal(sft_checkpoint_writer_find("pth")->write(test_path("w"), &other), SFT_DATA);
    test_expect_last("not written for PyTorch");
    assert_true(sft_file_is_absent(test_path("w")));
    assert_null(sft_checkpoint_writer_at(3));
    assert_null(sft_checkpoint_writer_of("model.h5"));
    assert_null(sft_checkpoint_writer_find("h5"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),  cmocka_unit_test(test_given),       cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_writers), cmocka_unit_test(test_not_written), cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, test_setup_folder, test_remove_folder);
}
