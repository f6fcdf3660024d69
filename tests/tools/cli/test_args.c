/* SPDX-License-Identifier: Apache-2.0 */
/* Option tables: each type's reading, ranges, the order of sources, and what --config files may hold. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/nearest.h"
#include "tests/support/fixture.h"
#include "tools/cli/args.h"
#include "tools/cli/score_options.h"

enum fruit { APPLE, PEAR };

struct values {
    bool flag, shuffled, is_pear;
    int64_t whole;
    int narrow;
    double real;
    float small;
    uint64_t size;
    const char *text, *config;
    enum fruit fruit;
    struct sft_ints list;
    struct sft_texts texts;
    struct sft_sets sets;
};
#define FIELD(member) SFT_FIELD(struct values, member)

static const char *const fruits[] = {"apple", "pear", NULL};

static const struct sft_option rows[] = {
    {"flag", SFT_OPTION_FLAG, FIELD(flag), .help = "h"},
    {"no-shuffle", SFT_OPTION_NOT, FIELD(shuffled), .help = "h"},
    {"whole", SFT_OPTION_INT, FIELD(whole), .value = "N", .min = -5, .max = 10,
     .environment = "SFT_TEST_WHOLE", .help = "h"},
    {"narrow", SFT_OPTION_INT, FIELD(narrow), .value = "N", .min = -5, .max = 10, .help = "h"},
    {"real", SFT_OPTION_REAL, FIELD(real), .value = "X", .max = 1, .help = "h"},
    {"small", SFT_OPTION_REAL, FIELD(small), .value = "X", .max = 1, .incidental = true, .help = "h"},
    {"size", SFT_OPTION_SIZE, FIELD(size), .value = "SIZE", .help = "h"},
    {"text", SFT_OPTION_TEXT, FIELD(text), .value = "TEXT", .help = "h"},
    {"config", SFT_OPTION_TEXT, FIELD(config), .value = "FILE", .help = "h"},
    {"fruit", SFT_OPTION_CHOICE, FIELD(fruit), .value = "F", .choices = fruits, .help = "h"},
    {"pear", SFT_OPTION_CHOICE, FIELD(is_pear), .value = "F", .choices = fruits, .help = "h"},
    {"list", SFT_OPTION_INTS, FIELD(list), .value = "N,N", .min = 1, .max = 99, .help = "h"},
    {"more", SFT_OPTION_TEXTS, FIELD(texts), .value = "TEXT", .help = "h"},
    {"ood", SFT_OPTION_SETS, FIELD(sets), .value = "NAME=SPEC", .help = "h"},
    {0},
};
static const struct sft_option_group groups[] = {{"Options", rows}, {0}};

static void init(void *values)
{
    *(struct values *)values = (struct values){
        .shuffled = true,
        .whole = 3,
        .narrow = -1,
        .small = 0.1f,
        .fruit = PEAR,
        .list = {2, {2, 3}},
    };
}

static const struct sft_command command = {
    .name = "test",
    .operands = "FILE",
    .max_operands = 1,
    .groups = groups,
    .values_size = sizeof(struct values),
    .init = init,
};

static const struct sft_option *row(const char *name) { return sft_option_find(groups, name); }

enum { MAX_WORDS = 80 };

/* Parses words with blanks between them. */
static enum sft_status parse(struct sft_args *args, char *line)
{
    static char *words[MAX_WORDS];
    int count = 0;
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) words[count++] = word;
    return sft_args_parse(&command, sft_commands, count, words, args);
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
    assert_int_equal(v->fruit, PEAR);
    assert_int_equal(v->list.count, 2);
    assert_null(v->text);
    assert_true(v->shuffled);
    assert_false(v->flag || sft_args_given(&args, "whole"));
    sft_args_free(&args);
}

