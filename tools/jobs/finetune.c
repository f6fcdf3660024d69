/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/finetune.h"

#include <math.h>
#include <unistd.h>

#include "runtime/base/file.h"
#include "tools/jobs/classes.h"
#include "tools/jobs/identity.h"
#include "tools/jobs/seed_runs.h"
#include "tools/jobs/step_plan.h"
#include "tools/jobs/training_run.h"

/* ---- defaults ---- */

void sft_finetune_job_init(struct sft_finetune_job *job)
{
    struct sft_fit_params *params = &job->training.params;
    *job = (struct sft_finetune_job){.seeds = 1, .probe = 1000};
    sft_training_job_init(&job->training);
    sft_eval_request_init(&job->evaluation);
    job->training.optimizer = "sam-norm";
    params->schedule.steps = 50;
    params->schedule.lr = 1e-3;
    params->weight_decay = 1e-5;
    params->step.lambda = NAN;
    params->step.loss.energy_weight = 0.1f;
    params->step.loss.energy_in = -25;
    params->step.loss.energy_out = -7;
    params->loader.batch = 64;
    params->loader.ood_per_id = 1;
    params->loader.pseudo.mode = SFT_PSEUDO_BY_SIZE;
}

/* Those that depend on the size of the pictures. */
static const struct by_size {
    int from_side; /* pixels; the row for the largest that is not above the model's */
    double rho;
    float lambda;
    enum sft_pseudo_mode mode;
} defaults_by_size[] = {
    {120, 0.5, 1, SFT_PSEUDO_COMPOSE},  /* the paper, at 480 */
    {0, 0.1, 0.25f, SFT_PSEUDO_JIGSAW}, /* 32: the paper's rho and lambda cost several points of accuracy */
};

static enum sft_status complete(struct sft_training *training)
{
    struct sft_fit_params *params = &training->job.params;
    const struct by_size *row = defaults_by_size;
    while (training->model->image_size < row->from_side) row++;
    SFT_TRY(sft_training_complete(training, row->rho));
    if (isnan(params->step.lambda)) params->step.lambda = row->lambda;
    if (params->loader.pseudo.mode == SFT_PSEUDO_BY_SIZE) params->loader.pseudo.mode = row->mode;
    return SFT_OK;
}

/* ---- opening ---- */

struct work {
    const struct sft_finetune_job *job;
    struct sft_training training;
    struct sft_eval_sets sets;
};

static enum sft_status open_evaluation(struct work *work)
{
    struct sft_eval_request request = work->job->evaluation;
    struct sft_dataset *id;
    if (!request.ood.count) return SFT_OK;
    SFT_TRY(sft_training_open_eval_id(&work->training, &id));
    if (!id)
        return sft_fail(
            SFT_USAGE,
            "--eval-ood: name the ID images to tell them from, with --eval-id SPEC (%s has no test split)",
            sft_dataset_spec(work->training.id));
    if (request.limit) sft_dataset_limit(id, request.limit);
    request.measure.seed = work->training.job.params.seed;
    SFT_TRY(sft_eval_sets_open(id, work->training.model, &request, &work->sets));
    work->training.sets = &work->sets;
    return SFT_OK;
}

/* Probe sets are what is evaluated on: the ID images and every OOD set. */
static enum sft_status open_trace(struct work *work)
{
    const struct sft_eval_sets *sets = &work->sets;
    struct sft_prop1_set probes[SFT_PROP1_MAX_SETS] = {{"id", sets->id}};
    if (!work->job->trace) return SFT_OK;
    if (work->job->seeds > 1) return sft_fail(SFT_USAGE, "--trace and --seeds: trace one run, with --seed N");
    if (!work->training.sets)
        return sft_fail(SFT_USAGE,
                        "--trace prop1: name at least one OOD set to look at, with --eval-ood NAME=SPEC");
    for (int i = 0; i < sets->sets; i++) probes[i + 1] = (struct sft_prop1_set){sets->names[i], sets->ood[i]};
    return sft_prop1_open(work->training.model, probes, sets->sets + 1, work->job->probe, sets->batch,
                          &work->training.trace);
}

/* Whether there is a run to go on with: it was tested before it began. */
static bool has_begun(const struct sft_training_job *job)
{
    char place[SFT_RUN_PATH], path[SFT_RUN_PATH];
    if (!job->resume) return false;
    sft_run_place(job->out, place);
    return access(sft_run_file(place, SFT_FILE_RECORD, path), F_OK) == 0;
}

static enum sft_status test_chance(struct work *work)
{
    struct sft_training *training = &work->training;
    if (has_begun(&training->job)) return SFT_OK;
    SFT_TRY(sft_near_chance_test(training->model, training->id, training->watch, &training->chance));
    training->has_chance = true;
    return sft_near_chance_judge(&training->chance, training->model, training->id, work->job->force);
}

