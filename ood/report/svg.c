/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/report/svg.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "ood/report/style.h"

enum { TICKS = 12 };

/* In a chart that is a file: heights of the title and of a line of the legend, and the margin. */
enum { HEAD = 26, LINE = 17, MARGIN = 10 };

/* The largest distance in user units that a line may be from what it stands for: less than a pixel of a
 * screen. */
#define UNSEEN 0.2

void sft_chart_free(struct sft_chart *chart)
{
    sft_text_free(&chart->title);
    sft_text_free(&chart->description);
    sft_text_free(&chart->shapes);
    sft_text_free(&chart->data);
    *chart = (struct sft_chart){0};
}

static void add_escaped(struct sft_text *out, const struct sft_text *part)
{
    if (out->status == SFT_OK) out->status = part->status;
    if (part->data) sft_text_add_escaped(out, part->data);
}

/* What a screen reader says of a chart. */
static void add_words(struct sft_text *out, const struct sft_chart *chart, int number)
{
    sft_text_printf(out, "<title id=\"t%d\">", number);
    add_escaped(out, &chart->title);
    sft_text_printf(out, "</title><desc id=\"d%d\">", number);
    add_escaped(out, &chart->description);
    sft_text_add(out, "</desc>\n");
}

void sft_chart_inline(struct sft_text *out, const struct sft_chart *chart, int number)
{
    sft_text_printf(out, "<svg role=\"img\" viewBox=\"0 0 %g %g\" aria-labelledby=\"t%d d%d\">", chart->width,
                    chart->height, number, number);
    add_words(out, chart, number);
    sft_text_append(out, &chart->shapes);
    sft_text_add(out, "</svg>\n");
}

/* Appends the legend from y on, in as many lines as it takes (NULL: only counts), and gives how many. */
static int add_legend(struct sft_text *out, const struct sft_chart *chart, double y)
{
    double x = MARGIN;
    int lines = chart->legend ? 1 : 0;
    for (const struct sft_legend *entry = chart->legend; entry && entry->label; entry++) {
        double width = 34 + 5.8 * sft_text_columns(entry->label);
        if (x > MARGIN && x + width > chart->width) x = MARGIN, lines++;
        if (out) {
            double top = y + LINE * (lines - 1);
            sft_text_printf(out, "<g transform=\"translate(%g %g)\">%s</g>", x, top + 3, entry->swatch);
            sft_svg_label(out, x + 21, top + 12.5, SFT_SVG_START, "note", entry->label);
        }
        x += width;
    }
    return lines;
}

void sft_chart_file(struct sft_text *out, const struct sft_chart *chart)
{
    const double height = HEAD + chart->height + LINE * add_legend(NULL, chart, 0) + MARGIN;
    char title[160];
    sft_text_printf(out,
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
                    "width=\"%g\" height=\"%g\" viewBox=\"0 0 %g %g\" role=\"img\" "
                    "aria-labelledby=\"t0 d0\">\n",
                    chart->width, height, chart->width, height);
    add_words(out, chart, 0);
    sft_text_add(out, "<style>\n");
    sft_style_for_file(out);
    sft_text_printf(out, "</style>\n<rect class=\"paper\" width=\"%g\" height=\"%g\"/>\n", chart->width,
                    height);
    sft_text_shorten(title, sizeof(title), sft_text_string(out, &chart->title), 46);
    sft_svg_label(out, MARGIN, 17, SFT_SVG_START, "heading", title);
    sft_text_printf(out, "<g transform=\"translate(0 %d)\">\n", HEAD);
    sft_text_append(out, &chart->shapes);
    sft_text_add(out, "</g>\n");
    add_legend(out, chart, HEAD + chart->height);
    sft_text_add(out, "</svg>\n");
}

