/* SPDX-License-Identifier: Apache-2.0 */
/* Charts of scores: densities, ROC curves, and what changed from before to after. */
#include "ood/report/charts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ood/scores/score.h"
#include "runtime/base/alloc.h"

int sft_chart_has_scores(const struct sft_results *results, int score, int set)
{
    for (int model = 0; model < results->models; model++)
        if (!sft_results_values(results, model, score, set)->values ||
            !sft_results_values(results, model, score, SFT_ID_SET)->values)
            return 0;
    return 1;
}

struct sft_sample sft_chart_sample(const struct sft_results *results, int model, int score, int set)
{
    const struct sft_score_values *values = sft_results_values(results, model, score, set);
    return (struct sft_sample){values->n, values->values};
}

static void add_title(struct sft_chart *chart, const struct sft_results *results, int score, int set,
                      const char *suffix)
{
    sft_text_printf(&chart->title, "%s, %s%s", sft_score_title(results->score_names[score]),
                    results->set_names[set], suffix);
}

/* The metrics of both models in words, after what the chart shows. */
static void describe(struct sft_chart *chart, const struct sft_results *results, int score, int set,
                     const char *what)
{
    char fpr[16];
    sft_text_printf(&chart->description, "%s", what);
    for (int model = 0; model < results->models; model++) {
        const struct sft_metrics *m = sft_results_metrics(results, model, score, set);
        sft_text_printf(&chart->description, " %s%s%s %.2f percent, AUROC %.2f percent.",
                        results->models > 1 ? sft_model_words[model] : "", results->models > 1 ? ": " : "",
                        sft_results_metric_title(results, SFT_FPR, fpr), 100 * m->fpr, 100 * m->auroc);
    }
}

/* ---- densities ---- */

/* How the scores of one kind of images lie by one model. */
struct density {
    struct sft_histogram histogram;
    double kernel[SFT_KERNEL_POINTS];
    bool has_kernel;
    double mean;
};

struct densities {
    double low, high;
    struct density id[SFT_MODELS], ood[SFT_MODELS];
    double threshold[SFT_MODELS]; /* the share `recall` of the ID images scores more */
    double top;                   /* of the density axis */
    double (*scale)(double);      /* what is drawn of a density */
};

/* A peak of more than so many times the density of an even spread would flatten all else (scores that
 * saturate, as MSP does); a normal density over this range has about 3. Then square roots are drawn. */
#define SHARP_PEAK 8.0

static double itself(double density) { return density; }

static void measure_kind(struct sft_sample sample, struct densities *all, struct density *d)
{
    d->histogram.low = all->low;
    d->histogram.high = all->high;
    sft_histogram_fill(&d->histogram, sample);
    d->has_kernel = sft_kernel_density(sample, all->low, all->high, d->kernel);
    d->mean = sft_sample_moments(sample).mean;
    for (int i = 0; i < SFT_HISTOGRAM_BINS; i++) all->top = fmax(all->top, d->histogram.density[i]);
    for (int i = 0; i < SFT_KERNEL_POINTS; i++) all->top = fmax(all->top, d->kernel[i]);
}

/* The range is shared by both models, so that a shift is seen as one. */
static enum sft_status measure(const struct sft_results *results, int score, int set, struct densities *d)
{
    const double tail = 1.0 - results->measure.recall;
    struct sft_sample pool[2 * SFT_MODELS];
    memset(d, 0, sizeof(*d));
    for (int model = 0; model < results->models; model++) {
        pool[2 * model] = sft_chart_sample(results, model, score, SFT_ID_SET);
        pool[2 * model + 1] = sft_chart_sample(results, model, score, set);
        SFT_TRY(sft_quantiles(1, &pool[2 * model], 1, &tail, &d->threshold[model]));
    }
    SFT_TRY(sft_histogram_range(2 * results->models, pool, &d->low, &d->high));
    for (int model = 0; model < results->models; model++) {
        measure_kind(pool[2 * model], d, &d->id[model]);
        measure_kind(pool[2 * model + 1], d, &d->ood[model]);
    }
    d->scale = d->top > SHARP_PEAK / (d->high - d->low) ? sqrt : itself;
    d->top = d->scale(d->top);
    return SFT_OK;
}

