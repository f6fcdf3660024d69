/* SPDX-License-Identifier: Apache-2.0 */
/* A variation of the tables does to a job what its name, given as options of `finetune`, does. */
#include <string.h>

#include "tests/support/fixture.h"
#include "tools/cli/finetune_options.h"
#include "tools/cli/score_options.h"
#include "tools/reproduce/paper.h"
#include "tools/reproduce/small.h"

enum { MAX_WORDS = 32 };

/* Parses what `finetune` requires, and `text`, which is cut into words. */
static void parse(char *text, struct sft_args *args)
{
    char *words[MAX_WORDS] = {"--weights", "w", "--id", "i", "--out", "o"};
    int n = 6;
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) words[n++] = word;
    assert_int_equal(sft_args_parse(&sft_command_finetune, sft_commands, n, words, args), SFT_OK);
}

static void same_options(const struct sft_args *a, const struct sft_args *b, const char *name)
{
    struct sft_json left = {0}, right = {0};
    sft_args_json(a, NULL, &left);
    sft_args_json(b, NULL, &right);
    if (!json_equal(left.root, right.root)) fail_msg("%s: the variation does something else", name);
    sft_json_free(&left);
    sft_json_free(&right);
}

static void check_variation(const struct sft_variation *variation)
{
    char text[256], nothing[] = "";
    struct sft_args spelled, applied;
    assert_true(strlen(variation->name) < sizeof(text));
    strcpy(text, variation->name);
    parse(text, &spelled);
    parse(nothing, &applied);
    sft_variation_apply(variation, &((struct sft_finetune_values *)applied.values)->job);
    same_options(&spelled, &applied, variation->name);
    sft_args_free(&spelled);
    sft_args_free(&applied);
}

static void variations_do_what_they_are_called(void **state)
{
    const struct sft_table *const tables[] = {sft_paper_tables, sft_small_tables};
    (void)state;
    for (int t = 0; t < 2; t++)
        for (const struct sft_table *table = tables[t]; table->name; table++)
            for (const struct sft_table_row *row = table->rows; row->model; row++)
                if (row->tuning) check_variation(row->tuning);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(variations_do_what_they_are_called)};
    test_catch_log();
    if (sft_score_options_init() != SFT_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