void sft_svg_label(struct sft_text *out, double x, double y, enum sft_svg_anchor anchor,
                   const char *class_name, const char *text)
{
    static const char *const anchors[] = {[SFT_SVG_START] = "",
                                          [SFT_SVG_MIDDLE] = " text-anchor=\"middle\"",
                                          [SFT_SVG_END] = " text-anchor=\"end\""};
    sft_text_printf(out, "<text x=\"%.4g\" y=\"%.4g\"%s", x, y, anchors[anchor]);
    if (class_name) sft_text_printf(out, " class=\"%s\"", class_name);
    sft_text_add(out, ">");
    sft_text_add_escaped(out, text);
    sft_text_add(out, "</text>\n");
}

static double clamp(double value, double low, double high) { return fmin(fmax(value, low), high); }

double sft_plot_x(const struct sft_plot *plot, double x)
{
    return plot->left + plot->width * clamp((x - plot->x_low) / (plot->x_high - plot->x_low), 0.0, 1.0);
}

double sft_plot_y(const struct sft_plot *plot, double y)
{
    return plot->top +
           plot->height * (1.0 - clamp((y - plot->y_low) / (plot->y_high - plot->y_low), 0.0, 1.0));
}

int sft_ticks(double low, double high, int wanted, double ticks[12])
{
    double rough = (high - low) / wanted, power, step;
    int count = 0;
    if (!(rough > 0.0) || isinf(rough)) return 0;
    power = pow(10.0, floor(log10(rough)));
    step = power * (rough / power < 1.5 ? 1.0 : rough / power < 3.5 ? 2.0 : rough / power < 7.5 ? 5.0 : 10.0);
    for (double at = ceil(low / step - 1e-9); at * step <= high + 1e-9 * step && count < TICKS; at += 1.0)
        ticks[count++] = at * step + 0.0; /* never "-0" */
    return count;
}

static void tick_text(char text[32], double value)
{
    snprintf(text, 32, "%.4g", fabs(value) < 1e-300 ? 0.0 : value);
}

void sft_plot_x_axis(struct sft_text *out, const struct sft_plot *plot, int wanted, double scale,
                     bool with_numbers)
{
    double ticks[TICKS];
    int count = sft_ticks(plot->x_low * scale, plot->x_high * scale, wanted, ticks);
    sft_text_add(out, "<path class=\"rule\" d=\"");
    for (int i = 0; i < count; i++)
        sft_text_printf(out, "M%.4g %.4gv%.4g", sft_plot_x(plot, ticks[i] / scale), plot->top, plot->height);
    sft_text_add(out, "\"/>\n");
    for (int i = 0; i < count && with_numbers; i++) {
        char text[32];
        tick_text(text, ticks[i]);
        sft_svg_label(out, sft_plot_x(plot, ticks[i] / scale), plot->top + plot->height + 13, SFT_SVG_MIDDLE,
                      NULL, text);
    }
}

void sft_plot_y_axis(struct sft_text *out, const struct sft_plot *plot, int wanted, double scale)
{
    double ticks[TICKS];
    int count = sft_ticks(plot->y_low * scale, plot->y_high * scale, wanted, ticks);
    sft_text_add(out, "<path class=\"rule\" d=\"");
    for (int i = 0; i < count; i++)
        sft_text_printf(out, "M%.4g %.4gh%.4g", plot->left, sft_plot_y(plot, ticks[i] / scale), plot->width);
    sft_text_add(out, "\"/>\n");
    for (int i = 0; i < count; i++) {
        char text[32];
        tick_text(text, ticks[i]);
        sft_svg_label(out, plot->left - 5, sft_plot_y(plot, ticks[i] / scale) + 3.5, SFT_SVG_END, NULL, text);
    }
}

/* Paths are written in whole tenths of a unit, each step relative to the rounded place of the last. */
static long tenths(double value) { return lround(10.0 * value); }

static void add_tenths(struct sft_text *out, long value)
{
    sft_text_printf(out, "%s%ld", value < 0 ? "-" : "", labs(value) / 10);
    if (value % 10) sft_text_printf(out, ".%ld", labs(value) % 10);
}

static void add_step(struct sft_text *out, char command, long length)
{
    sft_text_printf(out, "%c", command);
    add_tenths(out, length);
}