/* Bars whose middle lies in [from, to): a bin that one of them cuts through is drawn or dropped whole. */
static void draw_bars(struct sft_chart *chart, const struct densities *d, const struct density *kind,
                      double from, double to, const struct sft_plot *plot, const char *class_name)
{
    const double width = (d->high - d->low) / SFT_HISTOGRAM_BINS;
    double heights[SFT_HISTOGRAM_BINS];
    for (int i = 0; i < SFT_HISTOGRAM_BINS; i++) {
        double middle = d->low + (i + 0.5) * width;
        heights[i] = middle >= from && middle < to ? d->scale(kind->histogram.density[i]) : 0.0;
    }
    sft_plot_steps(&chart->shapes, plot, d->low, d->high, SFT_HISTOGRAM_BINS, heights, class_name);
}

static double kernel_x(const struct densities *d, int i)
{
    return d->low + (d->high - d->low) * i / (SFT_KERNEL_POINTS - 1);
}

static void draw_kernel(struct sft_chart *chart, const struct densities *d, const struct density *kind,
                        const struct sft_plot *plot, const char *class_name)
{
    double x[SFT_KERNEL_POINTS], y[SFT_KERNEL_POINTS];
    if (!kind->has_kernel) return;
    for (int i = 0; i < SFT_KERNEL_POINTS; i++) {
        x[i] = kernel_x(d, i);
        y[i] = d->scale(kind->kernel[i]);
    }
    sft_plot_line(&chart->shapes, plot, SFT_KERNEL_POINTS, x, y, class_name);
}

static int id_is_positive(const struct sft_results *results)
{
    return sft_id_is_positive(results->convention);
}

static void draw_panel(struct sft_chart *chart, const struct sft_results *results, int score, int set,
                       int model, const struct densities *d, const struct sft_plot *plot)
{
    const struct sft_metrics *m = sft_results_metrics(results, model, score, set);
    const struct density *id = &d->id[model], *ood = &d->ood[model];
    const bool has_threshold = id_is_positive(results) && d->threshold[model] >= d->low;
    const double right = plot->left + plot->width, split = has_threshold ? d->threshold[model] : INFINITY;
    char numbers[96], fpr[16];
    draw_bars(chart, d, ood, -INFINITY, split, plot, "area ood");
    if (has_threshold) draw_bars(chart, d, ood, split, INFINITY, plot, "taken");
    draw_bars(chart, d, id, -INFINITY, INFINITY, plot, "area id");
    draw_kernel(chart, d, ood, plot, "line ood-line");
    draw_kernel(chart, d, id, plot, "line id-line");
    if (has_threshold) sft_plot_marker(&chart->shapes, plot, d->threshold[model], "threshold");
    sft_text_printf(&chart->shapes, "<path class=\"base\" d=\"M%g %gH%g\"/>\n", plot->left,
                    plot->top + plot->height, right);
    if (results->models > 1)
        sft_svg_label(&chart->shapes, plot->left, plot->top - 4, SFT_SVG_START, "strong",
                      sft_model_words[model]);
    if (d->scale == sqrt)
        sft_svg_label(&chart->shapes, right, plot->top + 11, SFT_SVG_END, NULL, "square-root scale");
    snprintf(numbers, sizeof(numbers), "%s %.2f, AUROC %.2f", sft_results_metric_title(results, SFT_FPR, fpr),
             100 * m->fpr, 100 * m->auroc);
    sft_svg_label(&chart->shapes, right, plot->top - 4, SFT_SVG_END, "note", numbers);
}

