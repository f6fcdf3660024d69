/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/calibrate.h"

#include <math.h>
#include <stdlib.h>

#include "ood/evaluate.h"
#include "runtime/base/alloc.h"
#include "runtime/base/log.h"
#include "tools/jobs/classes.h"
#include "tools/jobs/outputs.h"
#include "tools/jobs/pictures.h"
#include "tools/jobs/scorers.h"

void sft_calibrate_job_init(struct sft_calibrate_job *job)
{
    *job = (struct sft_calibrate_job){.scores = "energy", .recall = 0.95, .batch = 100};
}

struct work {
    const struct sft_calibrate_job *job;
    struct sft_model *model, *own_model;
    struct sft_dataset *id, *fit;
    struct sft_calibration calibration;
};

/* A score that only "all" brought along is there where it can be had. */
static enum sft_status check_scorer(const struct work *work, struct sft_scorer *scorer)
{
    const char *misfit = sft_scorer_misfit(scorer, work->model), *name = scorer->score->name;
    scorer->optional = !sft_score_is_named(work->job->scores, scorer->score);
    if (misfit && !scorer->optional) return sft_fail(SFT_USAGE, "--score %s: %s", name, misfit);
    if (misfit) sft_log(SFT_LOG_INFO, "%s is left out: %s", name, misfit);
    scorer->left_out = misfit != NULL;
    return SFT_OK;
}

/* Of the scorers and, where there are any yet, of the thresholds. */
static void drop_left_out(struct work *work)
{
    struct sft_calibration *calibration = &work->calibration;
    int kept = 0;
    for (int i = 0; calibration->thresholds && i < calibration->n; i++)
        if (!calibration->scorers[i].left_out) calibration->thresholds[kept++] = calibration->thresholds[i];
    calibration->n = sft_drop_left_out(calibration->scorers, calibration->n, NULL);
}

static enum sft_status make_scorers(struct work *work)
{
    const struct sft_score **scores;
    enum sft_status status;
    SFT_TRY(sft_score_parse(work->job->scores, &scores, &work->calibration.n));
    status = sft_scorers_create(work->job->knobs, work->model, scores, work->calibration.n,
                                &work->calibration.scorers);
    for (int i = 0; status == SFT_OK && i < work->calibration.n; i++)
        status = check_scorer(work, &work->calibration.scorers[i]);
    free(scores);
    SFT_TRY(status);
    drop_left_out(work);
    work->calibration.thresholds = sft_calloc((size_t)work->calibration.n, sizeof(double));
    return work->calibration.thresholds ? SFT_OK : SFT_MEMORY;
}

/* Where there is no --fit, the images of --id are fitted on, as many of them as --fit-limit says. */
static enum sft_status open_sets(struct work *work)
{
    const struct sft_calibrate_job *job = work->job;
    const int64_t fit_limit = job->fit || job->fit_limit ? job->fit_limit : job->limit;
    SFT_TRY(sft_open_set(job->id, job->limit, &work->id));
    return sft_open_set(job->fit ? job->fit : job->id, fit_limit, &work->fit);
}

static enum sft_status open_work(struct work *work, const struct sft_watch *watch)
{
    const struct sft_calibrate_job *job = work->job;
    SFT_TRY(sft_output_check("--out", job->out, job->overwrite));
    SFT_TRY(sft_job_model_open(&job->model, &work->model, &work->own_model));
    SFT_TRY(make_scorers(work));
    SFT_TRY(open_sets(work));
    SFT_TRY(sft_classes_check(work->id, work->model, false));
    SFT_TRY(sft_classes_check(work->fit, work->model, false));
    SFT_TRY(sft_classes_name(work->model, work->id));
    SFT_TRY(sft_pictures_check(work->id, job->skip_bad, watch));
    return sft_pictures_check(work->fit, job->skip_bad, watch);
}

static enum sft_status find_threshold(struct work *work, int i, const struct sft_collected *collected,
                                      const struct sft_head *head, float *scores)
{
    struct sft_scorer *scorer = &work->calibration.scorers[i];
    const struct sft_outputs outputs = sft_collected_for(collected, i);
    double *threshold = &work->calibration.thresholds[i];
    if (sft_scorer_needs(scorer) & SFT_NEEDS_FIT_ON_ID) SFT_TRY(sft_fit_or_leave_out(scorer, &outputs, head));
    if (scorer->left_out) return SFT_OK;
    SFT_TRY(sft_compute_or_leave_out(scorer, &outputs, head, scores));
    if (scorer->left_out) return SFT_OK;
    SFT_TRY(sft_calibration_threshold(outputs.n, scores, work->job->recall, threshold));
    if (isfinite(*threshold) || !scorer->optional) return SFT_OK;
    sft_log(SFT_LOG_WARNING, "%s is left out: too many of the images score without end", scorer->score->name);
    scorer->left_out = true;
    return SFT_OK;
}

/* Thresholds from the scores of the ID images. */
static enum sft_status find_thresholds(struct work *work, const struct sft_collected *collected)
{
    struct sft_head head;
    float *scores = sft_calloc((size_t)collected->outputs.n, sizeof(*scores));
    enum sft_status status = sft_head_read(work->model, &head);
    if (!scores) status = SFT_MEMORY;
    for (int i = 0; status == SFT_OK && i < work->calibration.n; i++)
        status = find_threshold(work, i, collected, &head, scores);
    sft_head_free(&head);
    free(scores);
    return status;
}

static enum sft_status collect(struct work *work, const struct sft_watch *watch)
{
    struct sft_evaluation evaluation = {
        .id = work->id,
        .fit = work->fit,
        .scorers = work->calibration.scorers,
        .n_scorers = work->calibration.n,
        .batch = work->job->batch,
        .stop = sft_watch_stop(watch),
        .progress = sft_watch_images,
        .context = (void *)watch,
    };
    struct sft_collected collected;
    enum sft_status status;
    SFT_TRY(sft_evaluate_fit(work->model, &evaluation, NULL));
    drop_left_out(work);
    evaluation.n_scorers = work->calibration.n;
    SFT_TRY(sft_collect(work->model, work->id, SFT_IMAGES_ID, "id", &evaluation, 0, &collected));
    status = find_thresholds(work, &collected);
    drop_left_out(work);
    if (status == SFT_OK && !work->calibration.n)
        status = sft_fail(SFT_DATA, "none of the scores can be fitted to %s", sft_dataset_spec(work->fit));
    work->calibration.images = collected.outputs.n;
    sft_collected_free(&collected);
    return status;
}

static enum sft_status do_work(struct work *work, const struct sft_watch *watch)
{
    SFT_TRY(open_work(work, watch));
    SFT_TRY(collect(work, watch));
    work->calibration.recall = work->job->recall;
    SFT_TRY(sft_calibration_of(work->model, &work->calibration));
    return sft_calibration_write(&work->calibration, work->job->out);
}

enum sft_status sft_calibrate(const struct sft_calibrate_job *job, const struct sft_watch *watch,
                              struct sft_calibration *calibration)
{
    struct work work = {.job = job};
    enum sft_status status = do_work(&work, watch);
    sft_watch_end(watch);
    *calibration = work.calibration;
    sft_dataset_close(&work.fit);
    sft_dataset_close(&work.id);
    sft_model_destroy(&work.own_model);
    return status;
}
