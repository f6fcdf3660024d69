/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/predict.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ood/calibration.h"
#include "ood/evaluate.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/npy.h"
#include "tools/jobs/pictures.h"
#include "tools/jobs/run_folder.h"
#include "tools/jobs/scorers.h"

void sft_predict_job_init(struct sft_predict_job *job) { *job = (struct sft_predict_job){.batch = 100}; }

struct work {
    const struct sft_predict_job *job;
    const struct sft_watch *watch;
    struct sft_model *model, *own_model;
    struct sft_dataset *images; /* NULL for a float array */
    struct sft_calibration calibration;
    struct sft_scorer *scorer; /* of scores and verdicts; the calibration's or `own` */
    struct sft_scorer *own;
    struct sft_head head;
    float *values; /* rows so far; of verdicts, the scores of one batch */
    int64_t count, damaged, vague;
    int width;
};

static bool gives_verdicts(const struct work *work) { return work->job->output == SFT_PREDICT_VERDICTS; }

/* Whether the result is what the network says itself, not a score. */
static bool is_plain(const struct work *work)
{
    return work->job->output == SFT_PREDICT_LOGITS || work->job->output == SFT_PREDICT_FEATURES;
}

/* ---- opening ---- */

static enum sft_status check_usage(const struct sft_predict_job *job)
{
    if (!job->input == !job->images)
        return sft_fail(SFT_USAGE, "predict: needs --input X.npy or --images SPEC, and not both");
    if (job->output == SFT_PREDICT_VERDICTS && !job->calibration)
        return sft_fail(SFT_USAGE,
                        "--output verdicts: needs --calibration FILE, which `sft-vk calibrate` makes");
    return SFT_OK;
}

static enum sft_status from_calibration(struct work *work)
{
    const struct sft_predict_job *job = work->job;
    struct sft_calibration *calibration = &work->calibration;
    const struct sft_score *score = job->score;
    SFT_TRY(sft_calibration_read(job->calibration, work->model, calibration));
    if (job->output == SFT_PREDICT_VERDICTS) score = calibration->scorers[0].score;
    for (int i = 0; i < calibration->n; i++)
        if (calibration->scorers[i].score == score) work->scorer = &calibration->scorers[i];
    if (work->scorer) return SFT_OK;
    return sft_fail(SFT_USAGE, "%s: holds no statistics of %s; add it to the --score of `sft-vk calibrate`",
                    job->calibration, score->name);
}

static enum sft_status make_scorer(struct work *work)
{
    const struct sft_predict_job *job = work->job;
    const char *misfit;
    if (is_plain(work)) return SFT_OK;
    if (job->calibration) return from_calibration(work);
    SFT_TRY(sft_scorers_create(job->knobs, work->model, &job->score, 1, &work->own));
    work->scorer = work->own;
    misfit = sft_scorer_misfit(work->scorer, work->model);
    if (misfit) return sft_fail(SFT_USAGE, "--output %s: %s", job->score->name, misfit);
    if (!(sft_scorer_needs(work->scorer) & (SFT_NEEDS_FIT | SFT_NEEDS_FIT_ON_ID))) return SFT_OK;
    return sft_fail(
        SFT_USAGE, "--output %s: needs statistics: name a --calibration FILE, which `sft-vk calibrate` makes",
        job->score->name);
}

/* Images as an array. */
static const struct sft_npy_wanted wanted_array = {
    .types = 1 << SFT_NPY_U8 | 1 << SFT_NPY_F32 | 1 << SFT_NPY_F64,
    .type_words = "float32 and float64 (normalised) and uint8 (0 to 255) are taken",
    .rank = 4,
    .shape_words = "images are an array (N, H, W, C)",
};

static bool is_float_array(const char *path, enum sft_status *status)
{
    struct sft_npy array = {.values = NULL};
    bool is_float;
    *status = sft_npy_open(path, &wanted_array, &array);
    is_float = *status == SFT_OK && array.type != SFT_NPY_U8;
    sft_npy_close(&array);
    return is_float;
}

