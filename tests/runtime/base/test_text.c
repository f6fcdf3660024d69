/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that grow: the spelling of bytes as UTF-8 and back, CSV, what a terminal shows, paths. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/path.h"
#include "runtime/base/text.h"
#include "runtime/base/visible.h"
#include "tests/support/fixture.h"

static const struct {
    const char *bytes, *spelling;
} spelled[] = {
    {"", ""},
    {"svhn", "svhn"},
    {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x88", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x88"},
    {"caf\xe9", "caf\\xE9"},
    {"\xff\xc3\xa9\xc3", "\\xFF\xc3\xa9\\xC3"},
    {"\xed\xa0\x80", "\\xED\\xA0\\x80"}, /* a surrogate */
    {"\xc0\xaf", "\\xC0\\xAF"},          /* overlong */
    {"C:\\data\\xy", "C:\\data\\xy"},    /* backslashes stand for themselves, */
    {"caf\\xE9", "caf\\\\xE9"},          /* but for those that would be taken for a spelling */
    {"caf\\\xe9", "caf\\\\\\xE9"},
    {"caf\\\\xE9", "caf\\\\\\\\xE9"},
    {"\\x41 \\xe9 \\xE", "\\x41 \\xe9 \\xE"}, /* no byte is spelled like these */
};
enum { SPELLED = sizeof(spelled) / sizeof(spelled[0]) };

static void spelling_and_back(void **state)
{
    (void)state;
    for (int i = 0; i < SPELLED; i++) {
        char *text = sft_text_spell(spelled[i].bytes);
        assert_non_null(text);
        assert_string_equal(text, spelled[i].spelling);
        sft_text_unspell(text);
        assert_string_equal(text, spelled[i].bytes);
        free(text);
    }
}

/* Every text of up to five of these bytes comes back as it was, and so no two have one spelling. */
static void spelling_is_unambiguous(void **state)
{
    static const char bytes[] = "\\xE9\xe9\xc3\xa9";
    enum { LENGTH = 5, KINDS = sizeof(bytes) - 1 };
    (void)state;
    for (int number = 0; number < 7 * 7 * 7 * 7 * 7; number++) {
        char in[LENGTH + 1] = "", *text;
        for (int i = 0, rest = number; i < LENGTH; i++, rest /= KINDS) in[i] = bytes[rest % KINDS];
        text = sft_text_spell(in);
        assert_non_null(text);
        sft_text_unspell(text);
        assert_string_equal(text, in);
        free(text);
    }
}

static void csv_and_html_spell(void **state)
{
    struct sft_text text = {0};
    (void)state;
    sft_text_add_csv(&text, "caf\xe9,\"1\"");
    sft_text_add(&text, "|");
    sft_text_add_csv(&text, "caf\xe9");
    sft_text_add(&text, "|");
    sft_text_add_escaped(&text, "<caf\xe9>\x01");
    assert_int_equal(text.status, SFT_OK);
    assert_string_equal(text.data, "\"caf\\xE9,\"\"1\"\"\"|caf\\xE9|&lt;caf\\xE9&gt;\xef\xbf\xbd");
    sft_text_free(&text);
}

static const struct {
    const char *text, *field;
} fields[] = {
    {"svhn", "svhn"},
    {"a,b", "\"a,b\""},
    {"two\nlines", "\"two\nlines\""},
    {"=1+1", "\"'=1+1\""},
    {"+1", "\"'+1\""},
    {"-1", "\"'-1\""},
    {"@SUM(1+1)*cmd|x", "\"'@SUM(1+1)*cmd|x\""},
    {"\t=1", "\"'\t=1\""},
    {"\r=1", "\"'\r=1\""},
    {"\n=1", "\"'\n=1\""},
    {"\xef\xbc\x9d"
     "1+1",
     "\"'\xef\xbc\x9d"
     "1+1\""},
    {"=HYPERLINK(\"http://a\",\"b\")", "\"'=HYPERLINK(\"\"http://a\"\",\"\"b\"\")\""},
    {"'=1", "\"''=1\""}, /* or it would be read as =1 */
    {"it's", "it's"},
    {"'a'", "'a'"},
    {"a-b", "a-b"},
    {"a=b", "a=b"},
};

static void csv_is_no_formula(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct sft_text text = {0};
        sft_text_add_csv(&text, fields[i].text);
        assert_int_equal(text.status, SFT_OK);
        assert_string_equal(text.data, fields[i].field);
        sft_text_free(&text);
    }
}

