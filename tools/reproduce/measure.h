/* SPDX-License-Identifier: Apache-2.0 */
/* A table of the paper, measured: what its rows need, and, once that is computed, its cells beside the
 * published ones.
 */
#ifndef SFT_REPRODUCE_MEASURE_H
#define SFT_REPRODUCE_MEASURE_H

#include "tools/reproduce/plan.h"

enum { SFT_CELL_COLUMNS = 2 * SFT_TABLE_MAX_SETS + 4 };

/* Percent. NaN where a number is not known or not printed. */
struct sft_cell {
    int n; /* seeds that it is the mean of */
    double mean, deviation, published;
};

struct sft_measured_row {
    const struct sft_table_row *row;
    int64_t steps;
    struct sft_cell
        cells[SFT_CELL_COLUMNS]; /* FPR95 and AUROC of each set and of their average, accuracy, its change */
};

struct sft_measured {
    const struct sft_table *table;
    const struct sft_lab *lab; /* its sets are the columns */
    struct sft_measured_row *rows;
    size_t count, capacity;
};

/* Adds to the plan what the table takes; says what rows are left out. */
enum sft_status sft_table_plan(struct sft_lab *lab, const struct sft_table *table,
                               struct sft_plan *plan) SFT_MUST_CHECK;

/* Fills the cells from a plan that has run. Release with sft_measured_free in any case. */
enum sft_status sft_table_measure(const struct sft_lab *lab, const struct sft_table *table,
                                  const struct sft_plan *plan, struct sft_measured *measured) SFT_MUST_CHECK;
void sft_measured_free(struct sft_measured *measured);

#endif