/* A float array goes in as it is; uint8 images take the road of all images. */
static enum sft_status open_images(struct work *work)
{
    const struct sft_predict_job *job = work->job;
    const char *named = job->images;
    char spec[SFT_RUN_PATH];
    enum sft_status status = SFT_OK;
    if (!named) {
        if (is_float_array(job->input, &status) || status != SFT_OK) return status;
        if ((size_t)snprintf(spec, sizeof(spec), "npy:%s", job->input) >= sizeof(spec))
            return sft_fail(SFT_USAGE, "--input: the name is too long");
        named = spec;
    }
    return sft_open_set(named, job->limit, &work->images);
}

static enum sft_status open_work(struct work *work)
{
    SFT_TRY(check_usage(work->job));
    SFT_TRY(sft_job_model_open(&work->job->model, &work->model, &work->own_model));
    SFT_TRY(make_scorer(work));
    SFT_TRY(sft_head_read(work->model, &work->head));
    return open_images(work);
}

static int width_of(const struct work *work)
{
    if (work->job->output == SFT_PREDICT_LOGITS) return sft_model_outputs(work->model);
    return work->job->output == SFT_PREDICT_FEATURES ? work->head.width : 1;
}

static enum sft_status make_room(struct work *work)
{
    int64_t rows = gives_verdicts(work) ? work->job->batch : work->count;
    work->width = width_of(work);
    work->values = sft_calloc((size_t)rows * (size_t)work->width, sizeof(*work->values));
    return work->values ? SFT_OK : SFT_MEMORY;
}

/* ---- batches ---- */

/* The result of a batch, as rows. */
static enum sft_status rows_of(const struct work *work, const struct sft_collected *batch, float *rows)
{
    const struct sft_outputs *outputs = &batch->outputs;
    struct sft_outputs scored;
    if (is_plain(work)) {
        const float *from = work->job->output == SFT_PREDICT_LOGITS ? outputs->logits : outputs->features;
        memcpy(rows, from, (size_t)(outputs->n * work->width) * sizeof(*rows));
        return SFT_OK;
    }
    scored = sft_collected_for(batch, 0);
    return sft_scorer_compute(work->scorer, &scored, &work->head, rows);
}

static void judge(const struct work *work, double score, const float *logits, struct sft_verdict *verdict)
{
    const struct sft_calibration *calibration = &work->calibration;
    const struct sft_class_names *names =
        work->model->class_names.n ? &work->model->class_names : &calibration->class_names;
    verdict->score = score;
    verdict->threshold = calibration->thresholds[work->scorer - calibration->scorers];
    verdict->in_distribution = score >= verdict->threshold;
    verdict->best = sft_predict(work->model->groups, work->model->classes, logits);
    if (verdict->best.label >= 0 && verdict->best.label < names->n)
        verdict->class_name = names->names[verdict->best.label];
    if (isnan(score)) verdict->error = "its score is no number";
}

/* Image i of the batch whose first is number `first`. */
static enum sft_status tell_verdict(struct work *work, int64_t first, const struct sft_collected *batch,
                                    int64_t i)
{
    const struct sft_outputs *outputs = &batch->outputs;
    struct sft_verdict verdict = {
        .number = first + i,
        .error = batch->failures ? batch->failures[i] : NULL,
    };
    char name[512];
    if (work->images) verdict.image = sft_dataset_image_name(work->images, first + i, name, sizeof(name));
    if (verdict.error) {
        work->damaged++;
    } else {
        judge(work, (double)work->values[i], outputs->logits + i * sft_outputs_logits(outputs), &verdict);
        work->vague += verdict.error != NULL;
    }
    return work->job->verdict(work->job->context, &verdict);
}

/* Numbers of a picture that could not be read are none. */
static void blank_damaged(struct work *work, const struct sft_collected *batch, float *rows)
{
    for (int64_t i = 0; batch->failures && i < batch->outputs.n; i++) {
        if (!batch->failures[i]) continue;
        sft_log(SFT_LOG_WARNING, "%s", batch->failures[i]);
        work->damaged++;
        for (int k = 0; k < work->width; k++) rows[i * work->width + k] = NAN;
    }
}

