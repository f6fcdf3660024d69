/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/reproduce/figure.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ood/metrics/histogram.h"
#include "runtime/base/file.h"
#include "runtime/device.h"
#include "tools/jobs/notes.h"
#include "tools/reproduce/tuning.h"
#include "tools/jobs/run_enter.h"

/* ---- densities ---- */

/* The samples of a panel: ID and OOD images by the model before and after. */
enum { ID_BEFORE, OOD_BEFORE, ID_AFTER, OOD_AFTER, SAMPLES };
#define SAMPLE_NAMES "id_before,ood_before,id_after,ood_after\n"

static void take_samples(const struct sft_results *results, int score, int set,
                         struct sft_sample samples[SAMPLES])
{
    for (int i = 0; i < SAMPLES; i++) {
        const struct sft_score_values *values =
            sft_results_values(results, i / 2 ? SFT_AFTER : SFT_BEFORE, score, i % 2 ? set : SFT_ID_SET);
        samples[i] = (struct sft_sample){values->n, values->values};
    }
}

static void add_bins(const struct sft_sample samples[SAMPLES], double low, double high, struct sft_text *csv)
{
    struct sft_histogram histograms[SAMPLES];
    double width = (high - low) / SFT_HISTOGRAM_BINS;
    for (int i = 0; i < SAMPLES; i++) {
        histograms[i].low = low;
        histograms[i].high = high;
        sft_histogram_fill(&histograms[i], samples[i]);
    }
    sft_text_add(csv, "bin_left,bin_right," SAMPLE_NAMES);
    for (int bin = 0; bin < SFT_HISTOGRAM_BINS; bin++) {
        sft_text_printf(csv, "%.9g,%.9g", low + bin * width, low + (bin + 1) * width);
        for (int i = 0; i < SAMPLES; i++) sft_text_printf(csv, ",%.9g", histograms[i].density[bin]);
        sft_text_add(csv, "\n");
    }
}

static void add_kernel(const struct sft_sample samples[SAMPLES], double low, double high,
                       struct sft_text *csv)
{
    double densities[SAMPLES][SFT_KERNEL_POINTS];
    for (int i = 0; i < SAMPLES; i++) sft_kernel_density(samples[i], low, high, densities[i]);
    sft_text_add(csv, "x," SAMPLE_NAMES);
    for (int point = 0; point < SFT_KERNEL_POINTS; point++) {
        sft_text_printf(csv, "%.9g", low + point * (high - low) / (SFT_KERNEL_POINTS - 1));
        for (int i = 0; i < SAMPLES; i++) sft_text_printf(csv, ",%.9g", densities[i][point]);
        sft_text_add(csv, "\n");
    }
}

/* Writes FOLDER/SCORE-SET-KIND.csv and empties `csv`. */
static enum sft_status write_csv(const char *folder, const struct sft_results *results, int score, int set,
                                 const char *kind, struct sft_text *csv)
{
    char name[256], path[SFT_RUN_PATH];
    enum sft_status status = csv->status;
    snprintf(name, sizeof(name), "%s-%s-%s.csv", results->score_names[score], results->set_names[set], kind);
    if (status == SFT_OK) status = sft_file_write(sft_run_file(folder, name, path), csv->data, csv->length);
    sft_text_free(csv);
    *csv = (struct sft_text){0};
    return status;
}

static enum sft_status write_panel(const char *folder, const struct sft_results *results, int score, int set)
{
    struct sft_sample samples[SAMPLES];
    struct sft_text csv = {0};
    double low, high;
    take_samples(results, score, set, samples);
    SFT_TRY(sft_histogram_range(SAMPLES, samples, &low, &high));
    add_bins(samples, low, high, &csv);
    SFT_TRY(write_csv(folder, results, score, set, "bins", &csv));
    add_kernel(samples, low, high, &csv);
    return write_csv(folder, results, score, set, "kernel", &csv);
}

/* ---- moments ---- */

static void add_moments(const char *score, const char *set, struct sft_sample before, struct sft_sample after,
                        struct sft_text *out)
{
    struct sft_moments was = sft_sample_moments(before), is = sft_sample_moments(after);
    sft_text_printf(out, "%-16s%-20s%8" PRId64 "%12.4f%12.4f%12.4f%12.4f%+12.4f\n", score, set, was.n,
                    was.mean, was.std, is.mean, is.std, is.mean - was.mean);
}

