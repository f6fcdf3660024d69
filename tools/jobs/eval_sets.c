/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/eval_sets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ood/calibration.h"
#include "ood/report/examples.h"
#include "ood/results/classifier.h"
#include "runtime/base/log.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/terminal.h"

const char *sft_convention_list(int i)
{
    static char line[512];
    const struct sft_convention *convention = &sft_conventions[i];
    if (i >= SFT_CONVENTIONS) return NULL;
    snprintf(line, sizeof(line), "%s%s%s: %s", convention->alias ? convention->alias : "",
             convention->alias ? ", " : "", convention->name, convention->summary);
    return line;
}

/* ---- opening ---- */

static enum sft_status open_set(const char *text, int64_t limit, struct sft_eval_sets *sets)
{
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : 0;
    char *name = sets->names[sets->sets];
    if (!equals || !equals[1])
        return sft_fail(SFT_USAGE, "OOD set \"%s\": write NAME=SPEC, for example svhn=svhn:test_32x32.mat",
                        text);
    if (length == 0 || length >= sizeof(sets->names[0]))
        return sft_fail(SFT_USAGE, "OOD set \"%s\": a name has 1 to %zu letters", text,
                        sizeof(sets->names[0]) - 1);
    memcpy(name, text, length);
    name[length] = '\0';
    SFT_TRY(sft_dataset_open(equals + 1, &sets->ood[sets->sets]));
    if (limit) sft_dataset_limit(sets->ood[sets->sets], limit);
    sets->sets++;
    return SFT_OK;
}

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

static void leave_out(struct sft_eval_sets *sets, const struct sft_model *model, bool fit)
{
    int kept = 0;
    for (int i = 0; i < sets->score_count; i++) {
        const char *why = why_not(&sets->scorers[i], model, fit);
        if (why)
            sft_log(SFT_LOG_INFO, "%s is left out: %s", sets->scorers[i].score->name, why);
        else
            sets->scorers[kept++] = sets->scorers[i];
    }
    sets->score_count = kept;
}

static enum sft_status create_scorers(const struct sft_model *model, const struct sft_eval_request *request,
                                      struct sft_eval_sets *sets)
{
    const struct sft_score **scores;
    enum sft_status status;
    SFT_TRY(sft_score_parse(request->scores, &scores, &sets->score_count));
    status = sft_scorers_create(request->common, model, scores, sets->score_count, &sets->scorers);
    free(scores);
    SFT_TRY(status);
    if (request->calibration) SFT_TRY(take_calibration(request->calibration, model, sets));
    if (strcmp(request->scores, "all") == 0) leave_out(sets, model, request->fit);
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
    const struct sft_texts *ood = request->ood;
    const struct sft_convention *convention;
    const char *scores[SFT_MAX_SCORERS], *names[SFT_OPTION_MAX_TEXTS];
    char copies[SFT_OPTION_MAX_TEXTS][64];
    SFT_TRY(sft_convention_find(request->convention, &convention));
    for (int i = 0; i < sets->score_count; i++) scores[i] = sets->scorers[i].score->name;
    for (int i = 0; i < ood->count; i++) {
        snprintf(copies[i], sizeof(copies[i]), "%.*s", (int)strcspn(ood->values[i], "="), ood->values[i]);
        names[i] = copies[i];
    }
    SFT_TRY(sft_results_init(&sets->results, convention, sets->score_count, scores, ood->count, names));
    sets->results.measure = request->measure;
    return SFT_OK;
}

static void warn_of_id_images(const struct sft_eval_sets *sets)
{
    char id[65], ood[65];
    sft_dataset_hash(sets->id, id);
    for (int i = 0; i < sets->sets; i++) {
        sft_dataset_hash(sets->ood[i], ood);
        if (strcmp(id, ood) == 0)
            sft_log(SFT_LOG_WARNING,
                    "OOD set %s holds the very images of the ID set %s: nothing can tell them apart",
                    sets->names[i], sft_dataset_spec(sets->id));
    }
}

static enum sft_status open_fit(const struct sft_eval_request *request, struct sft_eval_sets *sets)
{
    if (!request->fit) return SFT_OK;
    SFT_TRY(sft_dataset_open(request->fit, &sets->fit));
    if (request->fit_limit) sft_dataset_limit(sets->fit, request->fit_limit);
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
    SFT_TRY(create_scorers(model, request, sets));
    SFT_TRY(init_results(request, sets));
    for (int i = 0; i < request->ood->count; i++)
        SFT_TRY(open_set(request->ood->values[i], request->limit, sets));
    warn_of_id_images(sets);
    return open_fit(request, sets);
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

static void progress(void *context, const char *set, int64_t done, int64_t count)
{
    (void)context;
    sft_progress(done, count, "evaluating %s: %" PRId64 " of %" PRId64 " images", set, done, count);
}

enum sft_status sft_eval_sets_run(struct sft_eval_sets *sets, struct sft_model *model,
                                  enum sft_results_model which)
{
    const struct sft_evaluation evaluation = {.id = sets->id,
                                              .sets = (const struct sft_dataset *const *)sets->ood,
                                              .fit = sets->fit,
                                              .scorers = sets->scorers,
                                              .n_scorers = sets->score_count,
                                              .batch = sets->batch,
                                              .stop = sft_interrupt_flag(),
                                              .progress = progress};
    enum sft_status status;
    if (which == SFT_AFTER) /* of the model before */
        for (int i = 0; i < sets->score_count; i++) sft_statistics_free(&sets->scorers[i].statistics);
    status = sft_evaluate_fit(model, &evaluation, &sets->fit_seconds);
    sft_progress_end();
    if (status == SFT_OK && sets->fit_seconds > 0)
        sft_log(SFT_LOG_INFO, "scores fitted on %s in %.1f s", sft_dataset_spec(sets->fit),
                sets->fit_seconds);
    if (status == SFT_OK) status = sft_evaluate(model, &evaluation, which, &sets->results);
    sft_progress_end();
    return status;
}

enum sft_status sft_accuracy(struct sft_model *model, const struct sft_dataset *id, int batch,
                             double *accuracy)
{
    const struct sft_evaluation evaluation = {
        .id = id, .batch = batch, .stop = sft_interrupt_flag(), .progress = progress};
    struct sft_collected collected;
    enum sft_status status;
    SFT_TRY(sft_collect(model, id, SFT_IMAGES_ID, "id", &evaluation, SFT_NEEDS_LOGITS, &collected));
    sft_progress_end();
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

json_t *sft_dataset_json(const struct sft_dataset *dataset)
{
    char hash[65];
    sft_dataset_hash(dataset, hash);
    return json_pack("{s:s, s:I, s:s}", "spec", sft_dataset_spec(dataset), "images",
                     (json_int_t)sft_dataset_count(dataset), "sha256", hash);
}

void sft_eval_sets_note(const struct sft_eval_sets *sets, struct sft_run *run)
{
    json_t *data = json_object();
    json_object_set_new(data, "id", sft_dataset_json(sets->id));
    for (int i = 0; i < sets->sets; i++)
        json_object_set_new(data, sets->names[i], sft_dataset_json(sets->ood[i]));
    sft_run_note(run, "evaluation_data", data);
}
