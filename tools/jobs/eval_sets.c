/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/eval_sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ood/calibration.h"
#include "ood/report/examples.h"
#include "ood/results/classifier.h"
#include "runtime/base/log.h"
#include "tools/jobs/classes.h"
#include "tools/jobs/inputs.h"
#include "tools/jobs/notes.h"
#include "tools/jobs/pictures.h"
#include "tools/jobs/scorers.h"

void sft_eval_request_init(struct sft_eval_request *request)
{
    *request = (struct sft_eval_request){
        .scores = "energy,msp",
        .convention = "id",
        .measure = {.recall = SFT_RESULTS_RECALL},
        .batch = 100,
    };
}

/* ---- opening ---- */

/* Why a score cannot be computed here, or NULL. */
static const char *why_not(const struct sft_scorer *scorer, const struct sft_model *model, bool fit)
{
    const char *misfit = sft_scorer_misfit(scorer, model);
    if (misfit) return misfit;
    if (!(sft_scorer_needs(scorer) & SFT_NEEDS_FIT) || fit || scorer->statistics.n > 0) return NULL;
    return "it needs --fit SPEC, or a --calibration FILE that holds its statistics";
}

/* Settings and statistics from the file, for those scores that are in it. */
static enum sft_status take_calibration(const char *path, const struct sft_model *model,
                                        struct sft_eval_sets *sets)
{
    struct sft_calibration calibration;
    enum sft_status status = sft_calibration_read(path, model, &calibration);
    for (int i = 0; status == SFT_OK && i < sets->score_count; i++)
        for (int k = 0; k < calibration.n; k++) {
            struct sft_scorer held = sets->scorers[i];
            if (calibration.scorers[k].score != held.score) continue;
            sets->scorers[i] = calibration.scorers[k];
            calibration.scorers[k] = held; /* each is released by its owner */
        }
    sft_calibration_free(&calibration);
    return status;
}

/* Scores that only "all" brought along are there where they can be had. */
static void leave_out(const struct sft_eval_request *request, const struct sft_model *model,
                      struct sft_eval_sets *sets)
{
    for (int i = 0; i < sets->score_count; i++) {
        struct sft_scorer *scorer = &sets->scorers[i];
        const char *why = why_not(scorer, model, request->fit);
        scorer->optional = !sft_score_is_named(request->scores, scorer->score);
        scorer->left_out = scorer->optional && why;
        if (scorer->left_out) sft_log(SFT_LOG_INFO, "%s is left out: %s", scorer->score->name, why);
    }
    sets->score_count = sft_drop_left_out(sets->scorers, sets->score_count, NULL);
}

static enum sft_status create_scorers(const struct sft_model *model, const struct sft_eval_request *request,
                                      struct sft_eval_sets *sets)
{
    const struct sft_score **scores;
    enum sft_status status;
    SFT_TRY(sft_score_parse(request->scores, &scores, &sets->score_count));
    status = sft_scorers_create(request->knobs, model, scores, sets->score_count, &sets->scorers);
    free(scores);
    SFT_TRY(status);
    if (request->calibration) SFT_TRY(take_calibration(request->calibration, model, sets));
    leave_out(request, model, sets);
    for (int i = 0; i < sets->score_count; i++) {
        const char *why = why_not(&sets->scorers[i], model, request->fit);
        if (why) return sft_fail(SFT_USAGE, "--score %s: %s", sets->scorers[i].score->name, why);
    }
    if (sets->score_count <= SFT_MAX_SCORERS) return SFT_OK;
    return sft_fail(SFT_USAGE, "more than %d scores at once", SFT_MAX_SCORERS);
}

/* Names are checked before the first set is opened, which may take a while. */
static enum sft_status init_results(const struct sft_eval_request *request, struct sft_eval_sets *sets)
{
    const struct sft_convention *convention;
    const char *scores[SFT_MAX_SCORERS], *names[SFT_MAX_SETS];
    SFT_TRY(sft_convention_find(request->convention, &convention));
    for (int i = 0; i < sets->score_count; i++) scores[i] = sets->scorers[i].score->name;
    for (int i = 0; i < request->ood.count; i++) names[i] = request->ood.values[i].name;
    SFT_TRY(
        sft_results_init(&sets->results, convention, sets->score_count, scores, request->ood.count, names));
    sets->results.measure = request->measure;
    return SFT_OK;
}

static enum sft_status open_ood(const struct sft_named_set *named, int64_t limit, struct sft_eval_sets *sets)
{
    SFT_TRY(sft_open_set(named->spec, limit, &sets->ood[sets->sets]));
    snprintf(sets->names[sets->sets++], SFT_SET_NAME, "%s", named->name);
    return SFT_OK;
}

static enum sft_status warn_of_id_images(const struct sft_eval_sets *sets)
{
    char id[65], ood[65];
    SFT_TRY(sft_dataset_hash(sets->id, id));
    for (int i = 0; i < sets->sets; i++) {
        SFT_TRY(sft_dataset_hash(sets->ood[i], ood));
        if (strcmp(id, ood) == 0)
            sft_log(SFT_LOG_WARNING,
                    "OOD set %s holds the very images of the ID set %s: nothing can tell them apart",
                    sets->names[i], sft_dataset_spec(sets->id));
    }
    return SFT_OK;
}