static void add_summary(const struct sft_results *results, struct sft_text *out)
{
    sft_text_printf(out, "%-16s%-20s%8s%12s%12s%12s%12s%12s\n", "score", "set", "images", "mean before",
                    "deviation", "mean after", "deviation", "shift");
    for (int score = 0; score < results->scores; score++)
        for (int set = SFT_ID_SET; set < results->sets; set++) {
            struct sft_sample samples[SAMPLES];
            take_samples(results, score, set < 0 ? 0 : set, samples);
            add_moments(results->score_names[score], set < 0 ? "id" : results->set_names[set],
                        samples[set >= 0], samples[2 + (set >= 0)], out);
        }
    sft_text_add(out, "\n");
}

/* ---- a figure ---- */

/* The lab's sets, or the figure's only one. */
static enum sft_status choose_sets(const struct sft_lab *lab, struct sft_sets *chosen)
{
    const char *only = lab->experiment->figure.set;
    chosen->count = 0;
    for (int i = 0; i < lab->ood.count; i++)
        if (!only || strcmp(only, lab->ood.values[i].name) == 0)
            chosen->values[chosen->count++] = lab->ood.values[i];
    if (chosen->count > 0) return SFT_OK;
    return sft_fail(SFT_DATA, "%s: it is about %s, which is missing", lab->experiment->name, only);
}

/* Scores of the model in its two states. */
static enum sft_status score_both(const struct sft_lab *lab, const struct sft_sets *ood,
                                  struct sft_state after, struct sft_eval_sets *sets)
{
    struct sft_eval_request request = sft_lab_request(lab, lab->experiment->figure.scores);
    struct sft_model *model = NULL;
    struct sft_dataset *id;
    char path[SFT_RUN_PATH];
    enum sft_status status;
    request.ood = *ood;
    SFT_TRY(sft_lab_read(lab, after.model, after.model->path, &model));
    SFT_TRY_OUT(sft_open_set(lab->test, lab->job->limit, &id));
    SFT_TRY_OUT(sft_eval_sets_open(id, model, &request, sets));
    SFT_TRY_OUT(sft_eval_sets_run(sets, model, SFT_BEFORE, lab->watch));
    sft_model_destroy(&model);
    sft_state_weights(lab, after, path);
    SFT_TRY_OUT(sft_lab_read(lab, after.model, path, &model));
    status = sft_eval_sets_run(sets, model, SFT_AFTER, lab->watch);
out:
    sft_model_destroy(&model);
    return status;
}

static enum sft_status write_figure(const struct sft_eval_sets *sets, const struct sft_run *run,
                                    struct sft_text *out)
{
    const struct sft_results *results = &sets->results;
    SFT_TRY(sft_eval_sets_write(sets, run));
    for (int score = 0; score < results->scores; score++)
        for (int set = 0; set < results->sets; set++) SFT_TRY(write_panel(run->folder, results, score, set));
    add_summary(results, out);
    return out->status;
}

static struct sft_state fine_tuned(const struct sft_lab *lab)
{
    const struct sft_figure *figure = &lab->experiment->figure;
    const int64_t most = lab->job->steps;
    int64_t steps = most && most < figure->steps ? most : figure->steps;
    return (struct sft_state){sft_lab_model(lab, figure->model), figure->tuning, steps, 0};
}

enum sft_status sft_figure_make(struct sft_lab *lab, const char *folder, struct sft_text *out)
{
    const struct sft_run_start start = {.folder = folder, .kind = SFT_RUN_FIGURE, .overwrite = true};
    struct sft_state after = fine_tuned(lab);
    struct sft_eval_sets sets = {0};
    struct sft_sets ood;
    struct sft_run run = {.entered = false};
    enum sft_status status;
    SFT_TRY(choose_sets(lab, &ood));
    SFT_TRY(sft_tuning_run(lab, after, 1, &after.steps));
    status = sft_run_enter(&start, &run);
    if (status == SFT_OK) status = sft_run_begin(&run, lab->job->record, NULL);
    if (status == SFT_OK) sft_json_device(&run.record, "device", sft_device_get_info(lab->job->device));
    if (status == SFT_OK) status = score_both(lab, &ood, after, &sets);
    if (status == SFT_OK) status = write_figure(&sets, &run, out);
    status = sft_run_end(&run, status, true);
    sft_eval_sets_close(&sets);
    return status;
}

enum sft_status sft_prop1_make(struct sft_lab *lab, const char *folder, struct sft_finetune_result *result)
{
    return sft_tuning_trace(lab, fine_tuned(lab), folder, result);
}
