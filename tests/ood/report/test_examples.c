/* SPDX-License-Identifier: Apache-2.0 */
/* The pictures beside the results: which are picked, what they hold, and that nothing in the file is
 * believed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ood/report/examples.h"
#include "runtime/base/file.h"
#include "tests/support/fixture.h"

static const char *file(void)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/examples.json", test_folder());
    return path;
}

static struct sft_dataset *open_set(const char *spec, int64_t n)
{
    struct sft_dataset *set;
    assert_int_equal(sft_dataset_open(spec, &set), SFT_OK);
    sft_dataset_limit(set, n);
    return set;
}

/* Scores of msp and energy by two models; energy after is (7 i) mod n, so that the order is known, and minus
 * i before.
 */
static void fill(struct sft_results *r, int64_t n_id, int64_t n_ood)
{
    static const char *const scores[] = {"msp", "energy"}, *const sets[] = {"noise"};
    assert_int_equal(sft_results_init(r, &sft_conventions[0], 2, scores, 1, sets), SFT_OK);
    for (int model = 0; model < 2; model++) {
        for (int score = 0; score < 2; score++)
            for (int set = SFT_ID_SET; set < 1; set++) {
                int64_t n = set == SFT_ID_SET ? n_id : n_ood;
                float values[64];
                for (int64_t i = 0; i < n; i++)
                    values[i] = score == 0 ? 0.5f : model == 0 ? -(float)i : (float)(7 * i % n);
                assert_int_equal(sft_results_put(r, (enum sft_results_model)model, score, set, n, values),
                                 SFT_OK);
            }
        assert_int_equal(sft_results_compute(r, (enum sft_results_model)model, NAN), SFT_OK);
    }
}

/* The bytes of a base64 text. */
static size_t decode(const char *text, uint8_t *bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0;
    unsigned bits = 0;
    int held = 0;
    for (; *text && *text != '='; text++) {
        bits = bits << 6 | (unsigned)(strchr(digits, *text) - digits);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        bytes[n++] = (uint8_t)(bits >> held);
    }
    return n;
}

/* A small image comes back as it is in the set. */
static void assert_picture(const struct sft_example_image *example, const struct sft_dataset *set)
{
    static uint8_t bytes[1 << 16];
    struct sft_image want = {0}, got = {0};
    int label;
    assert_int_equal(sft_dataset_read(set, example->index, &want, &label), SFT_OK);
    assert_true(strlen(example->png) < sizeof(bytes));
    assert_int_equal(sft_image_decode(bytes, decode(example->png, bytes), "example", &got), SFT_OK);
    assert_true(got.width == want.width && got.height == want.height);
    assert_memory_equal(got.rgb, want.rgb, (size_t)got.width * (size_t)got.height * 3);
    if (label >= 0)
        assert_string_equal(example->label, sft_dataset_class_name(set, label));
    else
        assert_null(example->label);
    sft_image_free(&want);
    sft_image_free(&got);
}

static void the_extremes_are_picked(void **state)
{
    struct sft_dataset *id = open_set("synthetic#test", 50), *noise = open_set("synthetic:noise", 9);
    const struct sft_dataset *const sets[] = {noise};
    struct sft_results r;
    struct sft_examples examples;
    (void)state;
    fill(&r, 50, 9);
    assert_int_equal(sft_examples_write(&r, id, sets, test_folder()), SFT_OK);
    assert_int_equal(sft_examples_read(file(), &examples), SFT_OK);
    assert_string_equal(examples.score, "energy");
    assert_int_equal(examples.sets, 2);
    assert_string_equal(examples.set[0].name, "id");
    assert_string_equal(examples.set[1].name, "noise");
    for (int kind = 0; kind < SFT_EXAMPLE_KINDS; kind++) {
        assert_int_equal(examples.set[0].count[kind], 8);
        assert_int_equal(examples.set[1].count[kind],
                         kind == SFT_EXAMPLE_MOST ? 5 : 4); /* 9 images, none twice */
        for (int i = 0; i < examples.set[0].count[kind]; i++) {
            const struct sft_example_image *e = &examples.set[0].example[kind][i];
            assert_true(e->score == (kind == SFT_EXAMPLE_MOST ? 49 - i : i));
            assert_true(e->score == (double)(7 * e->index % 50) && e->before == -(double)e->index);
            assert_picture(e, id);
        }
        for (int i = 0; i < examples.set[1].count[kind]; i++)
            assert_picture(&examples.set[1].example[kind][i], noise);
    }
    sft_examples_free(&examples);
    sft_results_free(&r);
    sft_dataset_close(&id);
    sft_dataset_close(&noise);
}

