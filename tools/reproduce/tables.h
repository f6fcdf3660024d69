/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of the paper of SFT as data: row by row with what they print, and the same tables at the size of
 * CIFAR ("small-..."), where the paper's numbers do not apply.
 *
 * A row says which model is scored by what, and how it is fine-tuned before. Everything else (which runs are
 * shared, what is missing, how it is printed) follows from the rows.
 */
#ifndef SFT_REPRODUCE_TABLES_H
#define SFT_REPRODUCE_TABLES_H

#include "tools/reproduce/variation.h"

enum { SFT_TABLE_MAX_SETS = 6 };

/* Passes over the training images, in place of a number of steps. */
#define SFT_EPOCHS(n) (-(n))

struct sft_table_row {
    const char *model;                  /* name of a role */
    const char *name;                   /* as the paper prints it */
    const char *score;                  /* as the command line spells it */
    const struct sft_variation *tuning; /* NULL: the model as it is */
    int64_t steps;                      /* or SFT_EPOCHS() */
    /* What the paper prints, in percent; 0: nothing. */
    double sets[2 * SFT_TABLE_MAX_SETS]; /* FPR95 and AUROC for each set */
    double average[2];
    double accuracy, change;
};

struct sft_table {
    const char *name, *title;
    const struct sft_table_row *rows; /* up to one without a model */
    bool averages_only;
    const char *remark; /* what a reader should know; NULL: nothing */
};

#endif