static enum sft_status open_work(struct work *work, const struct sft_watch *watch)
{
    struct sft_training *training = &work->training;
    const struct sft_training_job *job = &work->job->training;
    SFT_TRY(sft_training_open(job, watch, training));
    SFT_TRY(sft_job_model_open(&job->model, &training->model, &training->own_model));
    SFT_TRY(complete(training));
    SFT_TRY(sft_training_open_id(training));
    SFT_TRY(sft_classes_check(training->id, training->model, true));
    SFT_TRY(sft_classes_name(training->model, training->id));
    if (work->job->pseudo_ood) SFT_TRY(sft_dataset_open(work->job->pseudo_ood, &training->outliers));
    SFT_TRY(open_evaluation(work));
    SFT_TRY(open_trace(work));
    SFT_TRY(sft_training_plan(training, 0));
    SFT_TRY(sft_training_check_pictures(training, work->job->seeds));
    if (training->sets) SFT_TRY(sft_eval_sets_check_pictures(training->sets, job->skip_bad, watch));
    return test_chance(work);
}

/* ---- several seeds ---- */

static void take_seed(struct work *work, int64_t seed, const char *folder)
{
    struct sft_training_job *job = &work->training.job;
    job->params.seed = (uint64_t)seed;
    job->out = folder;
    job->resume = work->job->training.resume && access(folder, F_OK) == 0;
}

/* Done is what has ended well with all that is asked for now. With other options it is gone on with or
 * refused as any run. */
static enum sft_status seed_is_done(void *context, int64_t seed, const char *folder, bool *done)
{
    struct work *work = context;
    json_t *about, *identity = NULL;
    enum sft_status status;
    *done = false;
    take_seed(work, seed, folder);
    if (!work->training.job.resume || !sft_run_is_done(folder)) return SFT_OK;
    SFT_TRY(sft_run_about(folder, &about));
    status = sft_identity_make(&work->training, &identity);
    *done = status == SFT_OK && json_equal(json_object_get(about, "identity"), identity);
    json_decref(about);
    json_decref(identity);
    return status;
}

/* One of them, with the results of the model before from the whole; its folder is a complete run. */
static enum sft_status run_seed(void *context, int64_t seed, const char *folder)
{
    struct work *work = context;
    take_seed(work, seed, folder);
    return sft_training_run(&work->training);
}

static enum sft_status do_seeds(struct work *work, const char *folder)
{
    const struct sft_training_job *job = &work->job->training;
    return sft_seed_runs(&(struct sft_seed_runs){
        .folder = folder,
        .first = (int64_t)job->params.seed,
        .count = work->job->seeds,
        .model = work->training.model,
        .is_done = seed_is_done,
        .run = run_seed,
        .context = work,
    });
}

static enum sft_status write_seeds(const struct work *work, const char *folder,
                                   struct sft_finetune_result *result)
{
    SFT_TRY(
        sft_seeds_read(folder, (int64_t)work->job->training.params.seed, work->job->seeds, &result->seeds));
    return sft_seeds_write(&result->seeds, folder);
}

/* None of the seeds' folders, which the runs are to have in the end, may be a link. */
static enum sft_status refuse_links(const struct work *work, const char *folder)
{
    const int64_t first = (int64_t)work->job->training.params.seed;
    char path[SFT_RUN_PATH];
    for (int i = 0; i < work->job->seeds; i++)
        SFT_TRY(sft_refuse_link(sft_seed_folder(folder, first + i, path, sizeof(path))));
    return SFT_OK;
}

static enum sft_status run_all(struct work *work, struct sft_run *whole, struct sft_finetune_result *result)
{
    struct sft_training *training = &work->training;
    SFT_TRY(sft_training_enter(training, SFT_RUN_SEEDS, whole));
    SFT_TRY(refuse_links(work, whole->target));
    SFT_TRY(sft_training_begin(training, NULL, whole));
    if (training->sets)
        SFT_TRY(sft_eval_sets_run(training->sets, training->model, SFT_BEFORE, training->watch));
    training->has_before = true;
    SFT_TRY(do_seeds(work, whole->folder));
    return training->sets ? write_seeds(work, whole->folder, result) : SFT_OK;
}

/* The folder's own run.json tells of all runs together. */
static enum sft_status run_seeds(struct work *work, struct sft_finetune_result *result)
{
    const bool report = work->training.sets && !work->job->training.no_report;
    struct sft_run whole = {.entered = false};
    return sft_run_end(&whole, run_all(work, &whole, result), report);
}

/* ---- the job ---- */

static enum sft_status run_one(struct work *work, struct sft_finetune_result *result)
{
    SFT_TRY(sft_training_run(&work->training));
    result->results = work->sets.results; /* from now on the caller's */
    work->sets.results = (struct sft_results){0};
    result->prop1 = work->training.prop1;
    return SFT_OK;
}

enum sft_status sft_finetune(const struct sft_finetune_job *job, const struct sft_watch *watch,
                             struct sft_finetune_result *result)
{
    struct work work = {.job = job};
    enum sft_status status = open_work(&work, watch);
    *result = (struct sft_finetune_result){
        .evaluated = work.training.sets != NULL,
        .several = job->seeds > 1,
        .traced = job->trace,
    };
    if (status == SFT_OK) status = job->seeds > 1 ? run_seeds(&work, result) : run_one(&work, result);
    sft_eval_sets_close(&work.sets);
    sft_training_close(&work.training);
    return status;
}

void sft_finetune_result_free(struct sft_finetune_result *result)
{
    sft_results_free(&result->results);
    sft_seeds_free(&result->seeds);
}
