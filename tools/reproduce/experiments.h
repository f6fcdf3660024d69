/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `reproduce` takes by name: tables of the paper, its figures, Proposition 1, and the same at the size
 * of CIFAR; with the models and data sets that they speak of.
 */
#ifndef SFT_REPRODUCE_EXPERIMENTS_H
#define SFT_REPRODUCE_EXPERIMENTS_H

#include "tools/reproduce/tables.h"

enum { SFT_SET_MAX_PLACES = 4 };

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
struct sft_knob_setting {
    const char *option, *value;
};

/* A benchmark: ID images and its OOD sets, which are the columns of tables. */
struct sft_collection {
    struct sft_set_places train, test;
    struct sft_set_places sets[SFT_TABLE_MAX_SETS]; /* up to one without a name */
    struct sft_knob_setting settings[2];            /* up to one without an option */
};

/* Scores of all images by the model as it is and after fine-tuning, with their densities. */
struct sft_figure {
    const char *model, *scores;
    const struct sft_variation *tuning;
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

#endif
