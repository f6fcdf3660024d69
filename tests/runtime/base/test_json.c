/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/json.h"
#include "tests/support/fixture.h"

/* ---- jansson without memory: the call of that number gives NULL ---- */

static int calls, failing;

static void *scarce(size_t size) { return ++calls == failing ? NULL : malloc(size); }

static void fail_call(int number)
{
    calls = 0;
    failing = number;
    json_set_alloc_funcs(scarce, free);
}

static int plenty(void **state)
{
    (void)state;
    json_set_alloc_funcs(malloc, free);
    return 0;
}

/* ---- values ---- */

static void make_all(struct sft_json *json)
{
    sft_json_object(json, NULL);
    sft_json_text(json, "name", "caf\xe9");
    sft_json_real(json, "third", 1.0 / 3);
    sft_json_real(json, "nothing", NAN);
    sft_json_integer(json, "large", INT64_C(9007199254740993));
    sft_json_boolean(json, "yes", true);
    sft_json_null(json, "null");
    sft_json_text(json, "none", NULL);
    sft_json_array(json, "list");
    sft_json_integer(json, NULL, 1);
    sft_json_object(json, NULL);
    sft_json_end(json);
    sft_json_end(json);
    sft_json_object(json, "caf\xe9");
    sft_json_integer(json, "\xff", 1);
    sft_json_integer(json, "\xfe", 2);
    sft_json_integer(json, "\\xFF", 3);
    sft_json_end(json);
    sft_json_value(json, "given", json_integer(5));
    sft_json_end(json);
}

static const char all[] =
    "{\"name\": \"caf\\\\xE9\", \"third\": 0.333333333, \"nothing\": null, \"large\": 9007199254740993, "
    "\"yes\": true, \"null\": null, \"none\": null, \"list\": [1, {}], "
    "\"caf\\\\xE9\": {\"\\\\xFF\": 1, \"\\\\xFE\": 2, \"\\\\\\\\xFF\": 3}, \"given\": 5}";

static void every_kind_of_value(void **state)
{
    struct sft_json json = {0};
    struct sft_text text = {0};
    (void)state;
    make_all(&json);
    assert_int_equal(json.depth, 0);
    sft_json_dump(&json, JSON_REAL_PRECISION(9), &text);
    assert_int_equal(text.status, SFT_OK);
    assert_string_equal(text.data, all);
    sft_text_free(&text);
    sft_json_free(&json);
    assert_null(json.root);
}

/* What a terminal obeys is escaped, below a blank by jansson and beyond ASCII by us; the rest stands for
 * itself. */
static void controls_are_escaped(void **state)
{
    struct sft_json json = {0};
    struct sft_text text = {0};
    (void)state;
    sft_json_array(&json, NULL);
    sft_json_text(&json, NULL,
                  "\x1b[31m\x7f \xc2\x9b"
                  "31m\xe2\x80\xae \xc3\xa9\n\xe9");
    sft_json_end(&json);
    sft_json_dump(&json, 0, &text);
    assert_int_equal(text.status, SFT_OK);
    assert_string_equal(text.data, "[\"\\u001B[31m\\u007F \\u009B31m\\u202E \xc3\xa9\\n\\\\xE9\"]");
    sft_text_free(&text);
    sft_json_free(&json);
}

static void a_key_again_replaces(void **state)
{
    struct sft_json json = {0};
    json_t *root;
    (void)state;
    sft_json_object(&json, NULL);
    sft_json_text(&json, "status", "running");
    sft_json_text(&json, "status", "ok");
    root = sft_json_take(&json);
    assert_int_equal(json_object_size(root), 1);
    assert_string_equal(json_string_value(json_object_get(root, "status")), "ok");
    json_decref(root);
}

static void too_deep(void **state)
{
    struct sft_json json = {0};
    (void)state;
    for (int i = 0; i < SFT_JSON_DEPTH; i++) sft_json_array(&json, NULL);
    assert_int_equal(json.status, SFT_OK);
    sft_json_array(&json, NULL);
    assert_int_equal(json.status, SFT_FAILED);
    assert_null(sft_json_take(&json));
}

