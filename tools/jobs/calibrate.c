/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/calibrate.h"

#include <stdlib.h>
#include <unistd.h>

#include "ood/evaluate.h"
#include "runtime/base/alloc.h"
#include "tools/jobs/classes.h"
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

static enum sft_status make_scorers(struct work *work)
{
    const struct sft_score **scores;
    enum sft_status status;
    SFT_TRY(sft_score_parse(work->job->scores, &scores, &work->calibration.n));
    status = sft_scorers_create(work->job->knobs, work->model, scores, work->calibration.n,
                                &work->calibration.scorers);
    for (int i = 0; status == SFT_OK && i < work->calibration.n; i++) {
        const char *misfit = sft_scorer_misfit(&work->calibration.scorers[i], work->model);
        if (misfit) status = sft_fail(SFT_USAGE, "--score %s: %s", scores[i]->name, misfit);
    }
    free(scores);
    SFT_TRY(status);
    work->calibration.thresholds = sft_calloc((size_t)work->calibration.n, sizeof(double));
    return work->calibration.thresholds ? SFT_OK : SFT_MEMORY;
}

static enum sft_status open_work(struct work *work)
{
    const struct sft_calibrate_job *job = work->job;
    if (!job->overwrite && access(job->out, F_OK) == 0)
        return sft_fail(SFT_USAGE, "--out %s: is there already; name another file, or say --overwrite",
                        job->out);
    SFT_TRY(sft_job_model_open(&job->model, &work->model, &work->own_model));
    SFT_TRY(make_scorers(work));
    SFT_TRY(sft_open_set(job->id, job->limit, &work->id));
    SFT_TRY(sft_classes_check(work->id, work->model, false));
    SFT_TRY(sft_classes_name(work->model, work->id));
    if (job->fit) return sft_open_set(job->fit, job->fit_limit, &work->fit);
    return sft_open_set(job->id, job->fit_limit ? job->fit_limit : job->limit, &work->fit);
}

/* Thresholds from the scores of the ID images. */
static enum sft_status find_thresholds(struct work *work, const struct sft_collected *collected)
{
    struct sft_head head;
    float *scores = sft_calloc((size_t)collected->outputs.n, sizeof(*scores));
    enum sft_status status = sft_head_read(work->model, &head);
    if (!scores) status = SFT_MEMORY;
    for (int i = 0; status == SFT_OK && i < work->calibration.n; i++) {
        struct sft_scorer *scorer = &work->calibration.scorers[i];
        struct sft_outputs outputs = sft_collected_for(collected, i);
        if (sft_scorer_needs(scorer) & SFT_NEEDS_FIT_ON_ID) status = sft_scorer_fit(scorer, &outputs, &head);
        if (status == SFT_OK) status = sft_scorer_compute(scorer, &outputs, &head, scores);
        if (status == SFT_OK)
            status = sft_calibration_threshold(outputs.n, scores, work->job->recall,
                                               &work->calibration.thresholds[i]);
    }
    sft_head_free(&head);
    free(scores);
    return status;
}

static enum sft_status collect(struct work *work, const struct sft_watch *watch)
{
    const struct sft_evaluation evaluation = {
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
    SFT_TRY(sft_collect(work->model, work->id, SFT_IMAGES_ID, "id", &evaluation, 0, &collected));
    status = find_thresholds(work, &collected);
    work->calibration.images = collected.outputs.n;
    sft_collected_free(&collected);
    return status;
}

static enum sft_status do_work(struct work *work, const struct sft_watch *watch)
{
    SFT_TRY(open_work(work));
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
