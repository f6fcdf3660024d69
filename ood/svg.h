/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small charts as inline SVG. Colours and fonts come from the classes of the page's style sheet (report_style.c), so
 * that a chart follows light and dark; a chart carries a title and a description for readers who don't see it.
 * Private to ood/.
 */
#ifndef SFT_OOD_SVG_H
#define SFT_OOD_SVG_H

#include <stddef.h>

#include "ood/text.h"

/* Opens an image of the given size in user units; `number` makes its ids unique in the page. */
void sft_svg_begin(struct sft_text *out, int number, double width, double height, const char *title,
                   const char *description);
void sft_svg_end(struct sft_text *out);

enum sft_svg_anchor { SFT_SVG_START, SFT_SVG_MIDDLE, SFT_SVG_END };

/* Escaped text with its baseline at y. */
void sft_svg_label(struct sft_text *out, double x, double y, enum sft_svg_anchor anchor, const char *class_name,
                   const char *text);

/* A plotting area: a frame in user units, and the ranges of data that fill it. */
struct sft_plot {
    double left, top, width, height;
    double x_low, x_high, y_low, y_high;
};

double sft_plot_x(const struct sft_plot *plot, double x);
double sft_plot_y(const struct sft_plot *plot, double y);

/* About `wanted` round numbers within [low, high]; gives how many there are (at most 12). */
int sft_ticks(double low, double high, int wanted, double ticks[12]);

/* Grid lines with numbers under (x) or left of (y) the frame; the numbers are multiplied by `scale`, for percents. */
void sft_plot_x_grid(struct sft_text *out, const struct sft_plot *plot, int wanted, double scale, int with_numbers);
void sft_plot_x_axis(struct sft_text *out, const struct sft_plot *plot, int wanted, double scale);
void sft_plot_y_axis(struct sft_text *out, const struct sft_plot *plot, int wanted, double scale);

/* A polyline; points that are not finite interrupt it, what leaves the frame is cut at its edges. */
void sft_plot_line(struct sft_text *out, const struct sft_plot *plot, size_t n, const double *x, const double *y,
                   const char *class_name);

/* The area of n equal bars between x = low and x = high, as one shape with a stepped upper edge. */
void sft_plot_steps(struct sft_text *out, const struct sft_plot *plot, double low, double high, size_t n,
                    const double *y, const char *class_name);

/* A vertical line over the whole height of the frame. */
void sft_plot_marker(struct sft_text *out, const struct sft_plot *plot, double x, const char *class_name);

#endif
