/* SPDX-License-Identifier: Apache-2.0 */
/* Charts of scores: densities, ROC curves, and what changed from before to after. All images are 320 units wide, which
 * is about what a telephone shows; wide screens put several beside each other. */
#include "ood/report_charts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ood/histogram.h"
#include "ood/svg.h"
#include "runtime/alloc.h"

static const char *const model_words[SFT_MODELS] = {"before", "after"};

int sft_chart_has_scores(const struct sft_results *results, int score, int set)
{
    for (int model = 0; model < results->models; model++)
        if (!sft_results_values(results, model, score, set)->values ||
            !sft_results_values(results, model, score, SFT_ID_SET)->values)
            return 0;
    return 1;
}

static struct sft_sample sample_of(const struct sft_results *results, int model, int score, int set)
{
    const struct sft_score_values *values = sft_results_values(results, model, score, set);
    return (struct sft_sample){values->n, values->values};
}

/* Densities */

struct densities {
    struct sft_histogram id[SFT_MODELS], ood[SFT_MODELS];
    double threshold[SFT_MODELS]; /* 95 % of the ID images score more */
    double top;                   /* of the density axis */
    int root;                     /* densities are drawn as their square roots */
};

/* A peak of more than so many times the density of an even spread would flatten all else (scores that saturate, as MSP
 * does); a normal density over this range has about 3. */
#define SHARP_PEAK 8.0

static double highest(const struct sft_histogram *histogram)
{
    double top = 0.0;
    for (int i = 0; i < SFT_HISTOGRAM_BINS; i++) top = fmax(top, histogram->density[i]);
    return top;
}

static void take_root(struct sft_histogram *histogram)
{
    for (int i = 0; i < SFT_HISTOGRAM_BINS; i++) histogram->density[i] = sqrt(histogram->density[i]);
}

/* The range is shared by both models, so that a shift is seen as one. */
static enum sft_status measure(const struct sft_results *results, int score, int set, struct densities *d)
{
    static const double tail = 1.0 - SFT_RESULTS_RECALL;
    struct sft_sample pool[2 * SFT_MODELS];
    double low, high;
    memset(d, 0, sizeof(*d));
    for (int model = 0; model < results->models; model++) {
        pool[2 * model] = sample_of(results, model, score, SFT_ID_SET);
        pool[2 * model + 1] = sample_of(results, model, score, set);
        SFT_TRY(sft_quantiles(1, &pool[2 * model], 1, &tail, &d->threshold[model]));
    }
    SFT_TRY(sft_histogram_range(2 * results->models, pool, &low, &high));
    for (int model = 0; model < results->models; model++) {
        d->id[model].low = d->ood[model].low = low;
        d->id[model].high = d->ood[model].high = high;
        sft_histogram_fill(&d->id[model], pool[2 * model]);
        sft_histogram_fill(&d->ood[model], pool[2 * model + 1]);
        d->top = fmax(d->top, fmax(highest(&d->id[model]), highest(&d->ood[model])));
    }
    d->root = d->top > SHARP_PEAK / (high - low);
    if (!d->root) return SFT_OK;
    for (int model = 0; model < results->models; model++) {
        take_root(&d->id[model]);
        take_root(&d->ood[model]);
    }
    d->top = sqrt(d->top);
    return SFT_OK;
}

/* The part of a histogram from `from` on: the bin that it cuts through is kept or dropped whole. */
static struct sft_histogram part_above(struct sft_histogram histogram, double from)
{
    double width = (histogram.high - histogram.low) / SFT_HISTOGRAM_BINS;
    for (int i = 0; i < SFT_HISTOGRAM_BINS; i++)
        if (histogram.low + (i + 0.5) * width < from) histogram.density[i] = 0.0;
    return histogram;
}

static void draw_density(struct sft_text *out, const struct sft_results *results, int score, int set, int model,
                         const struct densities *d, const struct sft_plot *plot)
{
    const struct sft_histogram *id = &d->id[model], *ood = &d->ood[model];
    const struct sft_metrics *m = sft_results_metrics(results, model, score, set);
    char numbers[96];
    sft_plot_steps(out, plot, ood->low, ood->high, SFT_HISTOGRAM_BINS, ood->density, "area ood");
    if (strcmp(results->convention->positive, "id") == 0 && d->threshold[model] >= id->low) {
        struct sft_histogram taken = part_above(*ood, d->threshold[model]);
        sft_plot_steps(out, plot, ood->low, ood->high, SFT_HISTOGRAM_BINS, taken.density, "taken");
        sft_plot_marker(out, plot, d->threshold[model], "threshold");
    }
    sft_plot_steps(out, plot, id->low, id->high, SFT_HISTOGRAM_BINS, id->density, "area id");
    sft_text_printf(out, "<path class=\"base\" d=\"M%.4g %.4gh%.4g\"/>\n", plot->left, plot->top + plot->height,
                    plot->width);
    if (results->models > 1) sft_svg_label(out, plot->left, plot->top - 4, SFT_SVG_START, "strong", model_words[model]);
    if (d->root) sft_svg_label(out, plot->left + 2, plot->top + 11, SFT_SVG_START, "tick", "square-root scale");
    snprintf(numbers, sizeof(numbers), "FPR95 %.2f, AUROC %.2f", 100 * m->fpr, 100 * m->auroc);
    sft_svg_label(out, plot->left + plot->width, plot->top - 4, SFT_SVG_END, "note", numbers);
}