static enum sft_status take_batch(void *context, int64_t first, const struct sft_collected *batch, bool *more)
{
    struct work *work = context;
    const int64_t n = batch->outputs.n, done = first + n;
    float *rows = work->values + (gives_verdicts(work) ? 0 : first * work->width);
    (void)more;
    SFT_TRY(rows_of(work, batch, rows));
    if (!gives_verdicts(work)) blank_damaged(work, batch, rows);
    for (int64_t i = 0; gives_verdicts(work) && i < n; i++) SFT_TRY(tell_verdict(work, first, batch, i));
    sft_watch_tell(work->watch, done, work->count, "%" PRId64 " of %" PRId64 " images", done, work->count);
    return SFT_OK;
}

/* ---- running ---- */

static struct sft_evaluation evaluation_of(const struct work *work)
{
    return (struct sft_evaluation){
        .scorers = work->scorer,
        .n_scorers = work->scorer != NULL,
        .batch = work->job->batch,
        .tolerant = gives_verdicts(work) || work->job->skip_bad,
        .stop = sft_watch_stop(work->watch),
    };
}

static unsigned needs_of(const struct work *work)
{
    return SFT_NEEDS_LOGITS | (work->job->output == SFT_PREDICT_FEATURES ? SFT_NEEDS_FEATURES : 0);
}

static enum sft_status run_images(struct work *work)
{
    const struct sft_evaluation evaluation = evaluation_of(work);
    if (!evaluation.tolerant) SFT_TRY(sft_pictures_check(work->images, false, work->watch));
    work->count = sft_dataset_count(work->images);
    SFT_TRY(make_room(work));
    return sft_stream(work->model, work->images, SFT_IMAGES_OOD, &evaluation, needs_of(work), take_batch,
                      work);
}

static enum sft_status check_array(const char *path, const struct sft_npy *array,
                                   const struct sft_model *model)
{
    const int64_t *dim = array->shape.dim;
    int side = model->image_size;
    bool channels_first = dim[1] == 3 && dim[2] == side && dim[3] == side;
    if (dim[1] == side && dim[2] == side && dim[3] == 3) return SFT_OK;
    return sft_fail(
        SFT_DATA,
        "%s: normalised images of (%" PRId64 ", %" PRId64 ", %" PRId64 "); the model takes (%d, %d, 3)%s",
        path, dim[1], dim[2], dim[3], side, side, channels_first ? "; save array.transpose(0, 2, 3, 1)" : "");
}

static enum sft_status run_array(struct work *work)
{
    const struct sft_evaluation evaluation = evaluation_of(work);
    struct sft_npy array = {.values = NULL};
    enum sft_status status;
    SFT_TRY_OUT(sft_npy_open(work->job->input, &wanted_array, &array));
    SFT_TRY_OUT(check_array(work->job->input, &array, work->model));
    work->count = array.shape.dim[0];
    SFT_TRY_OUT(make_room(work));
    status = sft_stream_array(work->model, &array, &evaluation, needs_of(work), take_batch, work);
    if (status == SFT_OK) status = sft_files_whole();
out:
    sft_npy_close(&array);
    return status;
}

/* ---- the job ---- */

static enum sft_status do_work(struct work *work)
{
    SFT_TRY(open_work(work));
    return work->images ? run_images(work) : run_array(work);
}

/* Hands the rows over; those of verdicts are of no use to anyone. */
static void take_values(struct work *work, struct sft_predictions *predictions)
{
    *predictions = (struct sft_predictions){
        .count = work->count,
        .damaged = work->damaged,
        .vague = work->vague,
        .width = work->width,
    };
    if (gives_verdicts(work)) return;
    predictions->values = work->values;
    work->values = NULL;
}

enum sft_status sft_predict_images(const struct sft_predict_job *job, const struct sft_watch *watch,
                                   struct sft_predictions *predictions)
{
    struct work work = {.job = job, .watch = watch};
    enum sft_status status = do_work(&work);
    sft_watch_end(watch);
    take_values(&work, predictions);
    free(work.values);
    sft_head_free(&work.head);
    sft_scorers_free(&work.own, 1);
    sft_calibration_free(&work.calibration);
    sft_dataset_close(&work.images);
    sft_model_destroy(&work.own_model);
    return status;
}
