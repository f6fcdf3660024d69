/* SPDX-License-Identifier: Apache-2.0 */
/* The training curves of the report. */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "ood/report_charts.h"
#include "ood/svg.h"
#include "runtime/alloc.h"

/* More points than a small chart can show are averaged. */
enum { POINTS = 300, LINES = 3 };

static const struct panel {
    const char *title;
    struct {
        const char *label, *class_name;
        size_t offset;
    } line[LINES];
} panels[] = {
    {"Loss",
     {{"in-distribution", "line id-line", offsetof(struct sft_report_step, loss_id)},
      {"outliers", "line ood-line", offsetof(struct sft_report_step, loss_ood)},
      {"total", "line total", offsetof(struct sft_report_step, loss)}}},
    {"Gradient norm", {{NULL, "line main", offsetof(struct sft_report_step, grad_norm)}}},
    {"Perturbation norm", {{NULL, "line main", offsetof(struct sft_report_step, perturb_norm)}}},
    {"Learning rate", {{NULL, "line main", offsetof(struct sft_report_step, lr)}}},
};

struct series {
    size_t n;
    double x[POINTS], y[LINES][POINTS];
};

static double value_at(const struct sft_report_step *step, size_t offset)
{
    return *(const double *)(const void *)((const char *)step + offset);
}

static void gather(const struct panel *panel, size_t n, const struct sft_report_step *steps, struct series *series)
{
    series->n = n < POINTS ? n : POINTS;
    for (size_t i = 0; i < series->n; i++) {
        size_t first = i * n / series->n, last = (i + 1) * n / series->n;
        series->x[i] = (double)steps[first].step;
        for (int line = 0; line < LINES; line++) {
            double sum = 0.0;
            for (size_t k = first; k < last; k++) sum += value_at(&steps[k], panel->line[line].offset);
            series->y[line][i] = panel->line[line].class_name ? sum / (double)(last - first) : NAN;
        }
    }
}

/* The range of what is finite, with some air; 0 where nothing is. */
static int find_range(const struct series *series, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (int line = 0; line < LINES; line++)
        for (size_t i = 0; i < series->n; i++) {
            if (!isfinite(series->y[line][i])) continue;
            *low = fmin(*low, series->y[line][i]);
            *high = fmax(*high, series->y[line][i]);
        }
    if (*low > *high) return 0;
    if (*low >= 0.0 && *low < 0.5 * *high) *low = 0.0;
    if (*high - *low <= 1e-9 * fabs(*high)) *low = fmin(0.0, 2 * *high), *high = fmax(0.0, 2 * *high);
    if (*high <= *low) *high = *low + 1.0;
    *high += 0.05 * (*high - *low);
    return 1;
}

static void draw_legend(struct sft_text *out, const struct panel *panel)
{
    double x = 44;
    for (int line = 0; line < LINES; line++) {
        if (!panel->line[line].label) continue;
        sft_text_printf(out, "<path class=\"%s\" d=\"M%.4g 8h12\"/>", panel->line[line].class_name, x);
        sft_svg_label(out, x + 16, 11.5, SFT_SVG_START, "note", panel->line[line].label);
        x += 34 + 6.0 * sft_text_columns(panel->line[line].label);
    }
}

static void draw(struct sft_text *out, int *number, const struct panel *panel, const struct series *series, double low,
                 double high)
{
    struct sft_plot plot = {.left = 44, .top = 20, .width = 266, .height = 120, .y_low = low, .y_high = high};
    struct sft_text description = {0};
    plot.x_low = series->x[0];
    plot.x_high = fmax(series->x[series->n - 1], plot.x_low + 1);
    sft_text_printf(&description, "%s at each step, from step %.0f to step %.0f, between %.4g and %.4g.", panel->title,
                    plot.x_low, series->x[series->n - 1], low, high);
    sft_svg_begin(out, (*number)++, 320, 174, panel->title, description.data ? description.data : "");
    sft_plot_x_axis(out, &plot, 5, 1);
    sft_plot_y_axis(out, &plot, 4, 1);
    for (int line = 0; line < LINES; line++)
        if (panel->line[line].class_name)
            sft_plot_line(out, &plot, series->n, series->x, series->y[line], panel->line[line].class_name);
    draw_legend(out, panel);
    sft_svg_label(out, 177, 170, SFT_SVG_MIDDLE, "note", "step");
    sft_svg_end(out);
    sft_text_free(&description);
}

enum sft_status sft_chart_steps(struct sft_text *out, int *number, size_t n, const struct sft_report_step *steps)
{
    struct series *series = sft_calloc(1, sizeof(*series));
    if (!series) return SFT_MEMORY;
    for (size_t i = 0; i < sizeof(panels) / sizeof(panels[0]); i++) {
        double low, high;
        gather(&panels[i], n, steps, series);
        if (!find_range(series, &low, &high)) continue;
        sft_text_printf(out, "<figure><figcaption>%s</figcaption>\n", panels[i].title);
        draw(out, number, &panels[i], series, low, high);
        sft_text_add(out, "</figure>\n");
    }
    free(series);
    return SFT_OK;
}
