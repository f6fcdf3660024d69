/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small charts as SVG: shapes whose colours and fonts are classes (ood/report/style.h), so that the same
 * chart follows light and dark inside the page and is a file of its own beside it. A chart carries a title
 * and a description for readers who don't see it, a legend, and its numbers as CSV. Private to ood/report.
 */
#ifndef SFT_OOD_SVG_H
#define SFT_OOD_SVG_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/text.h"

/* What a mark means: a shape within 18 x 12 units that looks like it, and words. */
struct sft_legend {
    const char *swatch, *label;
};

/* A chart in the making: start from {0}, append to its texts, release. All numbers are in user units; one is
 * about a pixel of the page. */
struct sft_chart {
    double width, height;
    const struct sft_legend *legend;    /* up to a NULL label; borrowed; NULL: none */
    struct sft_text title, description; /* plain, not escaped */
    struct sft_text shapes;             /* SVG elements */
    struct sft_text data;               /* CSV */
};

void sft_chart_free(struct sft_chart *chart);

/* Appends the chart as an element of an HTML page; `number` makes its ids unique there. Without legend. */
void sft_chart_inline(struct sft_text *out, const struct sft_chart *chart, int number);

/* Appends the chart as a file: in light colours on white, under its title, with its legend. */
void sft_chart_file(struct sft_text *out, const struct sft_chart *chart);

enum sft_svg_anchor { SFT_SVG_START, SFT_SVG_MIDDLE, SFT_SVG_END };

/* Escaped text with its baseline at y; class_name may be NULL. */
void sft_svg_label(struct sft_text *out, double x, double y, enum sft_svg_anchor anchor,
                   const char *class_name, const char *text);

/* A plotting area: a frame in user units, and the ranges of data that fill it. */
struct sft_plot {
    double left, top, width, height;
    double x_low, x_high, y_low, y_high;
};

double sft_plot_x(const struct sft_plot *plot, double x);
double sft_plot_y(const struct sft_plot *plot, double y);

/* About `wanted` round numbers within [low, high]; gives how many there are (at most 12). */
int sft_ticks(double low, double high, int wanted, double ticks[12]);

/* Grid lines, and numbers under (x) or left of (y) the frame, which are multiplied by `scale`, for percents.
 */
void sft_plot_x_axis(struct sft_text *out, const struct sft_plot *plot, int wanted, double scale,
                     bool with_numbers);
void sft_plot_y_axis(struct sft_text *out, const struct sft_plot *plot, int wanted, double scale);

/* A polyline through n <= SFT_PLOT_POINTS points, without those that the eye misses; points that are not
 * finite interrupt it, what leaves the frame is cut at its edges. */
enum { SFT_PLOT_POINTS = 512 };
void sft_plot_line(struct sft_text *out, const struct sft_plot *plot, size_t n, const double *x,
                   const double *y, const char *class_name);

/* The area of n equal bars between x = low and x = high, as one shape with a stepped upper edge. */
void sft_plot_steps(struct sft_text *out, const struct sft_plot *plot, double low, double high, size_t n,
                    const double *y, const char *class_name);

/* A vertical line over the whole height of the frame. */
void sft_plot_marker(struct sft_text *out, const struct sft_plot *plot, double x, const char *class_name);

#endif