static void every_type_is_read(void **state)
{
    (void)state;
    PARSE(args, "--flag --no-shuffle --whole -5 --narrow 7 --real=2.5e-1 --small 0.5 --size 1.5G --text x=y "
                "--fruit apple --pear pear --list 7,8,9 --more a=1 --more b=2 --ood a=1 --ood b=c=2 file");
    assert_int_equal(status, SFT_OK);
    assert_true(v->flag);
    assert_false(v->shuffled);
    assert_int_equal(v->whole, -5);
    assert_int_equal(v->narrow, 7);
    assert_true(v->real == 0.25 && v->small == 0.5f);
    assert_true(v->size == 1610612736u);
    assert_string_equal(v->text, "x=y");
    assert_int_equal(v->fruit, APPLE);
    assert_true(v->is_pear);
    assert_int_equal(v->list.count, 3);
    assert_int_equal(v->list.values[2], 9);
    assert_int_equal(v->texts.count, 2);
    assert_string_equal(v->texts.values[1], "b=2");
    assert_int_equal(v->sets.count, 2);
    assert_string_equal(v->sets.values[1].name, "b");
    assert_string_equal(v->sets.values[1].spec, "c=2");
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
        "--real 0x",    "--size 1GiBx", "--ood x",
        "--ood =x",     "--ood x=",     "--narrow 11",
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
        assert_int_equal(sft_option_set(row("size"), &values, cases[i].text, "--size"), SFT_OK);
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
    write_file(path, "; settings\n more = a=1 \nmore = b=2\n\n[test]\nwhole = 4\nlist = 5\n[finetune]\nwhole "
                     "= nonsense\n");
    snprintf(line, sizeof(line), "--config %s --more c=3", path);
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
    static const char *const texts[] = {"whole\n",
                                        "= 3\n",
                                        "[test\n",
                                        "[test]\nwhol = 3\n",
                                        "whole = x\n",
                                        "whole =\n",
                                        "[finetun]\nlr = 1\n"};
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
    for (int i = 0; i <= SFT_MAX_TEXTS; i++) strcat(line, "--more=x ");
    assert_int_equal(parse(&args, line), SFT_USAGE);
    sft_args_free(&args);
    strcpy(line, "--list 1");
    for (int i = 0; i < SFT_MAX_INTS; i++) strcat(line, ",1");
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
    struct sft_json made = {0};
    json_t *values, *origins;
    (void)state;
    PARSE(args, "--whole 7 --ood a=1 --no-shuffle");
    assert_int_equal(status, SFT_OK);
    sft_json_object(&made, NULL);
    sft_args_json(&args, "values", &made);
    sft_args_origins_json(&args, "origins", &made);
    sft_json_end(&made);
    values = json_object_get(made.root, "values");
    origins = json_object_get(made.root, "origins");
    assert_int_equal(json_integer_value(json_object_get(values, "whole")), 7);
    assert_true(json_number_value(json_object_get(values, "small")) == 0.1);
    assert_true(json_is_true(json_object_get(values, "no-shuffle")));
    assert_string_equal(json_string_value(json_object_get(values, "fruit")), "pear");
    assert_string_equal(json_string_value(json_array_get(json_object_get(values, "ood"), 0)), "a=1");
    assert_true(json_is_null(json_object_get(values, "text")));
    assert_int_equal(json_object_size(origins), 3);
    assert_string_equal(json_string_value(json_object_get(origins, "whole")), "flag");
    sft_json_free(&made);
    sft_args_free(&args);
}

static void a_run_is_described(void **state)
{
    struct sft_run_words words;
    (void)state;
    PARSE(args, "--whole 7");
    assert_int_equal(status, SFT_OK);
    assert_int_equal(sft_args_describe(&args, &args, &words), SFT_OK);
    assert_non_null(strstr(words.record, "\"command\":[\"sft-vk\",\"test\",\"--whole\",\"7\"]"));
    assert_non_null(strstr(words.record, "\"small\":0.1"));
    assert_non_null(strstr(words.settings, "\"whole\":7"));
    assert_null(strstr(words.settings, "small")); /* which is incidental */
    sft_run_words_free(&words);
    sft_args_free(&args);
}

static void defaults_are_printed(void **state)
{
    static const struct {
        const char *name, *text;
    } cases[] = {{"whole", "3"}, {"narrow", "-1"}, {"small", "0.1"}, {"fruit", "pear"}};
    struct values values;
    char text[32];
    (void)state;
    init(&values);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(sft_option_print(row(cases[i].name), &values, text, sizeof(text)));
        assert_string_equal(text, cases[i].text);
    }
    values.small = NAN;
    values.whole = 11; /* out of range: stands for what is not given */
    assert_false(sft_option_print(row("small"), &values, text, sizeof(text)));
    assert_false(sft_option_print(row("whole"), &values, text, sizeof(text)));
    assert_false(sft_option_print(row("text"), &values, text, sizeof(text)));
    assert_false(sft_option_print(row("flag"), &values, text, sizeof(text)));
}

/* Of every command: a row that does not fit its field would write over its neighbours. */
static void rows_fit_their_fields(void **state)
{
    (void)state;
    for (int i = 0; sft_commands[i]; i++)
        for (const struct sft_option_group *group = sft_commands[i]->groups; group->title; group++)
            for (const struct sft_option *option = group->options; option->name; option++)
                if (!sft_option_fits(option) || option->offset + option->size > sft_commands[i]->values_size)
                    fail_msg("%s: --%s does not fit its field", sft_commands[i]->name, option->name);
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
        cmocka_unit_test(a_run_is_described),
        cmocka_unit_test(defaults_are_printed),
        cmocka_unit_test(rows_fit_their_fields),
    };
    test_catch_log();
    if (sft_score_options_init() != SFT_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
