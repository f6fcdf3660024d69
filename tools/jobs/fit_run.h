/* SPDX-License-Identifier: Apache-2.0 */
/* What `train` and `finetune` have in common: options, data, and a run of the training loop into a run
 * folder. */
#ifndef SFT_FIT_RUN_H
#define SFT_FIT_RUN_H

#include "sam/fit.h"
#include "tools/cli/common.h"
#include "tools/cli/sam_options.h"
#include "tools/jobs/prop1.h"
#include "tools/jobs/run_folder.h"

/* First member of both commands' structs of values. */
struct sft_fit_values {
    struct sft_common common;
    const char *id, *eval_id, *out, *optimizer, *dump_gradients;
    bool overwrite, resume, no_shuffle, no_augment, nesterov;
    int augment, schedule, dropout;
    int64_t limit, batch, steps, seed, save_every, warmup;
    double lr, momentum, weight_decay, rho;
    struct sft_ints snapshots;
    struct sft_sam_values sam;
};

extern const struct sft_option sft_fit_data_options[]; /* --id, --eval-id, --limit */
extern const struct sft_option
    sft_fit_run_options[]; /* --out, --overwrite, --resume, --save-every, --seed, ... */

/* The rows whose defaults differ, with the default as an argument (a string or NULL). */
#define SFT_FIT_STEPS(text)                                                                                  \
    {                                                                                                        \
        "steps", SFT_OPTION_INT, offsetof(struct sft_fit_values, steps),                                     \
            .value = "N", .fallback = text, .min = 1, .max = 1e9, .help = "training steps"                   \
    }
#define SFT_FIT_BATCH(text)                                                                                  \
    {                                                                                                        \
        "batch", SFT_OPTION_INT, offsetof(struct sft_fit_values, batch),                                     \
            .value = "N", .fallback = text, .min = 1, .max = 65536, .help = "ID images of a step"            \
    }
#define SFT_FIT_LR(text, about)                                                                              \
    {                                                                                                        \
        "lr", SFT_OPTION_REAL, offsetof(struct sft_fit_values, lr),                                          \
            .value = "X", .fallback = text, .min = 0, .max = 100, .help = "learning rate" about              \
    }
#define SFT_FIT_RHO(text, about)                                                                             \
    {                                                                                                        \
        "rho", SFT_OPTION_REAL, offsetof(struct sft_fit_values, rho),                                        \
            .value = "X", .fallback = text, .min = 0, .max = 100,                                            \
            .help = "length of SAM's perturbation" about                                                     \
    }
#define SFT_FIT_WEIGHT_DECAY(text)                                                                           \
    {                                                                                                        \
        "weight-decay", SFT_OPTION_REAL, offsetof(struct sft_fit_values, weight_decay),                      \
            .value = "X", .fallback = text, .min = 0, .max = 10, .help = "weight decay"                      \
    }
#define SFT_FIT_MOMENTUM                                                                                     \
    {                                                                                                        \
        "momentum", SFT_OPTION_REAL, offsetof(struct sft_fit_values, momentum),                              \
            .value = "X", .fallback = "0.9", .min = 0, .max = 0.9999, .help = "momentum of SGD"              \
    }
#define SFT_FIT_SCHEDULE(text)                                                                               \
    {                                                                                                        \
        "schedule", SFT_OPTION_CHOICE, offsetof(struct sft_fit_values, schedule),                            \
            .value = "NAME", .fallback = text, .choices = sft_schedule_names,                                \
            .help = "learning rate over steps"                                                               \
    }
#define SFT_FIT_OPTIMIZER(text)                                                                              \
    {                                                                                                        \
        "optimizer", SFT_OPTION_TEXT, offsetof(struct sft_fit_values, optimizer),                            \
            .value = "NAME", .fallback = text,                                                               \
            .help = "what perturbs and what updates:", .list = sft_optimizer_list                            \
    }
#define SFT_FIT_AUGMENT(text)                                                                                \
    {                                                                                                        \
        "train-aug", SFT_OPTION_CHOICE, offsetof(struct sft_fit_values, augment),                            \
            .value = "NAME", .fallback = text, .choices = sft_augment_names,                                 \
            .help = "augmentation of ID images"                                                              \
    }

#define SFT_FIT_DROPOUT                                                                                      \
    {                                                                                                        \
        "dropout", SFT_OPTION_CHOICE, offsetof(struct sft_fit_values, dropout),                              \
            .value = "WORD", .fallback = "on", .choices = sft_on_off_names,                                  \
            .help = "dropout of models that have it"                                                         \
    }

extern const char *const sft_schedule_names[], *const sft_augment_names[], *const sft_on_off_names[];

/* Takes the optimiser's own rho, or else `otherwise`, unless the user gave one. */
void sft_fit_default_rho(const struct sft_args *args, const struct sft_optimizer *optimizer, double otherwise,
                         struct sft_fit_values *values);

/* Opens --id, which must have labels; with `classes` > 0 no more than the model has. */
enum sft_status sft_fit_open_id(const struct sft_fit_values *values,
                                struct sft_dataset **dataset) SFT_MUST_CHECK;
enum sft_status sft_fit_check_classes(const struct sft_dataset *dataset,
                                      const struct sft_model *model) SFT_MUST_CHECK;

/* Opens the ID images to evaluate on: --eval-id, else the test split of --id where there is one. *out is
 * NULL, with SFT_OK, where there is none. */
enum sft_status sft_fit_open_eval_id(const struct sft_fit_values *values,
                                     struct sft_dataset **out) SFT_MUST_CHECK;

/* Checks --out before the work starts. */
enum sft_status sft_fit_check_out(const struct sft_fit_values *values) SFT_MUST_CHECK;

/* Fills what both commands take from the same options. */
void sft_fit_params_init(const struct sft_fit_values *values, const struct sft_model *model,
                         const struct sft_dataset *dataset, struct sft_fit_params *params);

/* A hash of the options that decide the result, and of the data: the identity of a run, for --resume. `extra`
 * is further text that decides it (hashes of files). */
enum sft_status sft_fit_identity(const struct sft_args *args, const struct sft_dataset *dataset,
                                 const char *extra, char hex[65]) SFT_MUST_CHECK;

/* Runs the loop into the folder: metrics.jsonl, checkpoint.safetensors, model.safetensors,
 * model-N.safetensors of
 * --snapshots, progress, --dump-gradients, and what was found into run.json. With a `trace` (may be NULL)
 * also prop1.jsonl, and its summary into run.json. */
enum sft_status sft_fit_run(const struct sft_fit_values *values, struct sft_model *model,
                            struct sft_fit_params *params, struct sft_prop1 *trace,
                            struct sft_run *run) SFT_MUST_CHECK;

#endif