static void describe_densities(struct sft_text *text, const struct sft_results *results, int score, int set)
{
    sft_text_printf(text, "Densities of the scores of in-distribution images and of %s.", results->set_names[set]);
    for (int model = 0; model < results->models; model++) {
        const struct sft_metrics *m = sft_results_metrics(results, model, score, set);
        sft_text_printf(text, " %s%sFPR95 %.2f percent, AUROC %.2f percent.",
                        results->models > 1 ? model_words[model] : "", results->models > 1 ? ": " : "", 100 * m->fpr,
                        100 * m->auroc);
    }
}

enum sft_status sft_chart_densities(struct sft_text *out, int *number, const struct sft_results *results, int score,
                                    int set)
{
    enum { TOP = 18, PITCH = 106, ALONE = 150, BELOW = 14, GAP = 22 };
    const int pitch = results->models > 1 ? PITCH : ALONE;
    struct sft_text description = {0};
    struct densities d;
    SFT_TRY(measure(results, score, set, &d));
    describe_densities(&description, results, score, set);
    sft_svg_begin(out, (*number)++, 320, pitch * results->models + BELOW, "Score densities",
                  description.data ? description.data : "");
    for (int model = 0; model < results->models; model++) {
        struct sft_plot plot = {.left = 4, .top = TOP + pitch * model, .width = 312, .height = pitch - GAP};
        plot.x_low = d.id[0].low, plot.x_high = d.id[0].high;
        plot.y_low = 0, plot.y_high = d.top * 1.02;
        sft_plot_x_grid(out, &plot, 6, 1.0, model + 1 == results->models);
        draw_density(out, results, score, set, model, &d, &plot);
    }
    sft_svg_end(out);
    sft_text_free(&description);
    return SFT_OK;
}

/* ROC */

/* At most about 200 of the curve's points: those a hundredth away from the last one kept. */
static size_t thin(const struct sft_curve *curve, double *x, double *y)
{
    size_t n = 1;
    x[0] = y[0] = 0.0;
    for (int64_t i = 0; i < curve->points; i++) {
        double fpr = (double)curve->counts[i].negative / (double)curve->negative;
        double tpr = (double)curve->counts[i].positive / (double)curve->positive;
        if (i + 1 < curve->points && fabs(fpr - x[n - 1]) + fabs(tpr - y[n - 1]) < 0.01) continue;
        x[n] = fpr;
        y[n++] = tpr;
    }
    return n;
}

static enum sft_status draw_roc(struct sft_text *out, const struct sft_results *results, int score, int set, int model,
                                const struct sft_plot *plot)
{
    const struct sft_sample id = sample_of(results, model, score, SFT_ID_SET);
    const struct sft_sample ood = sample_of(results, model, score, set);
    struct sft_curve curve;
    double x[256], y[256];
    size_t n;
    SFT_TRY(sft_curve_build(id.n, id.values, ood.n, ood.values, &curve));
    n = thin(&curve, x, y);
    sft_plot_line(out, plot, n, x, y, model + 1 < results->models ? "line faint" : "line main");
    sft_curve_free(&curve);
    return SFT_OK;
}

