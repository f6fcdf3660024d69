/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/reproduce/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/base/file.h"
#include "runtime/base/json.h"
#include "runtime/base/log.h"
#include "runtime/base/text.h"
#include "runtime/device.h"
#include "tools/reproduce/tuning.h"

enum { MAX_LENGTHS = SFT_MAX_INTS };

/* ---- the list ---- */

static int by_variation(const struct sft_variation *a, const struct sft_variation *b)
{
    if (!a || !b) return (a != NULL) - (b != NULL);
    return strcmp(a->name, b->name);
}

/* 0 where two states come from one training; otherwise which one sorts first. */
static int by_training(const struct sft_state *a, const struct sft_state *b)
{
    int tuning = by_variation(a->tuning, b->tuning);
    if (a->model != b->model) return a->model < b->model ? -1 : 1;
    if (tuning != 0) return tuning;
    return (a->seed > b->seed) - (a->seed < b->seed);
}

static int by_state(const struct sft_state *a, const struct sft_state *b)
{
    int training = by_training(a, b);
    return training != 0 ? training : (a->steps > b->steps) - (a->steps < b->steps);
}

static int by_item(const void *a, const void *b)
{
    return by_state(&((const struct sft_plan_item *)a)->state, &((const struct sft_plan_item *)b)->state);
}

static struct sft_plan_item *find(const struct sft_plan *plan, const struct sft_state *state)
{
    for (size_t i = 0; i < plan->count; i++)
        if (by_state(&plan->items[i].state, state) == 0) return &plan->items[i];
    return NULL;
}

static uint64_t bit_of(const struct sft_score *score)
{
    int i = 0;
    if (!score) return 0;
    while (sft_score_at(i) != score) i++;
    return UINT64_C(1) << i;
}

enum sft_status sft_plan_add(struct sft_plan *plan, struct sft_state state, const struct sft_score *score)
{
    struct sft_plan_item *item = find(plan, &state);
    if (!item) {
        SFT_TRY(sft_grow(&plan->items, &plan->capacity, plan->count + 1, sizeof(*plan->items)));
        item = &plan->items[plan->count++];
        *item = (struct sft_plan_item){.state = state};
    }
    item->scores |= bit_of(score);
    return SFT_OK;
}

json_t *sft_plan_metrics(const struct sft_plan *plan, struct sft_state state)
{
    const struct sft_plan_item *item = find(plan, &state);
    return item ? item->metrics : NULL;
}

void sft_plan_free(struct sft_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) json_decref(plan->items[i].metrics);
    free(plan->items);
    *plan = (struct sft_plan){0};
}

/* How many items from `first` on one training makes, and after how many steps each. */
static int lengths_of(const struct sft_plan *plan, size_t first, int64_t steps[MAX_LENGTHS])
{
    int count = 0;
    for (size_t i = first; i < plan->count && count < MAX_LENGTHS; i++) {
        if (by_training(&plan->items[i].state, &plan->items[first].state) != 0) break;
        steps[count++] = plan->items[i].state.steps;
    }
    return count;
}

/* ---- metrics ---- */

/* What an earlier evaluation left: a new reference, NULL where there is nothing. */
static enum sft_status read_metrics(const struct sft_lab *lab, struct sft_state state, json_t **metrics)
{
    char path[SFT_RUN_PATH];
    sft_state_metrics(lab, state, path);
    return sft_json_read_found(path, metrics);
}