/* Writes how far the mean moved from before to after; a true minus sign. */
static void draw_shift(struct sft_chart *chart, const struct densities *d, double y)
{
    double id = d->id[SFT_AFTER].mean - d->id[SFT_BEFORE].mean;
    double ood = d->ood[SFT_AFTER].mean - d->ood[SFT_BEFORE].mean;
    char text[96];
    snprintf(text, sizeof(text), "mean shift: ID %s%.3g, OOD %s%.3g", id < 0 ? "\xe2\x88\x92" : "+", fabs(id),
             ood < 0 ? "\xe2\x88\x92" : "+", fabs(ood));
    sft_svg_label(&chart->shapes, chart->width / 2, y, SFT_SVG_MIDDLE, "note", text);
}

static void add_density_rows(struct sft_chart *chart, const struct sft_results *results,
                             const struct densities *d)
{
    struct sft_text *data = &chart->data;
    sft_text_add(data, "kind,left,right");
    sft_text_add(data, results->models > 1 ? ",id_before,ood_before,id_after,ood_after" : ",id,ood");
    for (int i = 0; i < SFT_HISTOGRAM_BINS; i++) {
        double width = (d->high - d->low) / SFT_HISTOGRAM_BINS;
        sft_text_printf(data, "\nhistogram,%.7g,%.7g", d->low + i * width, d->low + (i + 1) * width);
        for (int model = 0; model < results->models; model++)
            sft_text_printf(data, ",%.4g,%.4g", d->id[model].histogram.density[i],
                            d->ood[model].histogram.density[i]);
    }
    for (int i = 0; i < SFT_KERNEL_POINTS; i++) {
        sft_text_printf(data, "\nkernel,%.7g,", kernel_x(d, i));
        for (int model = 0; model < results->models; model++)
            sft_text_printf(data, ",%.4g,%.4g", d->id[model].kernel[i], d->ood[model].kernel[i]);
    }
    sft_text_add(data, "\n");
}

static const struct sft_legend density_legend[] = {
    {"<path class=\"area id\" d=\"M1 2h16v10H1z\"/><path class=\"line id-line\" d=\"M1 2h16\"/>",
     "in-distribution"},
    {"<path class=\"area ood\" d=\"M1 2h16v10H1z\"/><path class=\"line ood-line\" d=\"M1 2h16\"/>",
     "out-of-distribution"},
    {"<path class=\"taken\" d=\"M1 1h16v11H1z\"/>", "taken for in-distribution"},
    {"<path class=\"threshold\" d=\"M9 0v12\"/>", "threshold of the FPR"},
    {NULL, NULL},
};

/* Without the threshold, which belongs to conventions that hold the recall of ID. */
static const struct sft_legend density_legend_ood[] = {
    {"<path class=\"area id\" d=\"M1 2h16v10H1z\"/><path class=\"line id-line\" d=\"M1 2h16\"/>",
     "in-distribution"},
    {"<path class=\"area ood\" d=\"M1 2h16v10H1z\"/><path class=\"line ood-line\" d=\"M1 2h16\"/>",
     "out-of-distribution"},
    {NULL, NULL},
};

static void draw_panels(struct sft_chart *chart, const struct sft_results *results, int score, int set,
                        const struct densities *d)
{
    enum { TOP = 18, PITCH = 106, ALONE = 150, GAP = 22, NUMBERS = 14, SHIFT = 17 };
    const int two = results->models > 1, pitch = two ? PITCH : ALONE;
    chart->width = 320;
    chart->height = pitch * results->models + NUMBERS + (two ? SHIFT : 0);
    for (int model = 0; model < results->models; model++) {
        const struct sft_plot plot = {.left = 10,
                                      .top = TOP + pitch * model,
                                      .width = 300,
                                      .height = pitch - GAP,
                                      .x_low = d->low,
                                      .x_high = d->high,
                                      .y_low = 0,
                                      .y_high = d->top * 1.02};
        sft_plot_x_axis(&chart->shapes, &plot, 6, 1.0, model + 1 == results->models);
        draw_panel(chart, results, score, set, model, d, &plot);
    }
    if (two) draw_shift(chart, d, chart->height - 3);
}

