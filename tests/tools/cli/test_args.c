/* SPDX-License-Identifier: Apache-2.0 */
/* Option tables: each type's reading, ranges, the order of sources, and what --config files may hold. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/nearest.h"
#include "tests/support/fixture.h"
#include "tools/cli/args.h"

struct values {
    bool flag;
    int64_t whole;
    double real;
    uint64_t size;
    const char *text, *config;
    int choice;
    struct sft_ints list;
    struct sft_texts texts;
};

static const char *const fruits[] = {"apple", "pear", NULL};

static const struct sft_option rows[] = {
    {"flag", SFT_OPTION_FLAG, offsetof(struct values, flag), .help = "h"},
    {"whole", SFT_OPTION_INT, offsetof(struct values, whole), .value = "N", .fallback = "3", .min = -5,
     .max = 10, .environment = "SFT_TEST_WHOLE", .help = "h"},
    {"real", SFT_OPTION_REAL, offsetof(struct values, real), .value = "X", .max = 1, .help = "h"},
    {"size", SFT_OPTION_SIZE, offsetof(struct values, size), .value = "SIZE", .help = "h"},
    {"text", SFT_OPTION_TEXT, offsetof(struct values, text), .value = "TEXT", .help = "h"},
    {"config", SFT_OPTION_TEXT, offsetof(struct values, config), .value = "FILE", .help = "h"},
    {"fruit", SFT_OPTION_CHOICE, offsetof(struct values, choice), .value = "F", .fallback = "pear",
     .choices = fruits, .help = "h"},
    {"list", SFT_OPTION_INTS, offsetof(struct values, list), .value = "N,N", .fallback = "2,3", .min = 1,
     .max = 99, .help = "h"},
    {"ood", SFT_OPTION_TEXTS, offsetof(struct values, texts), .value = "NAME=SPEC", .help = "h"},
    {0},
};
static const struct sft_option_group groups[] = {{"Options", rows}, {0}};
static const struct sft_command command = {.name = "test",
                                           .operands = "FILE",
                                           .max_operands = 1,
                                           .groups = groups,
                                           .values_size = sizeof(struct values)};

enum { MAX_WORDS = 80 };

/* Parses words with blanks between them. */
static enum sft_status parse(struct sft_args *args, char *line)
{
    static char *words[MAX_WORDS];
    int count = 0;
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) words[count++] = word;
    return sft_args_parse(&command, count, words, args);
}

#define PARSE(args, text)                                                                                    \
    char line[] = text;                                                                                      \
    struct sft_args args;                                                                                    \
    enum sft_status status = parse(&args, line);                                                             \
    const struct values *v = args.values;                                                                    \
    (void)v

static void defaults_hold(void **state)
{
    (void)state;
    PARSE(args, "");
    assert_int_equal(status, SFT_OK);
    assert_int_equal(v->whole, 3);
    assert_int_equal(v->choice, 1);
    assert_int_equal(v->list.count, 2);
    assert_null(v->text);
    assert_false(v->flag || sft_args_given(&args, "whole"));
    sft_args_free(&args);
}

static void every_type_is_read(void **state)
{
    (void)state;
    PARSE(args, "--flag --whole -5 --real=2.5e-1 --size 1.5G --text x=y --fruit apple --list 7,8,9 --ood a=1 "
                "--ood b=2 file");
    assert_int_equal(status, SFT_OK);
    assert_true(v->flag);
    assert_int_equal(v->whole, -5);
    assert_true(v->real == 0.25);
    assert_true(v->size == 1610612736u);
    assert_string_equal(v->text, "x=y");
    assert_int_equal(v->choice, 0);
    assert_int_equal(v->list.count, 3);
    assert_int_equal(v->list.values[2], 9);
    assert_int_equal(v->texts.count, 2);
    assert_string_equal(v->texts.values[1], "b=2");
    assert_int_equal(args.operand_count, 1);
    sft_args_free(&args);
}

static void bad_values_are_refused(void **state)
{
    static const char *const lines[] = {
        "--whole 11",   "--whole 1.5",  "--whole",
        "--whole=",     "--real nan",   "--real 2",
        "--real -0.1",  "--size -1",    "--size 0",
        "--size 4Q",    "--fruit fig",  "--list 1,,2",
        "--list 1,",    "--list 100",   "--size 1e30",
        "--flag=maybe", "--text=",      "--unknown 1",
        "-f",           "one two",      "--whole 99999999999999999999",
        "--whole 1,2",  "--list ",      "--fruit Pear",
        "--real 0x",    "--size 1GiBx",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char line[128];
        struct sft_args args;
        snprintf(line, sizeof(line), "%s", lines[i]);
        if (parse(&args, line) != SFT_USAGE) fail_msg("taken: %s", lines[i]);
        sft_args_free(&args);
    }
}

