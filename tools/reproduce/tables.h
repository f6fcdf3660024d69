/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The experiments of the paper of SFT as data: its tables row by row with what they print, the models and
 * data sets that they speak of, and the same tables at the size of CIFAR ("small-..."), where the paper's
 * numbers do not apply.
 *
 * A row says which model is scored by what, and how it is fine-tuned before: as options of `finetune`.
 * Everything else (which runs are shared, what is missing, how it is printed) follows from the rows.
 */
#ifndef SFT_REPRODUCE_TABLES_H
#define SFT_REPRODUCE_TABLES_H

#include <stdbool.h>
#include <stdint.h>

enum { SFT_TABLE_MAX_SETS = 6, SFT_SET_MAX_PLACES = 4 };

/* Passes over the training images, in place of a number of steps. */
#define SFT_EPOCHS(n) (-(n))

/* A model that rows speak of. */
struct sft_role {
    const char *name;
    const char *variants; /* pattern of the architectures that can play it, as fnmatch() has it */
    const char *about;
    bool by_name; /* its file cannot be told from another role's: only --weights NAME=FILE gives it */
};

extern const struct sft_role sft_roles[]; /* up to one without a name */

/* Where a set is looked for: SPECs with paths below --data. */
struct sft_set_places {
    const char *name;
    const char *places[SFT_SET_MAX_PLACES]; /* up to NULL */
};

/* An option of scores that the paper's code sets for it, where the user does not. */
struct sft_setting {
    const char *option, *value;
};

/* A benchmark: ID images and its OOD sets, which are the columns of tables. */
struct sft_collection {
    struct sft_set_places train, test;
    struct sft_set_places sets[SFT_TABLE_MAX_SETS]; /* up to one without a name */
    struct sft_setting settings[2];                 /* up to one without an option */
};

struct sft_table_row {
    const char *model;  /* name of a role */
    const char *name;   /* as the paper prints it */
    const char *score;  /* as the command line spells it */
    const char *tuning; /* options of `finetune`; NULL: the model as it is */
    int64_t steps;      /* or SFT_EPOCHS() */
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

/* Scores of all images by the model as it is and after fine-tuning, with their densities. */
struct sft_figure {
    const char *model, *tuning, *scores;
    int64_t steps;
    const char *set; /* NULL: all */
};

enum { SFT_ALL_TABLES = -1 };

enum sft_experiment_kind { SFT_EXPERIMENT_TABLES, SFT_EXPERIMENT_FIGURE, SFT_EXPERIMENT_PROP1 };

/* What `reproduce` takes by name. */
struct sft_experiment {
    const char *name, *about;
    enum sft_experiment_kind kind;
    const struct sft_collection *collection;
    const struct sft_table *tables; /* of which it is number `table`, or all */
    int table;
    struct sft_figure figure;
};

extern const struct sft_experiment sft_experiments[]; /* up to one without a name */

extern const struct sft_table sft_paper_tables[];
extern const struct sft_table sft_small_tables[]; /* both: table1 .. table8 and an end */

#endif