enum sft_status sft_chart_densities(struct sft_chart *chart, const struct sft_results *results, int score,
                                    int set)
{
    struct densities *d = sft_calloc(1, sizeof(*d));
    enum sft_status status = d ? measure(results, score, set, d) : SFT_MEMORY;
    if (status == SFT_OK) {
        chart->legend = id_is_positive(results) ? density_legend : density_legend_ood;
        add_title(chart, results, score, set, "");
        describe(chart, results, score, set,
                 "Densities of the scores of in-distribution and of these images.");
        draw_panels(chart, results, score, set, d);
        add_density_rows(chart, results, d);
    }
    free(d);
    return status;
}

/* ---- ROC ---- */

/* At most about 400 of the curve's points: those that lie 0.005 from the last one kept. */
static size_t thin(const struct sft_curve *curve, double *x, double *y)
{
    size_t n = 1;
    x[0] = y[0] = 0.0;
    for (int64_t i = 0; i < curve->points; i++) {
        double fpr = (double)curve->counts[i].negative / (double)curve->negative;
        double tpr = (double)curve->counts[i].positive / (double)curve->positive;
        if (i + 1 < curve->points && fabs(fpr - x[n - 1]) + fabs(tpr - y[n - 1]) < 0.005) continue;
        x[n] = fpr;
        y[n++] = tpr;
    }
    return n;
}

static enum sft_status draw_roc(struct sft_chart *chart, const struct sft_results *results, int score,
                                int set, int model, const struct sft_plot *plot)
{
    const struct sft_sample id = sft_chart_sample(results, model, score, SFT_ID_SET);
    const struct sft_sample ood = sft_chart_sample(results, model, score, set);
    struct sft_curve curve;
    double x[SFT_PLOT_POINTS], y[SFT_PLOT_POINTS];
    size_t n;
    SFT_TRY(sft_curve_build(id.n, id.values, ood.n, ood.values, &curve));
    n = thin(&curve, x, y);
    sft_plot_line(&chart->shapes, plot, n, x, y, model + 1 < results->models ? "line faint" : "line main");
    for (size_t i = 0; i < n; i++)
        sft_text_printf(&chart->data, "%s,%.5g,%.5g\n",
                        results->models > 1 ? sft_model_words[model] : "model", x[i], y[i]);
    sft_curve_free(&curve);
    return SFT_OK;
}

static const struct sft_legend roc_legend[] = {
    {"<path class=\"line faint\" d=\"M0 6h18\"/>", "before"},
    {"<path class=\"line main\" d=\"M0 6h18\"/>", "after"},
    {NULL, NULL},
};

enum sft_status sft_chart_roc(struct sft_chart *chart, const struct sft_results *results, int score, int set)
{
    static const double diagonal[2] = {0, 1};
    const double recall = results->measure.recall, held[2] = {recall, recall},
                 rest[2] = {1 - recall, 1 - recall};
    const int id = id_is_positive(results);
    const struct sft_plot plot = {34, 20, 276, 180, 0, 1, 0, 1};
    struct sft_text *shapes = &chart->shapes;
    enum sft_status status = SFT_OK;
    chart->width = 320;
    chart->height = 232;
    if (results->models > 1) chart->legend = roc_legend;
    add_title(chart, results, score, set, ", ROC");
    describe(chart, results, score, set, "Share of ID images accepted against share of OOD images accepted.");
    sft_plot_x_axis(shapes, &plot, 5, 100, true);
    sft_plot_y_axis(shapes, &plot, 5, 100);
    sft_plot_line(shapes, &plot, 2, diagonal, diagonal, "line chance");
    sft_plot_line(shapes, &plot, 2, id ? diagonal : rest, id ? held : diagonal, "line chance");
    sft_text_add(&chart->data, "model,ood_accepted,id_accepted\n");
    for (int model = 0; status == SFT_OK && model < results->models; model++)
        status = draw_roc(chart, results, score, set, model, &plot);
    sft_svg_label(shapes, 172, 228, SFT_SVG_MIDDLE, "note", "OOD images accepted, %");
    sft_svg_label(shapes, 4, 10, SFT_SVG_START, "note", "ID images accepted, %");
    for (int model = 0; model < results->models; model++) {
        char text[64];
        snprintf(text, sizeof(text), "AUROC %s%s%.2f", results->models > 1 ? sft_model_words[model] : "",
                 results->models > 1 ? " " : "",
                 100 * sft_results_metrics(results, model, score, set)->auroc);
        sft_svg_label(shapes, 306, 176 + 16 * (model + 1 - results->models), SFT_SVG_END,
                      model + 1 < results->models ? "note" : "strong main-text", text);
    }
    return status;
}