static void a_single_image_is_the_most_like_id(void **state)
{
    struct sft_dataset *id = open_set("synthetic#test", 1), *noise = open_set("synthetic:noise", 1);
    const struct sft_dataset *const sets[] = {noise};
    struct sft_results r;
    struct sft_examples examples;
    (void)state;
    fill(&r, 1, 1);
    assert_int_equal(sft_examples_write(&r, id, sets, test_folder()), SFT_OK);
    assert_int_equal(sft_examples_read(file(), &examples), SFT_OK);
    assert_int_equal(examples.set[0].count[SFT_EXAMPLE_MOST], 1);
    assert_int_equal(examples.set[0].count[SFT_EXAMPLE_LEAST], 0);
    assert_int_equal(sft_examples_write(&r, id, sets, "/proc/none"), SFT_WRITE);
    sft_examples_free(&examples);
    sft_results_free(&r);
    sft_dataset_close(&id);
    sft_dataset_close(&noise);
}

static void large_images_are_made_small(void **state)
{
    static const struct {
        int width, height, small_width, small_height;
    } sizes[] = {{300, 200, 48, 32}, {20, 100, 10, 48}, {1, 500, 1, 48}, {48, 48, 48, 48}, {49, 7, 48, 7}};
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char spec[192], name[160], header[32];
        static uint8_t bytes[300 * 500 * 3 + 64], png[1 << 16];
        struct sft_image image = {0};
        struct sft_dataset *set;
        const struct sft_dataset *sets[1];
        struct sft_results r;
        struct sft_examples examples;
        /* An .npy of one image: magic, version, header of 118 bytes, pixels. */
        size_t pixels = (size_t)sizes[i].width * (size_t)sizes[i].height * 3;
        memset(bytes, ' ', 128);
        memcpy(bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
        snprintf(header, sizeof(header), "1,%d,%d,3", sizes[i].height, sizes[i].width);
        snprintf(name, sizeof(name), "{'descr':'|u1','fortran_order':False,'shape':(%s)}", header);
        memcpy(bytes + 10, name, strlen(name));
        bytes[127] = '\n';
        memset(bytes + 128, 99, pixels);
        snprintf(name, sizeof(name), "%s/image.npy", test_folder());
        assert_int_equal(sft_file_write(name, bytes, 128 + pixels), SFT_OK);
        snprintf(spec, sizeof(spec), "npy:%s", name);
        sets[0] = set = open_set(spec, 1);
        fill(&r, 1, 1);
        assert_int_equal(sft_examples_write(&r, set, sets, test_folder()), SFT_OK);
        assert_int_equal(sft_examples_read(file(), &examples), SFT_OK);
        assert_int_equal(
            sft_image_decode(png, decode(examples.set[0].example[0][0].png, png), "example", &image), SFT_OK);
        assert_int_equal(image.width, sizes[i].small_width);
        assert_int_equal(image.height, sizes[i].small_height);
        assert_int_equal(image.rgb[0], 99);
        sft_image_free(&image);
        sft_examples_free(&examples);
        sft_results_free(&r);
        sft_dataset_close(&set);
    }
}

static void damaged_files_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{",
        "{\"sets\": {}}",
        "{\"score\": 3, \"sets\": {}}",
        "{\"score\": \"e\", \"sets\": {\"a\": {\"most\": [{\"index\": 1}]}}}",
        "{\"score\": \"e\", \"sets\": {\"a\": {\"most\": [{\"png\": \"AAAA\"}]}}}",
        "{\"score\": \"e\", \"sets\": {\"a\": {\"least\": [{\"index\": 1, \"png\": \"AAAA\"}, 7]}}}",
        "{\"score\": \"e\", \"sets\": {\"a\": {\"most\": [{\"index\": 1, \"png\": \"AAA\"}]}}}",
        "{\"score\": \"e\", \"sets\": {\"a\": {\"most\": [{\"index\": 1, \"png\": \"AAAA\\\" x\"}]}}}",
        "{\"score\": \"e\", \"sets\": {\"a\": {\"most\": [{\"index\": 1, \"png\": \"A===\"}]}}}"};
    static const char odd[] =
        "{\"score\": \"e\", \"sets\": {\"a\": {\"most\": {}}, \"b\": 5, \"c\": {\"most\": [{\"index\": "
        "-1, \"label\": 4, \"png\": \"AA==\"}]}}}";
    struct sft_examples examples;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(sft_file_write(file(), bad[i], strlen(bad[i])), SFT_OK);
        assert_int_equal(sft_examples_read(file(), &examples), SFT_DATA);
        assert_null(examples.set);
    }
    assert_int_equal(sft_file_write(file(), odd, strlen(odd)), SFT_OK);
    assert_int_equal(sft_examples_read(file(), &examples), SFT_OK);
    assert_int_equal(examples.sets, 3);
    assert_true(isnan(examples.set[2].example[0][0].score) && !examples.set[2].example[0][0].label);
    sft_examples_free(&examples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_extremes_are_picked),
        cmocka_unit_test(a_single_image_is_the_most_like_id),
        cmocka_unit_test(large_images_are_made_small),
        cmocka_unit_test(damaged_files_are_refused),
    };
    return cmocka_run_group_tests_name("examples", tests, test_setup_folder, test_remove_folder);
}
