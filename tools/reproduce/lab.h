/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an experiment works with: a device, the models whose weights the user named, the data sets that were
 * named or found. What is missing is told in one line each and leaves out what needs it, as long as something
 * is left.
 */
#ifndef SFT_REPRODUCE_LAB_H
#define SFT_REPRODUCE_LAB_H

#include "tools/jobs/eval_sets.h"
#include "tools/reproduce/tables.h"

enum { SFT_LAB_MAX_MODELS = 8, SFT_LAB_ID = 13 /* digits of a hash that tells runs apart, and a zero */ };

/* What the command line says. */
struct sft_lab_values {
    struct sft_common common;
    const char *data, *id, *eval_id, *out, *tune, *fpr_positive;
    struct sft_texts weights, ood;
    int64_t seeds, limit, fit_limit, steps, batch;
    bool resume, epochs;
};

struct sft_lab_model {
    const struct sft_role *role;
    const char *path;    /* of its weights; borrowed */
    const char *variant; /* name of the architecture */
    char sha256[65];     /* of the file */
};

struct sft_lab {
    const struct sft_lab_values *values;
    const struct sft_experiment *experiment;
    struct sft_device *device;
    struct sft_lab_model models[SFT_LAB_MAX_MODELS];
    int model_count;
    char train[SFT_RUN_PATH], test[SFT_RUN_PATH];      /* SPECs */
    char named[SFT_TABLE_MAX_SETS][SFT_RUN_PATH + 64]; /* "NAME=SPEC" */
    struct sft_texts ood;                              /* those */
    int set_numbers[SFT_TABLE_MAX_SETS];               /* their places in the collection */
    struct sft_dataset *train_set;                     /* may be sets.fit */
    struct sft_eval_sets sets;
    char evaluation[SFT_LAB_ID]; /* tells evaluations apart: a hash of the sets and of the settings of scores
                                  */
    char training[SFT_LAB_ID];   /* tells trainings apart: of the training images and --tune */
    json_t *notes;               /* what is missing, a string each; NULL, and nothing can be written with it,
                                    once something could not be noted */
};

/* Finds and opens everything. SFT_USAGE where no weights are named that the experiment can use, SFT_DATA
 * where ID images or all OOD sets are missing or this build has none of the architectures. Release with
 * sft_lab_close in any case. */
enum sft_status sft_lab_open(const struct sft_lab_values *values, const struct sft_experiment *experiment,
                             struct sft_lab *lab) SFT_MUST_CHECK;
void sft_lab_close(struct sft_lab *lab);

/* The model that plays a role, NULL where its weights are missing. */
const struct sft_lab_model *sft_lab_model(const struct sft_lab *lab, const char *role);

/* Reads weights of the architecture of `model`. */
enum sft_status sft_lab_read(const struct sft_lab *lab, const struct sft_lab_model *model, const char *path,
                             struct sft_model **out) SFT_MUST_CHECK;

/* What an evaluation of these scores ("energy,msp") on the lab's sets asks for. */
struct sft_eval_request sft_lab_request(const struct sft_lab *lab, const char *scores);

/* Scores the model and gives what results.json would hold: a new reference. */
enum sft_status sft_lab_evaluate(struct sft_lab *lab, struct sft_model *model, const char *scores,
                                 json_t **results) SFT_MUST_CHECK;

/* Keeps a line about what is missing, and logs it. */
void sft_lab_note(struct sft_lab *lab, const char *format, ...) SFT_PRINTF(2, 3);

/* The tables of an experiment that has some, from *first on; returns how many. */
int sft_experiment_tables(const struct sft_experiment *experiment, const struct sft_table **first);

#endif