/* ---- failures ---- */

static void null_sticks(void **state)
{
    struct sft_json json = {0};
    struct sft_text text = {0};
    (void)state;
    test_catch_log();
    sft_json_object(&json, NULL);
    sft_json_value(&json, "data", NULL);
    sft_json_integer(&json, "later", 1);
    assert_int_equal(json.status, SFT_MEMORY);
    test_expect_log("data");
    assert_int_equal(sft_json_write(&json, test_path("null.json"), 0), SFT_MEMORY);
    test_expect_last("null.json: not written");
    assert_int_equal(access(test_path("null.json"), F_OK), -1);
    sft_json_dump(&json, 0, &text);
    assert_int_equal(text.status, SFT_MEMORY);
    sft_text_free(&text);
    assert_null(sft_json_take(&json));
}

/* Whichever allocation fails, there is the whole file or none. */
static void without_memory_no_file(void **state)
{
    int failures = 0;
    enum sft_status status = SFT_MEMORY;
    (void)state;
    for (int number = 1; status != SFT_OK; number++) {
        struct sft_json json = {0};
        test_catch_log();
        fail_call(number);
        make_all(&json);
        status = sft_json_write(&json, test_path("scarce.json"), 0);
        sft_json_free(&json);
        failures += status != SFT_OK;
        if (status == SFT_OK) break;
        assert_int_equal(status, SFT_MEMORY);
        test_expect_last("scarce.json: not written");
        assert_int_equal(access(test_path("scarce.json"), F_OK), -1);
    }
    assert_in_range(failures, 40, 1000);
    assert_int_equal(access(test_path("scarce.json"), F_OK), 0);
}

/* ---- files ---- */

static void written_and_read(void **state)
{
    struct sft_json json = {0};
    json_t *value;
    char *name;
    (void)state;
    make_all(&json);
    assert_int_equal(sft_json_write(&json, test_path("all.json"), JSON_INDENT(2)), SFT_OK);
    sft_json_free(&json);
    assert_int_equal(sft_json_read(test_path("all.json"), &value), SFT_OK);
    name = sft_json_bytes(json_object_get(value, "name"));
    assert_string_equal(name, "caf\xe9");
    assert_true(sft_json_number(json_object_get(value, "third")) == 1.0 / 3);
    assert_true(sft_json_number(json_object_get(value, "list")) != 1.0);
    assert_true(isnan(sft_json_number(json_object_get(value, "missing"))));
    free(name);
    json_decref(value);
}

static void damaged_files(void **state)
{
    static const char *const damaged[] = {"", "{\"a\": 1", "{\"a\": 1, \"a\": 2}", "{} {}",
                                          "{\"a\": \"\xe9\"}"};
    json_t *value;
    (void)state;
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        test_put("damaged.json", damaged[i], strlen(damaged[i]));
        test_catch_log();
        assert_int_equal(sft_json_read(test_path("damaged.json"), &value), SFT_DATA);
        test_expect_log("damaged.json: line ");
        assert_null(value);
    }
    assert_int_equal(sft_json_read(test_path("missing.json"), &value), SFT_DATA);
}

static void reading_without_memory(void **state)
{
    json_t *value;
    (void)state;
    test_put("small.json", "[1]", 3);
    fail_call(1);
    assert_int_equal(sft_json_read(test_path("small.json"), &value), SFT_MEMORY);
    assert_null(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value),
        cmocka_unit_test(controls_are_escaped),
        cmocka_unit_test(a_key_again_replaces),
        cmocka_unit_test(too_deep),
        cmocka_unit_test(null_sticks),
        cmocka_unit_test_teardown(without_memory_no_file, plenty),
        cmocka_unit_test(written_and_read),
        cmocka_unit_test(damaged_files),
        cmocka_unit_test_teardown(reading_without_memory, plenty),
    };
    return cmocka_run_group_tests_name("json", tests, test_setup_folder, test_remove_folder);
}