enum sft_status sft_eval_sets_open(struct sft_dataset *id, const struct sft_model *model,
                                   const struct sft_eval_request *request, struct sft_eval_sets *sets)
{
    *sets = (struct sft_eval_sets){.id = id, .batch = request->batch};
    if (request->measure.replicates == 1)
        return sft_fail(
            SFT_USAGE,
            "--bootstrap 1: an interval takes at least 2 replicates, and some hundreds to mean much");
    SFT_TRY(sft_classes_check(id, model, true));
    SFT_TRY(create_scorers(model, request, sets));
    SFT_TRY(init_results(request, sets));
    for (int i = 0; i < request->ood.count; i++)
        SFT_TRY(open_ood(&request->ood.values[i], request->limit, sets));
    SFT_TRY(warn_of_id_images(sets));
    if (!request->fit) return SFT_OK;
    SFT_TRY(sft_open_set(request->fit, request->fit_limit, &sets->fit));
    return sft_classes_check(sets->fit, model, false);
}

enum sft_status sft_eval_sets_check_pictures(struct sft_eval_sets *sets, bool skip_bad,
                                             const struct sft_watch *watch)
{
    SFT_TRY(sft_pictures_check(sets->id, skip_bad, watch));
    for (int i = 0; i < sets->sets; i++) SFT_TRY(sft_pictures_check(sets->ood[i], skip_bad, watch));
    return sets->fit ? sft_pictures_check(sets->fit, skip_bad, watch) : SFT_OK;
}

void sft_eval_sets_close(struct sft_eval_sets *sets)
{
    sft_results_free(&sets->results);
    for (int i = 0; i < sets->sets; i++) sft_dataset_close(&sets->ood[i]);
    sft_dataset_close(&sets->id);
    sft_dataset_close(&sets->fit);
    sft_scorers_free(&sets->scorers, sets->score_count);
}

enum sft_status sft_eval_sets_rescore(const struct sft_model *model, const struct sft_eval_request *request,
                                      struct sft_eval_sets *sets)
{
    sft_results_free(&sets->results);
    sft_scorers_free(&sets->scorers, sets->score_count);
    SFT_TRY(create_scorers(model, request, sets));
    return init_results(request, sets);
}

/* ---- running ---- */

enum sft_status sft_eval_sets_run(struct sft_eval_sets *sets, struct sft_model *model,
                                  enum sft_results_model which, const struct sft_watch *watch)
{
    struct sft_evaluation evaluation = {
        .id = sets->id,
        .sets = (const struct sft_dataset *const *)sets->ood,
        .fit = sets->fit,
        .scorers = sets->scorers,
        .n_scorers = sets->score_count,
        .batch = sets->batch,
        .stop = sft_watch_stop(watch),
        .progress = sft_watch_images,
        .context = (void *)watch,
    };
    enum sft_status status;
    if (which == SFT_AFTER) /* what was learned from the model before is none of this one's */
        for (int i = 0; i < sets->score_count; i++) sft_statistics_free(&sets->scorers[i].statistics);
    status = sft_evaluate_fit(model, &evaluation, &sets->fit_seconds);
    sft_watch_end(watch);
    if (status == SFT_OK && sets->fit_seconds > 0)
        sft_log(SFT_LOG_INFO, "scores fitted on %s in %.1f s", sft_dataset_spec(sets->fit),
                sets->fit_seconds);
    sets->score_count = sft_drop_left_out(sets->scorers, sets->score_count, &sets->results);
    evaluation.n_scorers = sets->score_count;
    if (status == SFT_OK && !sets->score_count)
        status = sft_fail(SFT_DATA, "none of the scores can be fitted to %s", sft_dataset_spec(sets->fit));
    if (status == SFT_OK) status = sft_evaluate(model, &evaluation, which, &sets->results);
    sets->score_count = sets->results.scores;
    sft_watch_end(watch);
    return status;
}

enum sft_status sft_accuracy(struct sft_model *model, const struct sft_dataset *id, int batch,
                             const struct sft_watch *watch, double *accuracy)
{
    const struct sft_evaluation evaluation = {
        .id = id,
        .batch = batch,
        .stop = sft_watch_stop(watch),
        .progress = sft_watch_images,
        .context = (void *)watch,
    };
    struct sft_collected collected;
    enum sft_status status;
    SFT_TRY(sft_collect(model, id, SFT_IMAGES_ID, "id", &evaluation, SFT_NEEDS_LOGITS, &collected));
    sft_watch_end(watch);
    status = sft_classifier_accuracy(&collected.outputs, accuracy);
    sft_collected_free(&collected);
    return status;
}

/* ---- writing ---- */

enum sft_status sft_eval_sets_write(const struct sft_eval_sets *sets, const struct sft_run *run)
{
    SFT_TRY(sft_results_write(&sets->results, run->folder));
    return sft_examples_write(&sets->results, sets->id, (const struct sft_dataset *const *)sets->ood,
                              run->folder);
}

enum sft_status sft_eval_sets_note(const struct sft_eval_sets *sets, struct sft_run *run)
{
    sft_json_object(&run->record, "evaluation_data");
    SFT_TRY(sft_json_dataset(&run->record, "id", sets->id));
    for (int i = 0; i < sets->sets; i++)
        SFT_TRY(sft_json_dataset(&run->record, sets->names[i], sets->ood[i]));
    sft_json_end(&run->record);
    return SFT_OK;
}
