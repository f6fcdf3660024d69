/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an experiment works with: a device, the models whose weights the user named, the data sets that were
 * named or found. What is missing is told in one line each and leaves out what needs it, as long as something
 * is left.
 */
#ifndef SFT_REPRODUCE_LAB_H
#define SFT_REPRODUCE_LAB_H

#include "tools/jobs/eval_sets.h"
#include "tools/jobs/finetune.h"
#include "tools/reproduce/experiments.h"

enum { SFT_LAB_MAX_MODELS = 8, SFT_LAB_ID = 13 /* digits of a hash that tells runs apart, and a zero */ };

/* What is to be reproduced, and with what. Texts are borrowed. */
struct sft_lab_job {
    struct sft_device *device;         /* open, borrowed */
    const char *data;                  /* folder with the data sets, or NULL */
    const char *id, *eval_id;          /* SPECs of ID images that are not below it, or NULL */
    struct sft_sets ood;               /* OOD sets that are not */
    struct sft_texts weights;          /* "FILE", or "MODEL=FILE" */
    const char *out;                   /* folder for the tables and all runs */
    bool resume;                       /* which may be in use */
    const char *convention;            /* of FPR95 */
    const union sft_knob_value *knobs; /* settings of scores: tools/jobs/scorers.h */
    int64_t limit, fit_limit;          /* images of each set, and to fit scores on; 0: all */
    int batch;                         /* images at a time when evaluating */
    int seeds;                         /* fine-tunings of each kind */
    int64_t steps;                     /* at most, in any of them; 0: as the tables say */
    bool epochs;                       /* also rows that take whole epochs */

    /* What every fine-tuning starts from; a row's variation wins over it. */
    struct sft_finetune_job tuned;
    const char *tune; /* what it differs by from the defaults, as text that tells trainings apart, or NULL */
    const char *record; /* what run.json is to say of the caller: a JSON object; NULL: nothing */
};

/* The defaults: 5 seeds, 100 images at a time, and those of sft_finetune_job_init(). */
void sft_lab_job_init(struct sft_lab_job *job);

struct sft_lab_model {
    const struct sft_role *role;
    const char *path;    /* of its weights; borrowed */
    const char *variant; /* name of the architecture */
    char sha256[65];     /* of the file */
};

struct sft_lab {
    const struct sft_lab_job *job;
    const struct sft_watch *watch; /* may be NULL */
    const struct sft_experiment *experiment;
    struct sft_lab_model models[SFT_LAB_MAX_MODELS];
    int model_count;
    char train[SFT_RUN_PATH], test[SFT_RUN_PATH]; /* SPECs */
    struct sft_sets ood;                          /* the OOD sets that are there */
    char specs[SFT_TABLE_MAX_SETS][SFT_RUN_PATH]; /* theirs */
    int set_numbers[SFT_TABLE_MAX_SETS];          /* their places in the collection */
    struct sft_dataset *train_set;                /* may be sets.fit */
    struct sft_eval_sets sets;
    char evaluation[SFT_LAB_ID]; /* tells evaluations apart: a hash of the sets and the settings of scores */
    char training[SFT_LAB_ID];   /* tells trainings apart: of the training images and --tune */
    struct sft_texts notes;      /* what is missing, a line each; owned */
};

/* Finds and opens everything. SFT_USAGE where no weights are named that the experiment can use, SFT_DATA
 * where ID images or all OOD sets are missing. Release with sft_lab_close in any case. */
enum sft_status sft_lab_open(const struct sft_lab_job *job, const struct sft_experiment *experiment,
                             const struct sft_watch *watch, struct sft_lab *lab) SFT_MUST_CHECK;
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
                                 struct json_t **results) SFT_MUST_CHECK;

/* Keeps a line about what is missing (the first SFT_MAX_TEXTS of them), and logs it. */
void sft_lab_note(struct sft_lab *lab, const char *format, ...) SFT_PRINTF(2, 3);

/* The tables of an experiment that has some, from *first on; returns how many. */
int sft_experiment_tables(const struct sft_experiment *experiment, const struct sft_table **first);

#endif
