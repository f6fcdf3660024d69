/* SPDX-License-Identifier: Apache-2.0 */
/* Text files of Windows' editors and others: byte order marks, UTF-16, zero bytes. */
#include <string.h>

#include "runtime/base/text_file.h"
#include "tests/support/fixture.h"

static const struct {
    const char *bytes;
    size_t size;
    const char *text, *refused; /* one of the two */
} files[] = {
    {"a = 1\n", 6, "a = 1\n", NULL},
    {"\xef\xbb\xbf"
     "a = 1\n",
     9, "a = 1\n", NULL},
    {"\xef\xbb\xbf", 3, "", NULL},
    {"", 0, "", NULL},
    {"a\xef\xbb\xbf", 4, "a\xef\xbb\xbf", NULL}, /* only at the start */
    {"\xef\xbb", 2, "\xef\xbb", NULL},
    {"\xff\xfe"
     "a\0\n\0",
     6, NULL, "UTF-16; save it as UTF-8"},
    {"\xfe\xff"
     "\0a\0\n",
     6, NULL, "UTF-16; save it as UTF-8"},
    {"a\0\n\0", 4, NULL, "zero bytes"},
    {"0123456789", 10, NULL, "10 bytes; at most 9"},
};

static void marks_are_no_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct sft_text text = {0};
        enum sft_status status;
        test_put("settings.ini", files[i].bytes, files[i].size);
        status = sft_text_file_read(test_path("settings.ini"), 9, &text);
        assert_int_equal(status, files[i].text ? SFT_OK : SFT_DATA);
        if (files[i].text)
            assert_string_equal(text.data, files[i].text);
        else
            test_expect_last(files[i].refused);
        sft_text_free(&text);
    }
}

static void missing(void **state)
{
    struct sft_text text = {0};
    (void)state;
    assert_int_equal(sft_text_file_read(test_path("missing"), 9, &text), SFT_DATA);
    test_expect_last("missing: cannot be opened");
    assert_null(text.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_are_no_text),
        cmocka_unit_test(missing),
    };
    return cmocka_run_group_tests_name("text_file", tests, test_setup_folder, test_remove_folder);
}
