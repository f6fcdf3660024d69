/* SPDX-License-Identifier: Apache-2.0 */
/* The published figures in tools/reproduce: tables are whole, name scores and models that there are, and
 * their columns have the averages that are printed, but for three that the paper itself has wrong. */
#include <math.h>
#include <string.h>

#include "ood/scores/score.h"
#include "tests/support/cm.h"
#include "tools/reproduce/experiments.h"
#include "tools/reproduce/paper.h"
#include "tools/reproduce/small.h"

/* Averages as the columns give them, where the paper prints others. */
static const struct {
    const char *table, *row;
    int metric;
    double average;
} misprints[] = {
    {"table1", "MSP", 0, 76.94},
    {"table1", "GradNorm", 1, 86.31},
    {"table3", "MSP+SFT", 0, 34.97},
};

static double expected_average(const struct sft_table *table, const struct sft_table_row *row, int metric)
{
    for (size_t i = 0; i < sizeof(misprints) / sizeof(misprints[0]); i++) {
        const char *name = misprints[i].row;
        size_t length = strlen(name);
        bool same =
            strncmp(row->name, name, length) == 0 && (row->name[length] == '\0' || row->name[length] == ',');
        if (same && strcmp(table->name, misprints[i].table) == 0 && metric == misprints[i].metric)
            return misprints[i].average;
    }
    return row->average[metric];
}

static void averages_are_those_of_the_columns(void **state)
{
    int rows = 0;
    (void)state;
    for (const struct sft_table *table = sft_paper_tables; table->name; table++)
        for (const struct sft_table_row *row = table->rows; row->model; row++) {
            int sets = 0;
            while (sets < SFT_TABLE_MAX_SETS && row->sets[2 * sets] != 0) sets++;
            for (int metric = 0; sets && metric < 2; metric++) {
                double sum = 0;
                for (int set = 0; set < sets; set++) sum += row->sets[2 * set + metric];
                if (fabs(sum / sets - expected_average(table, row, metric)) > 0.0101)
                    fail_msg("%s, %s: the average is %.4f", table->name, row->name, sum / sets);
            }
            rows += sets > 0;
        }
    assert_int_equal(rows, 12 + 10 + 6 + 3 * 2 + 6 + 6);
}

static const struct sft_table_row *row_of(int table, const char *name)
{
    const struct sft_table_row *row = sft_paper_tables[table - 1].rows;
    while (row->model && strcmp(row->name, name) != 0) row++;
    assert_non_null(row->model);
    return row;
}

/* Copied from the paper's tables by hand. */
static void some_cells(void **state)
{
    (void)state;
    assert_true(row_of(1, "KL Matching")->sets[0] == 27.36);
    assert_true(row_of(1, "RankFeat+SFT")->average[0] == 32.50);
    assert_true(row_of(2, "GradNorm")->sets[7] == 38.80);
    assert_true(row_of(3, "FeatureNorm")->sets[6] == 71.17);
    assert_true(row_of(4, "SFT, only ID data")->average[0] == 71.42);
    assert_true(row_of(5, "50 steps")->average[1] == 90.10);
    assert_true(row_of(5, "5 epochs")->average[0] == 73.48);
    assert_true(row_of(6, "SAM")->accuracy == 70.01 && row_of(6, "SAM")->change == -5.19);
    assert_true(row_of(7, "rho 2.0")->average[0] == 47.92);
    assert_true(row_of(8, "Energy+FT(Adam)")->average[1] == 35.48);
}

static void rows_name_what_there_is(void **state)
{
    const struct sft_table *const tables[] = {sft_paper_tables, sft_small_tables};
    (void)state;
    for (int t = 0; t < 2; t++)
        for (const struct sft_table *table = tables[t]; table->name; table++)
            for (const struct sft_table_row *row = table->rows; row->model; row++) {
                const struct sft_role *role = sft_roles;
                while (role->name && strcmp(role->name, row->model) != 0) role++;
                if (!role->name) fail_msg("%s, %s: no model %s", table->name, row->name, row->model);
                if (!sft_score_find(row->score) && strcmp(row->score, "mos") != 0)
                    fail_msg("%s, %s: no score %s", table->name, row->name, row->score);
                if (!row->tuning != !row->steps)
                    fail_msg("%s, %s: steps without a tuning", table->name, row->name);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(averages_are_those_of_the_columns),
        cmocka_unit_test(some_cells),
        cmocka_unit_test(rows_name_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
