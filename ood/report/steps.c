/* SPDX-License-Identifier: Apache-2.0 */
/* The training curves of the report. */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "ood/report/charts.h"
#include "ood/report/svg.h"
#include "runtime/base/alloc.h"

/* More points than a small chart can show are averaged. */
enum { POINTS = 300, LINES = 3 };

static const struct sft_legend loss_legend[] = {
    {"<path class=\"line id-line\" d=\"M0 6h18\"/>", "in-distribution"},
    {"<path class=\"line ood-line\" d=\"M0 6h18\"/>", "outliers"},
    {"<path class=\"line total\" d=\"M0 6h18\"/>", "total"},
    {NULL, NULL},
};

static const struct panel {
    const char *title, *name;
    const struct sft_legend *legend;
    bool varies; /* shown only if it does: a constant is among the settings */
    struct {
        const char *column, *class_name;
        size_t offset;
    } line[LINES];
} panels[SFT_CHART_PANELS] = {
    {"Loss",
     "loss",
     loss_legend,
     false,
     {{"loss_id", "line id-line", offsetof(struct sft_report_step, loss_id)},
      {"loss_ood", "line ood-line", offsetof(struct sft_report_step, loss_ood)},
      {"loss", "line total", offsetof(struct sft_report_step, loss)}}},
    {"Gradient norm",
     "grad_norm",
     NULL,
     false,
     {{"grad_norm", "line main", offsetof(struct sft_report_step, grad_norm)}}},
    {"Perturbation norm",
     "perturb_norm",
     NULL,
     false,
     {{"perturb_norm", "line main", offsetof(struct sft_report_step, perturb_norm)}}},
    {"Learning rate", "lr", NULL, true, {{"lr", "line main", offsetof(struct sft_report_step, lr)}}},
};

struct series {
    size_t n;
    double x[POINTS], y[LINES][POINTS];
};

static double value_at(const struct sft_report_step *step, size_t offset)
{
    return *(const double *)(const void *)((const char *)step + offset);
}

static void gather(const struct panel *panel, size_t n, const struct sft_report_step *steps,
                   struct series *series)
{
    series->n = n < POINTS ? n : POINTS;
    for (size_t i = 0; i < series->n; i++) {
        size_t first = i * n / series->n, last = (i + 1) * n / series->n;
        series->x[i] = (double)steps[first].step;
        for (int line = 0; line < LINES; line++) {
            double sum = 0.0;
            for (size_t k = first; k < last; k++) sum += value_at(&steps[k], panel->line[line].offset);
            series->y[line][i] = panel->line[line].column ? sum / (double)(last - first) : NAN;
        }
    }
}

/* The range of what is finite, with a margin; 0 where nothing is finite, or what should vary does not. */
static int find_range(const struct panel *panel, const struct series *series, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (int line = 0; line < LINES; line++)
        for (size_t i = 0; i < series->n; i++) {
            if (!isfinite(series->y[line][i])) continue;
            *low = fmin(*low, series->y[line][i]);
            *high = fmax(*high, series->y[line][i]);
        }
    if (*low > *high || (panel->varies && *high == *low)) return 0;
    if (*low >= 0.0 && *low < 0.5 * *high) *low = 0.0;
    if (*high - *low <= 1e-9 * fabs(*high)) {
        *low = fmin(0.0, 2 * *high);
        *high = fmax(0.0, 2 * *high);
    }
    if (*high <= *low) *high = *low + 1.0;
    *high += 0.05 * (*high - *low);
    return 1;
}

static void draw(struct sft_chart *chart, const struct panel *panel, const struct series *series, double low,
                 double high)
{
    struct sft_plot plot = {.left = 44, .top = 10, .width = 266, .height = 130, .y_low = low, .y_high = high};
    chart->width = 320;
    chart->height = 174;
    chart->legend = panel->legend;
    plot.x_low = series->x[0];
    plot.x_high = fmax(series->x[series->n - 1], plot.x_low + 1);
    sft_text_add(&chart->title, panel->title);
    sft_text_printf(&chart->description,
                    "%s at each step, from step %.0f to step %.0f, between %.4g and %.4g.", panel->title,
                    plot.x_low, series->x[series->n - 1], low, high);
    sft_plot_x_axis(&chart->shapes, &plot, 5, 1, true);
    sft_plot_y_axis(&chart->shapes, &plot, 4, 1);
    for (int line = 0; line < LINES; line++)
        if (panel->line[line].column)
            sft_plot_line(&chart->shapes, &plot, series->n, series->x, series->y[line],
                          panel->line[line].class_name);
    sft_svg_label(&chart->shapes, 177, 170, SFT_SVG_MIDDLE, "note", "step");
}

/* The drawn points. A cell is empty where a value is not known. */
static void add_rows(struct sft_chart *chart, const struct panel *panel, const struct series *series)
{
    sft_text_add(&chart->data, "step");
    for (int line = 0; line < LINES && panel->line[line].column; line++)
        sft_text_printf(&chart->data, ",%s", panel->line[line].column);
    for (size_t i = 0; i < series->n; i++) {
        sft_text_printf(&chart->data, "\n%.0f", series->x[i]);
        for (int line = 0; line < LINES && panel->line[line].column; line++)
            if (isfinite(series->y[line][i]))
                sft_text_printf(&chart->data, ",%.7g", series->y[line][i]);
            else
                sft_text_add(&chart->data, ",");
    }
    sft_text_add(&chart->data, "\n");
}

const char *sft_chart_panel_name(int panel) { return panels[panel].name; }

enum sft_status sft_chart_steps(struct sft_chart *chart, int panel, size_t n,
                                const struct sft_report_step *steps, int *known)
{
    struct series *series = sft_calloc(1, sizeof(*series));
    double low, high;
    *known = 0;
    if (!series) return SFT_MEMORY;
    gather(&panels[panel], n, steps, series);
    *known = find_range(&panels[panel], series, &low, &high);
    if (*known) {
        draw(chart, &panels[panel], series, low, high);
        add_rows(chart, &panels[panel], series);
    }
    free(series);
    return SFT_OK;
}