static enum sft_status write_metrics(const struct sft_lab *lab, struct sft_state state, const json_t *metrics)
{
    char path[SFT_RUN_PATH], folder[SFT_RUN_PATH];
    struct sft_json json = {0};
    enum sft_status status;
    sft_state_folder(lab, state, folder);
    sft_state_metrics(lab, state, path);
    SFT_TRY(sft_make_folder(folder));
    sft_json_value(&json, NULL, json_incref((json_t *)metrics));
    status = sft_json_write(&json, path, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
    sft_json_free(&json);
    return status;
}

/* The scores of the item that are not known yet. */
static uint64_t missing_scores(const struct sft_plan_item *item, const json_t *metrics)
{
    const json_t *known = json_object_get(metrics, "scores");
    uint64_t missing = item->scores;
    for (int i = 0; i < sft_score_count(); i++)
        if (json_object_get(known, sft_score_at(i)->name)) missing &= ~(UINT64_C(1) << i);
    return missing;
}

/* Why a score cannot be computed for the model with its defaults; NULL where it can. */
static const char *misfit_of(const struct sft_score *score, const struct sft_model *model)
{
    struct sft_scorer scorer;
    if (sft_scorer_init(score, &scorer) != SFT_OK) return "its defaults cannot be read";
    scorer.variant = model->variant;
    return sft_scorer_misfit(&scorer, model);
}

/* Leaves out scores that cannot be computed for the model. */
static uint64_t fitting_scores(struct sft_lab *lab, const struct sft_plan_item *item,
                               const struct sft_model *model, uint64_t scores)
{
    for (int i = 0; i < sft_score_count(); i++) {
        const struct sft_score *score = sft_score_at(i);
        const char *misfit = scores >> i & 1 ? misfit_of(score, model) : NULL;
        if (!misfit) continue;
        sft_lab_note(lab, "%s: no %s: %s", item->state.model->role->name, score->title, misfit);
        scores &= ~(UINT64_C(1) << i);
    }
    return scores;
}

static void list_scores(uint64_t scores, struct sft_text *list)
{
    for (int i = 0; i < sft_score_count(); i++)
        if (scores >> i & 1) sft_text_printf(list, "%s%s", list->length ? "," : "", sft_score_at(i)->name);
}

/* Puts what is new, which it takes over, on what was there. */
static enum sft_status merge(json_t **all, json_t *new)
{
    int failed;
    if (!*all) {
        *all = new;
        return SFT_OK;
    }
    failed = json_object_update(json_object_get(*all, "scores"), json_object_get(new, "scores"));
    json_decref(new);
    return failed ? sft_fail(SFT_MEMORY, "out of memory for metrics") : SFT_OK;
}

static enum sft_status evaluate_scores(struct sft_lab *lab, struct sft_model *model, uint64_t scores,
                                       json_t **metrics)
{
    struct sft_text list = {0};
    json_t *results = NULL;
    enum sft_status status;
    list_scores(scores, &list);
    status = list.status;
    if (status == SFT_OK) status = sft_lab_evaluate(lab, model, list.data, &results);
    sft_text_free(&list);
    return status == SFT_OK ? merge(metrics, results) : status;
}

static bool is_about_scores(enum sft_status status) { return status == SFT_DATA || status == SFT_FAILED; }

/* Each score by itself: one may fail, for want of images to fit on or of finite numbers, and the others not.
 */
static enum sft_status evaluate_singly(struct sft_lab *lab, const struct sft_plan_item *item,
                                       struct sft_model *model, uint64_t scores, json_t **metrics)
{
    for (int i = 0; i < sft_score_count(); i++) {
        enum sft_status status = SFT_OK;
        if (scores >> i & 1) status = evaluate_scores(lab, model, UINT64_C(1) << i, metrics);
        if (is_about_scores(status))
            sft_lab_note(lab, "%s: %s failed, see the message above", item->state.model->role->name,
                         sft_score_at(i)->title);
        else
            SFT_TRY(status);
    }
    return SFT_OK;
}

static enum sft_status evaluate(struct sft_lab *lab, struct sft_plan_item *item, struct sft_model *model,
                                json_t **metrics)
{
    uint64_t scores = fitting_scores(lab, item, model, missing_scores(item, *metrics));
    enum sft_status status;
    if (!scores) return SFT_OK;
    status = evaluate_scores(lab, model, scores, metrics);
    if (is_about_scores(status)) status = evaluate_singly(lab, item, model, scores, metrics);
    SFT_TRY(status);
    return *metrics ? write_metrics(lab, item->state, *metrics) : SFT_OK;
}

static enum sft_status run_evaluation(struct sft_lab *lab, struct sft_plan_item *item)
{
    struct sft_model *model = NULL;
    json_t *metrics;
    char path[SFT_RUN_PATH];
    enum sft_status status = SFT_OK;
    SFT_TRY(read_metrics(lab, item->state, &metrics));
    if (missing_scores(item, metrics)) {
        sft_state_weights(lab, item->state, path);
        status = sft_lab_read(lab, item->state.model, path, &model);
        if (status == SFT_OK) status = evaluate(lab, item, model, &metrics);
        sft_model_destroy(&model);
    }
    if (status == SFT_OK)
        item->metrics = metrics;
    else
        json_decref(metrics);
    return status;
}

/* ---- how long it takes ---- */

/* What is to be done, and the seconds that it may take. */
struct work {
    int trainings, evaluations, done;
    int64_t steps;
    double seconds;
    double per_image[SFT_LAB_MAX_MODELS]; /* of a forward pass; 0: not known yet */
};

/* Seconds that the model takes for n images, 0 where it fails. */
static double time_some(const struct sft_lab *lab, struct sft_model *model, int64_t n)
{
    const struct sft_evaluation evaluation = {.batch = (int)(n < lab->job->batch ? n : lab->job->batch)};
    struct sft_dataset *set = NULL;
    struct sft_collected collected;
    double start = sft_now();
    enum sft_status status = sft_dataset_open("synthetic:noise", &set);
    if (status == SFT_OK) {
        sft_dataset_limit(set, n);
        status = sft_collect(model, set, SFT_IMAGES_OOD, "noise", &evaluation, SFT_NEEDS_LOGITS, &collected);
    }
    if (status == SFT_OK) sft_collected_free(&collected);
    sft_dataset_close(&set);
    return status == SFT_OK ? sft_now() - start : 0;
}

/* Of a forward pass with an image, from as many as take a moment. */
static double time_images(const struct sft_lab *lab, const struct sft_lab_model *which)
{
    enum { FIRST = 2, MORE = 4 };
    static const double moment = 0.5;
    struct sft_model *model = NULL;
    double seconds = 0;
    int64_t n = FIRST;
    if (sft_lab_read(lab, which, which->path, &model) != SFT_OK) return 0;
    while ((seconds = time_some(lab, model, n)) > 0 && seconds < moment && n < 2 * lab->job->batch) n *= MORE;
    sft_model_destroy(&model);
    return seconds / (double)n;
}

static double per_image(const struct sft_lab *lab, struct work *work, const struct sft_lab_model *model)
{
    double *seconds = &work->per_image[model - lab->models];
    if (*seconds == 0) *seconds = time_images(lab, model);
    return *seconds;
}

static int64_t images_of(const struct sft_lab *lab, uint64_t scores)
{
    int64_t images = sft_dataset_count(lab->sets.id);
    bool fits = false;
    for (int i = 0; i < lab->sets.sets; i++) images += sft_dataset_count(lab->sets.ood[i]);
    for (int i = 0; i < sft_score_count(); i++)
        if (scores >> i & 1 && sft_score_at(i)->needs & SFT_NEEDS_FIT) fits = true;
    return images + (fits ? sft_dataset_count(lab->sets.fit) : 0);
}

/* Seconds of an item's evaluation; 0 where all is there. */
static enum sft_status evaluation_seconds(const struct sft_lab *lab, struct work *work,
                                          const struct sft_plan_item *item, double *seconds)
{
    json_t *metrics;
    uint64_t missing;
    SFT_TRY(read_metrics(lab, item->state, &metrics));
    missing = missing_scores(item, metrics);
    json_decref(metrics);
    *seconds = missing ? (double)images_of(lab, missing) * per_image(lab, work, item->state.model) : 0;
    return SFT_OK;
}

/* Seconds of the training that makes the items from `first` on: a backward pass is as dear as two forward
 * ones, and there is an outlier for each ID image. */
static enum sft_status training_seconds(const struct sft_lab *lab, struct work *work, struct sft_state state,
                                        int count, const int64_t *steps, double *seconds)
{
    enum { FORWARD_AND_BACKWARD = 3, KINDS_OF_IMAGES = 2 };
    const struct sft_optimizer *optimizer;
    struct sft_finetune_job job;
    char folder[SFT_RUN_PATH];
    double images, passes;
    SFT_TRY(sft_tuning_job(lab, state, count, steps, folder, &job));
    optimizer = sft_optimizer_find(job.training.optimizer);
    passes = optimizer && optimizer->perturbed == SFT_PERTURB_NOTHING ? 1 : 2;
    images = KINDS_OF_IMAGES * (double)job.training.params.loader.batch * (double)steps[count - 1];
    *seconds = passes * FORWARD_AND_BACKWARD * images * per_image(lab, work, state.model);
    return SFT_OK;
}

/* Adds up the work for the items from `first` on. */
static enum sft_status add_up(const struct sft_plan *plan, size_t first, const struct sft_lab *lab,
                              struct work *work)
{
    int64_t steps[MAX_LENGTHS];
    int count;
    for (size_t i = first; i < plan->count; i += (size_t)count) {
        struct sft_state state = plan->items[i].state;
        double seconds;
        count = lengths_of(plan, i, steps);
        for (int k = 0; k < count; k++) {
            SFT_TRY(evaluation_seconds(lab, work, &plan->items[i + (size_t)k], &seconds));
            work->evaluations += seconds > 0;
            work->done += seconds == 0;
            work->seconds += seconds;
        }
        if (!state.tuning || sft_tuning_is_done(lab, state, count, steps)) continue;
        SFT_TRY(training_seconds(lab, work, state, count, steps, &seconds));
        work->trainings++;
        work->steps += steps[count - 1];
        work->seconds += seconds;
    }
    return SFT_OK;
}

/* "40 s", "12 min" into text[16], which is returned. */
static const char *duration(double seconds, char *text)
{
    if (seconds < 100)
        snprintf(text, 16, "%.0f s", seconds);
    else
        snprintf(text, 16, "%.0f min", seconds / 60);
    return text;
}

static void announce(const struct sft_lab *lab, const struct work *work)
{
    char time[16];
    sft_log(SFT_LOG_INFO,
            "%s: %d trainings with %" PRId64 " steps, %d evaluations of %" PRId64
            " images and more; %d are there already; about %s on %s",
            lab->experiment->name, work->trainings, work->steps, work->evaluations, images_of(lab, 0),
            work->done, duration(work->seconds, time), sft_device_get_info(lab->job->device)->name);
}

/* ---- doing it ---- */

static void describe(const struct sft_state *state, char *text, size_t size)
{
    if (!state->tuning)
        snprintf(text, size, "%s as it is", state->model->role->name);
    else
        snprintf(text, size, "%s, %s, seed %" PRId64, state->model->role->name,
                 *state->tuning->name ? state->tuning->name : "SFT", state->seed);
}

/* Trains and evaluates what one training makes. A training that diverges is noted and has no metrics. */
static enum sft_status run_group(struct sft_plan *plan, size_t first, int count, const int64_t *steps,
                                 struct sft_lab *lab)
{
    struct sft_state state = plan->items[first].state;
    enum sft_status status = state.tuning ? sft_tuning_run(lab, state, count, steps) : SFT_OK;
    char text[512];
    for (int k = 0; status == SFT_OK && k < count; k++)
        status = run_evaluation(lab, &plan->items[first + (size_t)k]);
    if (status != SFT_FAILED) return status;
    describe(&state, text, sizeof(text));
    sft_lab_note(lab, "%s: failed, see the message above; its rows are without it", text);
    return SFT_OK;
}

static void tell_progress(const struct sft_plan *plan, size_t done, const struct sft_state *state,
                          double start, double share)
{
    char text[512], time[16];
    double spent = sft_now() - start;
    describe(state, text, sizeof(text));
    if (share > 0 && share < 1)
        sft_log(SFT_LOG_INFO, "%zu of %zu: %s; about %s left", done, plan->count, text,
                duration(spent * (1 - share) / share, time));
    else
        sft_log(SFT_LOG_INFO, "%zu of %zu: %s", done, plan->count, text);
}

enum sft_status sft_plan_run(struct sft_plan *plan, struct sft_lab *lab)
{
    struct work work = {0}, left;
    double start;
    int64_t steps[MAX_LENGTHS];
    int count;
    qsort(plan->items, plan->count, sizeof(*plan->items), by_item);
    SFT_TRY(add_up(plan, 0, lab, &work));
    announce(lab, &work);
    start = sft_now();
    for (size_t i = 0; i < plan->count; i += (size_t)count) {
        count = lengths_of(plan, i, steps);
        SFT_TRY(run_group(plan, i, count, steps, lab));
        if (sft_watch_stopped(lab->watch)) return SFT_INTERRUPTED;
        left = (struct work){0};
        memcpy(left.per_image, work.per_image, sizeof(left.per_image));
        SFT_TRY(add_up(plan, i + (size_t)count, lab, &left));
        tell_progress(plan, i + (size_t)count, &plan->items[i].state, start,
                      work.seconds > 0 ? 1 - left.seconds / work.seconds : 0);
    }
    return SFT_OK;
}