/* What is shown in place of bytes, alone and within lines. */
static const struct {
    const char *bytes, *shown, *in_lines;
} visible[] = {
    {"", "", ""},
    {"caf\xc3\xa9 \xf0\x9f\x90\x88 100 % \\x1B", "caf\xc3\xa9 \xf0\x9f\x90\x88 100 % \\x1B",
     "caf\xc3\xa9 \xf0\x9f\x90\x88 100 % \\x1B"},
    {"\x1b]0;owned\x07", "\\x1B]0;owned\\x07", "\\x1B]0;owned\\x07"},
    {"a\nb\tc\rd\x7f", "a\\x0Ab\\x09c\\x0Dd\\x7F", "a\nb\\x09c\\x0Dd\\x7F"},
    {"caf\xe9", "caf\\xE9", "caf\\xE9"},
    {"\x9b"
     "31m",
     "\\x9B"
     "31m",
     "\\x9B"
     "31m"}, /* CSI in Latin-1 */
    {"\xc2\x9b"
     "31m",
     "\\xC2\\x9B"
     "31m",
     "\\xC2\\x9B"
     "31m"}, /* and in UTF-8 */
    {"\xc2\xa0", "\xc2\xa0", "\xc2\xa0"},
    {"\xef\xbb\xbf"
     "a",
     "\\xEF\\xBB\\xBF"
     "a",
     "\\xEF\\xBB\\xBF"
     "a"},
    {"gnp.\xe2\x80\xae"
     "exe",
     "gnp.\\xE2\\x80\\xAE"
     "exe",
     "gnp.\\xE2\\x80\\xAE"
     "exe"},
    {"\xe2\x80\xa6\xe2\x81\xa5", "\xe2\x80\xa6\xe2\x81\xa5", "\xe2\x80\xa6\xe2\x81\xa5"},
};

/* `text` as sft_text_print() puts it into a file, in `out`. */
static void print_to(const struct sft_text *text, char *out, size_t room)
{
    FILE *file = fmemopen(out, room, "w");
    assert_non_null(file);
    assert_int_equal(sft_text_print(text, file), SFT_OK);
    fclose(file);
}

static void terminals_get_no_controls(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(visible) / sizeof(visible[0]); i++) {
        struct sft_text text = {0}, again = {0};
        char printed[128] = "";
        sft_text_add_visible(&text, visible[i].bytes);
        assert_string_equal(text.data, visible[i].shown);
        sft_text_add_visible(&again, text.data);
        assert_string_equal(again.data, visible[i].shown);
        sft_text_free(&again);
        sft_text_add(&again, visible[i].bytes);
        print_to(&again, printed, sizeof(printed));
        assert_string_equal(printed, visible[i].in_lines);
        sft_text_free(&text);
        sft_text_free(&again);
    }
}

/* Cut between characters, and the length told in full. */
static void visible_is_cut(void **state)
{
    static const char text[] = "a\x1b\xc3\xa9z", shown[] = "a\\x1B\xc3\xa9z";
    static const size_t kept[] = {0, 0, 1, 1, 1, 1, 5, 5, 7, 8};
    char out[10];
    (void)state;
    for (size_t room = 0; room < sizeof(out); room++) {
        out[0] = '\0';
        assert_int_equal(sft_visible(text, "", out, room), 8);
        assert_int_equal(strlen(out), kept[room]);
        assert_memory_equal(out, shown, kept[room]);
    }
}

static void messages_are_one_line(void **state)
{
    (void)state;
    test_catch_log();
    assert_int_equal(sft_fail(SFT_DATA, "%s: missing", "\x1b[2Ja\nsft-vk: error: b\xe9"), SFT_DATA);
    test_release_log();
    assert_int_equal(test_log_lines(), 1);
    test_expect_last("\\x1B[2Ja\\x0Asft-vk: error: b\\xE9: missing");
}

/* A text made of parts is whole or has failed. */
static void failures_of_parts_are_passed_on(void **state)
{
    struct sft_text whole = {0}, part = {0}, failed = {.status = SFT_MEMORY};
    (void)state;
    assert_string_equal(sft_text_string(&whole, &part), "");
    sft_text_add(&part, "part");
    sft_text_add(&whole, sft_text_string(&whole, &part));
    assert_string_equal(whole.data, "part");
    assert_int_equal(whole.status, SFT_OK);
    assert_string_equal(sft_text_string(&whole, &failed), "");
    assert_int_equal(whole.status, SFT_MEMORY);
    sft_text_add(&whole, "more");
    assert_string_equal(whole.data, "part");
    sft_text_free(&whole);
    sft_text_free(&part);
}

static void paths(void **state)
{
    char long_name[5000], *path;
    (void)state;
    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    path = sft_path_join(long_name, "seed-%d/%s", 3, "run.json");
    assert_non_null(path);
    assert_memory_equal(path, long_name, sizeof(long_name) - 1);
    assert_string_equal(path + sizeof(long_name) - 1, "/seed-3/run.json");
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spelling_and_back),
        cmocka_unit_test(spelling_is_unambiguous),
        cmocka_unit_test(csv_and_html_spell),
        cmocka_unit_test(csv_is_no_formula),
        cmocka_unit_test(terminals_get_no_controls),
        cmocka_unit_test(visible_is_cut),
        cmocka_unit_test(messages_are_one_line),
        cmocka_unit_test(paths),
        cmocka_unit_test(failures_of_parts_are_passed_on),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
