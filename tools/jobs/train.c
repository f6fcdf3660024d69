/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/train.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/base/log.h"
#include "tools/jobs/classes.h"
#include "tools/jobs/mos_groups.h"
#include "tools/jobs/pictures.h"
#include "tools/jobs/step_plan.h"
#include "tools/jobs/training_run.h"

void sft_train_job_init(struct sft_train_job *job)
{
    struct sft_fit_params *params = &job->training.params;
    *job = (struct sft_train_job){.epochs = 30};
    sft_training_job_init(&job->training);
    job->training.optimizer = "sgd";
    params->schedule.kind = SFT_SCHEDULE_ONECYCLE;
    params->schedule.lr = 0.1;
    params->weight_decay = 5e-4;
    params->loader.batch = 128;
    params->loader.augment = SFT_AUGMENT_CROP_FLIP;
}

/* The steps that make up the epochs, where they are not given. */
static void complete_steps(const struct sft_train_job *job, struct sft_training *training)
{
    struct sft_fit_params *params = &training->job.params;
    double batches = (double)sft_dataset_count(training->id) / (double)params->loader.batch;
    if (params->schedule.steps) return;
    params->schedule.steps = (int64_t)(job->epochs * batches + 0.5);
    if (params->schedule.steps < 1 && job->epochs > 0) params->schedule.steps = 1;
}

/* A run without steps writes the initial weights, and has no gradient. */
static enum sft_status check_steps(const struct sft_training_job *job)
{
    if (job->params.schedule.steps > 0 || !job->gradients) return SFT_OK;
    return sft_fail(SFT_USAGE, "--epochs 0: takes no step that --dump-gradients could be of");
}

static enum sft_status read_model(const struct sft_train_job *job, struct sft_training *training)
{
    if (job->mos_groups)
        return sft_fail(SFT_USAGE, "--mos-groups: is for a new --model; --weights have a classifier already, "
                                   "with the groups that it was trained with");
    SFT_TRY(sft_job_model_open(&job->training.model, &training->model, &training->own_model));
    return sft_classes_check(training->id, training->model, true);
}

/* Of random weights, with a grouped classifier where the job says so. */
static enum sft_status new_model(const struct sft_train_job *job, struct sft_training *training)
{
    const struct sft_job_model *source = &job->training.model;
    struct sft_model_config config;
    char *groups = NULL;
    enum sft_status status;
    if (!source->variant)
        return sft_fail(SFT_USAGE,
                        "train: --model NAME or --weights FILE is missing; --help lists the models");
    SFT_TRY(sft_job_model_config(source, &config));
    if (job->mos_groups) SFT_TRY(sft_mos_groups_read(job->mos_groups, training->id, &groups));
    config.classes = sft_dataset_classes(training->id);
    config.mos_groups = groups;
    status = sft_model_create(source->device, &config, &training->own_model);
    free(groups);
    SFT_TRY(status);
    training->model = training->own_model;
    training->groups_file = job->mos_groups;
    return sft_parameters_init(&training->model->parameters, job->training.params.seed);
}

static enum sft_status open_training(const struct sft_train_job *job, const struct sft_watch *watch,
                                     struct sft_training *training)
{
    const struct sft_job_model *source = &job->training.model;
    const double usual_rho = 0.05;
    SFT_TRY(sft_training_open(&job->training, watch, training));
    SFT_TRY(sft_training_open_id(training));
    SFT_TRY(sft_training_open_eval_id(training, &training->test));
    complete_steps(job, training);
    SFT_TRY(check_steps(&training->job));
    SFT_TRY(source->weights || source->open ? read_model(job, training) : new_model(job, training));
    SFT_TRY(sft_classes_name(training->model, training->id));
    SFT_TRY(sft_training_complete(training, usual_rho));
    if (training->test) SFT_TRY(sft_classes_check(training->test, training->model, true));
    SFT_TRY(sft_training_plan(training, 0));
    SFT_TRY(sft_training_check_pictures(training, 1));
    return training->test ? sft_pictures_check(training->test, job->training.skip_bad, watch) : SFT_OK;
}

static enum sft_status run(struct sft_training *training, struct sft_train_result *result)
{
    const struct sft_fit_params *params = &training->job.params;
    sft_log(SFT_LOG_INFO, "%s: %" PRId64 " steps of %" PRId64 " images", training->model->variant->name,
            params->schedule.steps, params->loader.batch);
    SFT_TRY(sft_training_run(training));
    result->accuracy = training->accuracy;
    if (training->test && params->schedule.steps > 0)
        snprintf(result->test, sizeof(result->test), "%s", sft_dataset_spec(training->test));
    return SFT_OK;
}

enum sft_status sft_train(const struct sft_train_job *job, const struct sft_watch *watch,
                          struct sft_train_result *result)
{
    struct sft_training training = {0};
    enum sft_status status = open_training(job, watch, &training);
    *result = (struct sft_train_result){.test = ""};
    if (status == SFT_OK) status = run(&training, result);
    sft_training_close(&training);
    return status;
}
