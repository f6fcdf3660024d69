/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that grow: the spelling of bytes as UTF-8 and back, paths. */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/path.h"
#include "runtime/base/text.h"
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
        cmocka_unit_test(paths),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
