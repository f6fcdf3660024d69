/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/svg.h"

#include <math.h>
#include <stdio.h>

enum { TICKS = 12 };

void sft_svg_begin(struct sft_text *out, int number, double width, double height, const char *title,
                   const char *description)
{
    sft_text_printf(out,
                    "<svg role=\"img\" viewBox=\"0 0 %g %g\" aria-labelledby=\"t%d d%d\">"
                    "<title id=\"t%d\">",
                    width, height, number, number, number);
    sft_text_add_escaped(out, title);
    sft_text_printf(out, "</title><desc id=\"d%d\">", number);
    sft_text_add_escaped(out, description);
    sft_text_add(out, "</desc>\n");
}

void sft_svg_end(struct sft_text *out) { sft_text_add(out, "</svg>\n"); }

void sft_svg_label(struct sft_text *out, double x, double y, enum sft_svg_anchor anchor, const char *class_name,
                   const char *text)
{
    static const char *const anchors[] = {"start", "middle", "end"};
    sft_text_printf(out, "<text x=\"%.4g\" y=\"%.4g\" text-anchor=\"%s\" class=\"%s\">", x, y, anchors[anchor],
                    class_name);
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
    return plot->top + plot->height * (1.0 - clamp((y - plot->y_low) / (plot->y_high - plot->y_low), 0.0, 1.0));
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

static void tick_text(char text[32], double value) { snprintf(text, 32, "%.4g", fabs(value) < 1e-300 ? 0.0 : value); }

void sft_plot_x_grid(struct sft_text *out, const struct sft_plot *plot, int wanted, double scale, int with_numbers)
{
    double ticks[TICKS];
    int count = sft_ticks(plot->x_low * scale, plot->x_high * scale, wanted, ticks);
    for (int i = 0; i < count; i++) {
        char text[32];
        tick_text(text, ticks[i]);
        sft_plot_marker(out, plot, ticks[i] / scale, "rule");
        if (!with_numbers) continue;
        sft_svg_label(out, sft_plot_x(plot, ticks[i] / scale), plot->top + plot->height + 13, SFT_SVG_MIDDLE, "tick",
                      text);
    }
}

void sft_plot_x_axis(struct sft_text *out, const struct sft_plot *plot, int wanted, double scale)
{
    sft_plot_x_grid(out, plot, wanted, scale, 1);
}

void sft_plot_y_axis(struct sft_text *out, const struct sft_plot *plot, int wanted, double scale)
{
    double ticks[TICKS];
    int count = sft_ticks(plot->y_low * scale, plot->y_high * scale, wanted, ticks);
    for (int i = 0; i < count; i++) {
        char text[32];
        double y = sft_plot_y(plot, ticks[i] / scale);
        tick_text(text, ticks[i]);
        sft_text_printf(out, "<path class=\"rule\" d=\"M%.4g %.4gh%.4g\"/>", plot->left, y, plot->width);
        sft_svg_label(out, plot->left - 5, y + 3.5, SFT_SVG_END, "tick", text);
    }
}

void sft_plot_line(struct sft_text *out, const struct sft_plot *plot, size_t n, const double *x, const double *y,
                   const char *class_name)
{
    int drawing = 0;
    sft_text_printf(out, "<path class=\"%s\" d=\"", class_name);
    for (size_t i = 0; i < n; i++) {
        int finite = isfinite(x[i]) && isfinite(y[i]);
        if (finite)
            sft_text_printf(out, "%s%.4g %.4g", drawing ? " " : "M", sft_plot_x(plot, x[i]), sft_plot_y(plot, y[i]));
        drawing = finite;
    }
    sft_text_add(out, "\"/>\n");
}

void sft_plot_steps(struct sft_text *out, const struct sft_plot *plot, double low, double high, size_t n,
                    const double *y, const char *class_name)
{
    sft_text_printf(out, "<path class=\"%s\" d=\"M%.4g %.4g", class_name, sft_plot_x(plot, low),
                    plot->top + plot->height);
    for (size_t i = 0; i < n; i++)
        sft_text_printf(out, "V%.4gH%.4g", sft_plot_y(plot, y[i]),
                        sft_plot_x(plot, low + (high - low) * (double)(i + 1) / (double)n));
    sft_text_printf(out, "V%.4gz\"/>\n", plot->top + plot->height);
}

void sft_plot_marker(struct sft_text *out, const struct sft_plot *plot, double x, const char *class_name)
{
    sft_text_printf(out, "<path class=\"%s\" d=\"M%.4g %.4gv%.4g\"/>", class_name, sft_plot_x(plot, x), plot->top,
                    plot->height);
}