static void add_pair(struct sft_text *out, char command, long x, long y)
{
    sft_text_printf(out, "%c", command);
    add_tenths(out, x);
    sft_text_add(out, y < 0 ? "" : " ");
    add_tenths(out, y);
}

struct line {
    size_t n;
    double x[SFT_PLOT_POINTS], y[SFT_PLOT_POINTS];
    bool kept[SFT_PLOT_POINTS];
};

static double distance(const struct line *line, size_t first, size_t last, size_t i)
{
    double dx = line->x[last] - line->x[first], dy = line->y[last] - line->y[first];
    double ex = line->x[i] - line->x[first], ey = line->y[i] - line->y[first];
    double length = hypot(dx, dy);
    return length > 0.0 ? fabs(dx * ey - dy * ex) / length : hypot(ex, ey);
}

/* Marks the points between two kept ones without which the line would be seen to differ: D. H. Douglas and
 * T. K. Peucker, "Algorithms for the reduction of the number of points", Cartographica 10 (1973). */
static void keep_seen(struct line *line, size_t first, size_t last)
{
    size_t farthest = first;
    double most = UNSEEN;
    for (size_t i = first + 1; i < last; i++) {
        double off = distance(line, first, last, i);
        if (off <= most) continue;
        most = off;
        farthest = i;
    }
    if (farthest == first) return;
    line->kept[farthest] = true;
    keep_seen(line, first, farthest);
    keep_seen(line, farthest, last);
}

static void add_line(struct sft_text *out, struct line *line)
{
    long x = 0, y = 0;
    if (line->n == 0) return;
    line->kept[0] = line->kept[line->n - 1] = true;
    keep_seen(line, 0, line->n - 1);
    for (size_t i = 0; i < line->n; i++) {
        if (!line->kept[i]) continue;
        add_pair(out, i == 0 ? 'M' : 'l', tenths(line->x[i]) - x, tenths(line->y[i]) - y);
        x = tenths(line->x[i]);
        y = tenths(line->y[i]);
    }
}

void sft_plot_line(struct sft_text *out, const struct sft_plot *plot, size_t n, const double *x,
                   const double *y, const char *class_name)
{
    struct line line = {0};
    sft_text_printf(out, "<path class=\"%s\" d=\"", class_name);
    for (size_t i = 0; i < n && i < SFT_PLOT_POINTS; i++) {
        if (isfinite(x[i]) && isfinite(y[i])) {
            line.x[line.n] = sft_plot_x(plot, x[i]);
            line.y[line.n++] = sft_plot_y(plot, y[i]);
            continue;
        }
        add_line(out, &line);
        line = (struct line){0};
    }
    add_line(out, &line);
    sft_text_add(out, "\"/>\n");
}

void sft_plot_steps(struct sft_text *out, const struct sft_plot *plot, double low, double high, size_t n,
                    const double *y, const char *class_name)
{
    const long left = tenths(sft_plot_x(plot, low)), bottom = tenths(plot->top + plot->height);
    long x = left, level = bottom;
    sft_text_printf(out, "<path class=\"%s\" d=\"", class_name);
    add_pair(out, 'M', left, bottom);
    for (size_t i = 0; i < n; i++) {
        long to = tenths(sft_plot_x(plot, low + (high - low) * (double)(i + 1) / (double)n));
        long next = tenths(sft_plot_y(plot, y[i]));
        if (i + 1 < n && tenths(sft_plot_y(plot, y[i + 1])) == next)
            continue; /* as high as its neighbour: one step */
        if (next != level) add_step(out, 'v', next - level);
        add_step(out, 'h', to - x);
        level = next;
        x = to;
    }
    add_step(out, 'V', bottom);
    sft_text_add(out, "z\"/>\n");
}

void sft_plot_marker(struct sft_text *out, const struct sft_plot *plot, double x, const char *class_name)
{
    sft_text_printf(out, "<path class=\"%s\" d=\"M%.4g %.4gv%.4g\"/>", class_name, sft_plot_x(plot, x),
                    plot->top, plot->height);
}