/* ---- from before to after ---- */

static double metric_of(const struct sft_results *results, int model, int score, int set,
                        enum sft_metric metric)
{
    struct sft_metrics cell = sft_results_cell(results, model, score, set);
    return *sft_metric_in(&cell, metric);
}

/* The interval of the last model. */
static struct sft_interval interval_of(const struct sft_results *results, int score, int set,
                                       enum sft_metric metric)
{
    struct sft_metrics cell = sft_results_cell(results, results->models - 1, score, set);
    return *sft_metric_interval_in(&cell, metric);
}

/* What became better ends in a disc, what became worse in a diamond. */
static void draw_change(struct sft_text *out, const struct sft_plot *plot, double y, double before,
                        double after, int better, int two)
{
    double from = sft_plot_x(plot, before), to = sft_plot_x(plot, after);
    sft_text_printf(out, "<path class=\"track\" d=\"M%.5g %.5gh%.5g\"/>", plot->left, y, plot->width);
    if (two) {
        sft_text_printf(out, "<path class=\"move %s\" d=\"M%.5g %.5gH%.5g\"/>", better ? "good" : "bad", from,
                        y, to);
        sft_text_printf(out, "<circle class=\"was\" cx=\"%.5g\" cy=\"%.5g\" r=\"4\"/>", from, y);
    }
    if (better)
        sft_text_printf(out, "<circle class=\"now good\" cx=\"%.5g\" cy=\"%.5g\" r=\"5\"/>\n", to, y);
    else
        sft_text_printf(out, "<path class=\"now bad\" d=\"M%.5g %.5gm-6 0l6-6 6 6-6 6z\"/>\n", to, y);
}

/* Drawn over the mark and taller than it, so that a narrow interval is seen as well. */
static void draw_interval(struct sft_text *out, const struct sft_plot *plot, double y,
                          struct sft_interval interval)
{
    double low = sft_plot_x(plot, fmax(interval.low, plot->x_low));
    double high = sft_plot_x(plot, fmin(interval.high, plot->x_high));
    sft_text_printf(out, "<path class=\"interval\" d=\"M%.5g %.5gv12m0-6H%.5gm0-6v12\"/>\n", low, y - 6,
                    high);
}

static void draw_change_row(struct sft_chart *chart, const struct sft_results *results, int score, int set,
                            double top, const struct sft_plot *plot, enum sft_metric metric)
{
    const int two = results->models > 1;
    double before = metric_of(results, SFT_BEFORE, score, set, metric);
    double after = metric_of(results, results->models - 1, score, set, metric);
    const struct sft_interval interval = interval_of(results, score, set, metric);
    const char *weight = set < results->sets ? "note ink" : "strong";
    const char *whole = sft_results_set_name(results, set);
    char name[128], numbers[64];
    sft_text_shorten(name, sizeof(name), whole, 28);
    if (two)
        snprintf(numbers, sizeof(numbers), "%.2f \xe2\x86\x92 %.2f", 100 * before, 100 * after);
    else
        snprintf(numbers, sizeof(numbers), "%.2f", 100 * after);
    sft_svg_label(&chart->shapes, plot->left, top + 11, SFT_SVG_START, weight, name);
    sft_svg_label(&chart->shapes, plot->left + plot->width, top + 11, SFT_SVG_END, weight, numbers);
    draw_change(&chart->shapes, plot, top + 20, before, after,
                (after - before) * sft_metric_rows[metric].sign >= 0, two);
    sft_text_add_csv(&chart->data, whole);
    if (two) sft_text_printf(&chart->data, ",%.6g", before);
    sft_text_printf(&chart->data, ",%.6g", after);
    if (!isnan(interval.low)) {
        draw_interval(&chart->shapes, plot, top + 20, interval);
        sft_text_printf(&chart->data, ",%.6g,%.6g", interval.low, interval.high);
    }
    sft_text_add(&chart->data, "\n");
}