enum sft_status sft_chart_roc(struct sft_text *out, int *number, const struct sft_results *results, int score, int set)
{
    static const double diagonal[2] = {0, 1}, recall[2] = {SFT_RESULTS_RECALL, SFT_RESULTS_RECALL};
    const struct sft_plot plot = {34, 20, 276, 180, 0, 1, 0, 1};
    enum sft_status status = SFT_OK;
    char text[256];
    int length = snprintf(text, sizeof(text), "Share of ID images accepted against share of OOD images accepted.");
    for (int model = 0; model < results->models; model++)
        length += snprintf(text + length, sizeof(text) - (size_t)length, " AUROC%s%s %.2f percent.",
                           results->models > 1 ? " " : "", results->models > 1 ? model_words[model] : "",
                           100 * sft_results_metrics(results, model, score, set)->auroc);
    sft_svg_begin(out, (*number)++, 320, 232, "ROC curve", text);
    sft_plot_x_axis(out, &plot, 5, 100);
    sft_plot_y_axis(out, &plot, 5, 100);
    sft_plot_line(out, &plot, 2, diagonal, diagonal, "line chance");
    sft_plot_line(out, &plot, 2, diagonal, recall, "line chance");
    for (int model = 0; status == SFT_OK && model < results->models; model++)
        status = draw_roc(out, results, score, set, model, &plot);
    sft_svg_label(out, 172, 228, SFT_SVG_MIDDLE, "note", "OOD images accepted, %");
    sft_svg_label(out, 4, 10, SFT_SVG_START, "note", "ID images accepted, %");
    for (int model = 0; model < results->models; model++) {
        snprintf(text, sizeof(text), "AUROC %s%s%.2f", results->models > 1 ? model_words[model] : "",
                 results->models > 1 ? " " : "", 100 * sft_results_metrics(results, model, score, set)->auroc);
        sft_svg_label(out, 306, 176 + 16 * (model + 1 - results->models), SFT_SVG_END,
                      model + 1 < results->models ? "note" : "strong main-text", text);
    }
    sft_svg_end(out);
    return status;
}

/* From before to after */

static double metric_of(const struct sft_results *results, int model, int score, int set, enum sft_chart_metric metric)
{
    struct sft_metrics m = set < results->sets ? *sft_results_metrics(results, model, score, set)
                                               : sft_results_average(results, model, score);
    return metric == SFT_CHART_FPR ? m.fpr : m.auroc;
}

static void draw_change(struct sft_text *out, const struct sft_plot *plot, double y, double before, double after,
                        int better)
{
    double from = sft_plot_x(plot, before), to = sft_plot_x(plot, after);
    sft_text_printf(out, "<path class=\"track\" d=\"M%.4g %.4gh%.4g\"/>", plot->left, y, plot->width);
    sft_text_printf(out, "<path class=\"move %s\" d=\"M%.4g %.4gH%.4g\"/>", better ? "good" : "bad", from, y, to);
    sft_text_printf(out, "<circle class=\"was\" cx=\"%.4g\" cy=\"%.4g\" r=\"4\"/>", from, y);
    sft_text_printf(out, "<circle class=\"dot %s\" cx=\"%.4g\" cy=\"%.4g\" r=\"5\"/>\n", better ? "good" : "bad", to,
                    y);
}

static void draw_change_row(struct sft_text *out, const struct sft_results *results, int score, int set, double top,
                            const struct sft_plot *plot, enum sft_chart_metric metric)
{
    double before = metric_of(results, SFT_BEFORE, score, set, metric);
    double after = metric_of(results, results->models - 1, score, set, metric);
    int better = metric == SFT_CHART_FPR ? after <= before : after >= before;
    const char *weight = set < results->sets ? "note ink" : "strong";
    char name[128], numbers[64];
    sft_text_shorten(name, sizeof(name), set < results->sets ? results->set_names[set] : "average", 28);
    if (results->models > 1)
        snprintf(numbers, sizeof(numbers), "%.2f \xe2\x86\x92 %.2f", 100 * before, 100 * after);
    else
        snprintf(numbers, sizeof(numbers), "%.2f", 100 * after);
    sft_svg_label(out, plot->left, top + 11, SFT_SVG_START, weight, name);
    sft_svg_label(out, plot->left + plot->width, top + 11, SFT_SVG_END, weight, numbers);
    draw_change(out, plot, top + 20, before, after, better);
}

void sft_chart_change(struct sft_text *out, int *number, const struct sft_results *results, int score,
                      enum sft_chart_metric metric)
{
    enum { ROW = 34 };
    const char *name = metric == SFT_CHART_FPR ? "FPR95" : "AUROC";
    struct sft_plot plot = {12, 4, 296, ROW * (results->sets + 1) - 4, 0, 1, 0, 1};
    struct sft_text description = {0};
    sft_text_printf(&description, "%s of every OOD set and their average in percent; the table has the numbers.", name);
    sft_svg_begin(out, (*number)++, 320, plot.height + 24, name, description.data ? description.data : "");
    if (metric == SFT_CHART_AUROC) plot.x_low = 0.5;
    for (int set = 0; set <= results->sets && metric == SFT_CHART_AUROC; set++)
        for (int model = 0; model < results->models; model++)
            if (metric_of(results, model, score, set, metric) < 0.5) plot.x_low = 0.0;
    sft_plot_x_axis(out, &plot, 5, 100);
    for (int set = 0; set <= results->sets; set++)
        draw_change_row(out, results, score, set, plot.top + ROW * set, &plot, metric);
    sft_svg_end(out);
    sft_text_free(&description);
}