static void sizes_have_suffixes(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {{"1", 1},          {"512K", 524288},      {"2m", 2097152},
                 {"2MiB", 2097152}, {"1T", 1099511627776}, {"3B", 3}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct values values = {0};
        assert_int_equal(sft_option_set(&rows[3], &values, cases[i].text, "--size"), SFT_OK);
        assert_true(values.size == cases[i].bytes);
    }
}

static void write_file(char path[32], const char *text)
{
    strcpy(path, "/tmp/sft-test-XXXXXX");
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
    close(descriptor);
}

static void flag_wins_over_environment_over_file(void **state)
{
    char path[32], line[128];
    struct sft_args args;
    const struct values *v;
    (void)state;
    write_file(
        path,
        "; settings\n ood = a=1 \nood = b=2\n\n[test]\nwhole = 4\nlist = 5\n[other]\nwhole = nonsense\n");
    snprintf(line, sizeof(line), "--config %s --ood c=3", path);
    assert_int_equal(parse(&args, line), SFT_OK);
    v = args.values;
    assert_int_equal(v->whole, 4);
    assert_int_equal(v->list.count, 1);
    assert_int_equal(v->texts.count, 1); /* the flag's list takes the place of the file's */
    sft_args_free(&args);

    setenv("SFT_TEST_WHOLE", "5", 1);
    snprintf(line, sizeof(line), "--config %s", path);
    assert_int_equal(parse(&args, line), SFT_OK);
    v = args.values;
    assert_int_equal(v->whole, 5);
    assert_int_equal(v->texts.count, 2);
    assert_string_equal(v->texts.values[0], "a=1");
    sft_args_free(&args);

    snprintf(line, sizeof(line), "--config %s --whole 6", path);
    assert_int_equal(parse(&args, line), SFT_OK);
    assert_int_equal(((const struct values *)args.values)->whole, 6);
    sft_args_free(&args);
    unsetenv("SFT_TEST_WHOLE");
    unlink(path);
}

static void bad_files_are_refused(void **state)
{
    static const char *const texts[] = {"whole\n",     "= 3\n",    "[test\n", "[test]\nwhol = 3\n",
                                        "whole = x\n", "whole =\n"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char path[32], line[64];
        struct sft_args args;
        write_file(path, texts[i]);
        snprintf(line, sizeof(line), "--config %s", path);
        if (parse(&args, line) != SFT_USAGE) fail_msg("taken: %s", texts[i]);
        sft_args_free(&args);
        unlink(path);
    }
}

static void too_much_is_refused(void **state)
{
    char line[1024] = "";
    struct sft_args args;
    (void)state;
    for (int i = 0; i <= SFT_OPTION_MAX_TEXTS; i++) strcat(line, "--ood=x ");
    assert_int_equal(parse(&args, line), SFT_USAGE);
    sft_args_free(&args);
    strcpy(line, "--list 1");
    for (int i = 0; i < SFT_OPTION_MAX_INTS; i++) strcat(line, ",1");
    assert_int_equal(parse(&args, line), SFT_USAGE);
    sft_args_free(&args);
}

static void slips_are_recognised(void **state)
{
    static const char *const names[] = {"finetune", "train", "eval", "devices", NULL};
    (void)state;
    assert_string_equal(sft_nearest("finetun", names), "finetune");
    assert_string_equal(sft_nearest("fientune", names), "finetune");
    assert_string_equal(sft_nearest("dev", names), "devices");
    assert_string_equal(sft_nearest("evla", names), "eval");
    assert_null(sft_nearest("bake", names));
    assert_null(sft_nearest("", names));
    assert_string_equal(sft_option_nearest(groups, "fruits"), "fruit");
}

static void values_are_recorded(void **state)
{
    (void)state;
    PARSE(args, "--whole 7 --ood a=1");
    json_t *values = sft_args_json(&args), *origins = sft_args_origins_json(&args);
    assert_int_equal(status, SFT_OK);
    assert_int_equal(json_integer_value(json_object_get(values, "whole")), 7);
    assert_string_equal(json_string_value(json_object_get(values, "fruit")), "pear");
    assert_int_equal(json_array_size(json_object_get(values, "ood")), 1);
    assert_true(json_is_null(json_object_get(values, "text")));
    assert_int_equal(json_object_size(origins), 2);
    assert_string_equal(json_string_value(json_object_get(origins, "whole")), "flag");
    json_decref(values);
    json_decref(origins);
    sft_args_free(&args);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_hold),
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(bad_values_are_refused),
        cmocka_unit_test(sizes_have_suffixes),
        cmocka_unit_test(flag_wins_over_environment_over_file),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(slips_are_recognised),
        cmocka_unit_test(values_are_recorded),
    };
    test_catch_log();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