/* What the ends of an interval are. */
enum spread { NO_SPREAD, OF_BOOTSTRAP, OF_SEEDS, SPREADS };
enum { CHANGE_MARKS = 3 };
#define MARKS_OF_CHANGE                                                                                      \
    {"<circle class=\"was\" cx=\"9\" cy=\"6\" r=\"4\"/>", "before"},                                         \
        {"<circle class=\"now good\" cx=\"9\" cy=\"6\" r=\"5\"/>", "after, better"},                         \
    {                                                                                                        \
        "<path class=\"now bad\" d=\"M3 6l6-6 6 6-6 6z\"/>", "after, worse"                                  \
    }
#define MARK_OF_INTERVAL "<path class=\"interval\" d=\"M2 0v12m0-6H16m0-6v12\"/>"

static const struct sft_legend change_legends[SPREADS][CHANGE_MARKS + 2] = {
    [NO_SPREAD] = {MARKS_OF_CHANGE},
    [OF_BOOTSTRAP] = {MARKS_OF_CHANGE, {MARK_OF_INTERVAL, "95 % interval"}},
    [OF_SEEDS] = {MARKS_OF_CHANGE, {MARK_OF_INTERVAL, "\xc2\xb1 deviation of the seeds"}},
};

static const struct sft_legend *change_legend(const struct sft_results *results, bool has_intervals)
{
    enum spread spread = !has_intervals ? NO_SPREAD : results->measure.replicates ? OF_BOOTSTRAP : OF_SEEDS;
    if (results->models > 1) return change_legends[spread];
    return spread == NO_SPREAD ? NULL : change_legends[spread] + CHANGE_MARKS;
}

/* Where the axis starts: for AUROC at 0.5, which is guessing, unless a number is below it. */
static double lowest(const struct sft_results *results, int score, enum sft_metric metric)
{
    if (metric != SFT_AUROC) return 0.0;
    for (int set = 0; set <= results->sets; set++)
        for (int model = 0; model < results->models; model++)
            if (metric_of(results, model, score, set, metric) < 0.5) return 0.0;
    return 0.5;
}

void sft_chart_change(struct sft_chart *chart, const struct sft_results *results, int score,
                      enum sft_metric metric)
{
    enum { ROW = 34 };
    const struct sft_plot plot = {12, 8, 296, ROW * (results->sets + 1) - 4, lowest(results, score, metric),
                                  1,  0, 1};
    const bool has_intervals = !isnan(interval_of(results, score, results->sets, metric).low);
    const char *column = sft_metric_rows[metric].key;
    char name[16];
    sft_results_metric_title(results, metric, name);
    chart->width = 320;
    chart->height = plot.top + plot.height + 20;
    chart->legend = change_legend(results, has_intervals);
    sft_text_printf(&chart->title, "%s, %s", sft_score_title(results->score_names[score]), name);
    sft_text_printf(&chart->description,
                    "%s of every OOD set and their average in percent; the table has the numbers.", name);
    sft_text_add(&chart->data, "set");
    if (results->models > 1) sft_text_printf(&chart->data, ",%s_before", column);
    sft_text_printf(&chart->data, ",%s", column);
    if (has_intervals) sft_text_printf(&chart->data, ",%s_low,%s_high", column, column);
    sft_text_add(&chart->data, "\n");
    sft_plot_x_axis(&chart->shapes, &plot, 5, 100, true);
    for (int set = 0; set <= results->sets; set++)
        draw_change_row(chart, results, score, set, plot.top + ROW * set, &plot, metric);
}
