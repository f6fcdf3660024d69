/* SPDX-License-Identifier: Apache-2.0 */
/* Where the charts stand in the page, and the pictures. Each chart that is shown is also queued as a file. */
#include "ood/report/figures.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ood/report/charts.h"
#include "ood/report/html.h"
#include "ood/scores/score.h"

/* Whether a score is shown without asking: the lead, and those of the paper's Figure 3. */
static bool is_featured(const struct sft_page *page, int score)
{
    const char *name = page->results->score_names[score];
    return score == page->lead || strcmp(name, "gradnorm") == 0 || strcmp(name, "maxlogit") == 0;
}

static void add_legend(struct sft_text *out, const struct sft_legend *legend)
{
    if (!legend) return;
    sft_text_add(out, "<ul class=\"legend\">");
    for (; legend->label; legend++)
        sft_text_printf(out, "<li><svg aria-hidden=\"true\" viewBox=\"0 0 18 12\">%s</svg>%s</li>",
                        legend->swatch, legend->label);
    sft_text_add(out, "</ul>\n");
}

/* Where a figure's file goes, and what stands around it. */
struct place {
    const char *caption, *folder, *stem;
    bool saves, legend; /* with a link that saves the data; with its own legend */
};

/* Appends the figure and queues its file; releases the chart. */
static enum sft_status add_figure(struct sft_page *page, struct sft_text *out, struct sft_chart *chart,
                                  struct place place)
{
    enum sft_status status;
    sft_text_add(out, "<figure><figcaption><span>");
    sft_text_add_escaped(out, place.caption);
    sft_text_add(out, "</span>");
    if (place.saves) {
        struct sft_text file = {0}, words = {0};
        sft_text_printf(&file, "%s%s%s.csv", place.folder ? place.folder : "", place.folder ? "-" : "",
                        place.stem);
        sft_text_add(&words, "CSV<span class=\"vh\"> of ");
        sft_text_add_escaped(&words, sft_text_string(&words, &chart->title));
        sft_text_add(&words, "</span>");
        sft_page_add_download(out, sft_text_string(out, &file), sft_text_string(out, &words), &chart->data);
        sft_text_free(&file);
        sft_text_free(&words);
    }
    sft_text_add(out, "</figcaption>\n");
    if (place.legend) add_legend(out, chart->legend);
    sft_chart_inline(out, chart, page->images++);
    sft_text_add(out, "</figure>\n");
    status = sft_plots_add(&page->plots, place.folder, place.stem, chart);
    sft_chart_free(chart);
    return status;
}

/* ---- set by set ---- */

/* The first chart shows the legend of all of them. */
static enum sft_status add_change(struct sft_page *page, struct sft_text *out, enum sft_metric metric)
{
    const char *score = page->results->score_names[page->lead];
    struct sft_chart chart = {0};
    struct sft_text stem = {0};
    char caption[48], title[16];
    enum sft_status status;
    snprintf(caption, sizeof(caption), "%s, %% (%s is better)",
             sft_results_metric_title(page->results, metric, title),
             sft_metric_rows[metric].sign > 0 ? "higher" : "lower");
    sft_text_printf(&stem, "%s-%s", score, sft_metric_rows[metric].key);
    sft_chart_change(&chart, page->results, page->lead, metric);
    if (metric == 0) add_legend(&page->out, chart.legend);
    status = add_figure(page, out, &chart,
                        (struct place){caption, NULL, sft_text_string(out, &stem), true, false});
    sft_text_free(&stem);
    return status;
}

enum sft_status sft_page_changes(struct sft_page *page)
{
    const struct sft_results *results = page->results;
    struct sft_text figures = {0};
    enum sft_status status = SFT_OK;
    sft_text_add(&page->out, "<p class=\"soft\">");
    sft_text_add_escaped(&page->out, sft_score_title(results->score_names[page->lead]));
    sft_text_add(&page->out, results->models > 1 ? " score, from before to after.</p>\n" : " score.</p>\n");
    for (enum sft_metric metric = 0; status == SFT_OK && metric < SFT_MAIN_METRICS; metric++)
        status = add_change(page, &figures, metric);
    sft_text_add(&page->out, "<div class=\"grid two\">\n");
    sft_text_append(&page->out, &figures);
    sft_text_add(&page->out, "</div>\n");
    sft_text_free(&figures);
    return status;
}

/* ---- densities and ROC curves ---- */

int sft_page_has_densities(const struct sft_results *results, int score)
{
    for (int set = 0; set < results->sets; set++)
        if (sft_chart_has_scores(results, score, set)) return 1;
    return 0;
}

typedef enum sft_status (*set_chart)(struct sft_chart *chart, const struct sft_results *results, int score,
                                     int set);

static enum sft_status add_set_figure(struct sft_page *page, struct sft_text *out, int score, int set,
                                      set_chart draw, const char *kind, const struct sft_legend **legend)
{
    const struct sft_results *results = page->results;
    struct sft_chart chart = {0};
    struct sft_text stem = {0};
    enum sft_status status = draw(&chart, results, score, set);
    *legend = chart.legend;
    sft_text_printf(&stem, "%s-%s", results->set_names[set], kind);
    if (status == SFT_OK)
        status = add_figure(page, out, &chart,
                            (struct place){results->set_names[set], results->score_names[score],
                                           sft_text_string(out, &stem), score == page->lead, false});
    sft_chart_free(&chart);
    sft_text_free(&stem);
    return status;
}

/* A figure for each set whose scores are known, under one legend. */
static enum sft_status add_set_figures(struct sft_page *page, int score, set_chart draw, const char *kind)
{
    const struct sft_legend *legend = NULL;
    struct sft_text figures = {0};
    enum sft_status status = SFT_OK;
    for (int set = 0; status == SFT_OK && set < page->results->sets; set++)
        if (sft_chart_has_scores(page->results, score, set))
            status = add_set_figure(page, &figures, score, set, draw, kind, &legend);
    add_legend(&page->out, legend);
    sft_text_add(&page->out, "<div class=\"grid\">\n");
    sft_text_append(&page->out, &figures);
    sft_text_add(&page->out, "</div>\n");
    sft_text_free(&figures);
    return status;
}

/* Digits behind the point that tell values of this spread apart. */
static int digits_for(double deviation)
{
    double digits = isfinite(deviation) && deviation > 0.0 ? 2.0 - floor(log10(deviation)) : 2.0;
    return (int)fmin(fmax(digits, 0.0), 9.0);
}

static void add_signed(struct sft_text *out, int digits, double value)
{
    sft_text_printf(out, "<td>%s%.*f</td>", value < 0 ? "&minus;" : "+", digits, fabs(value));
}

static void add_moments_row(struct sft_page *page, int score, int set, int digits)
{
    const struct sft_results *results = page->results;
    struct sft_moments moments[SFT_MODELS];
    if (!sft_results_values(results, 0, score, set)->values) return;
    sft_text_add(&page->out, "<tr><th class=\"first\" scope=\"row\">");
    sft_text_add_escaped(&page->out, set == SFT_ID_SET ? "in-distribution" : results->set_names[set]);
    sft_text_add(&page->out, "</th>");
    for (int model = 0; model < results->models; model++) {
        moments[model] = sft_sample_moments(sft_chart_sample(results, model, score, set));
        if (moments[model].n > 1)
            sft_text_printf(&page->out, "<td>%.*f</td><td>%.*f</td>", digits, moments[model].mean, digits,
                            moments[model].std);
        else
            sft_text_add(&page->out, "<td></td><td></td>");
    }
    if (results->models > 1 && moments[SFT_BEFORE].n > 1 && moments[SFT_AFTER].n > 1)
        add_signed(&page->out, digits, moments[SFT_AFTER].mean - moments[SFT_BEFORE].mean);
    sft_text_add(&page->out, "</tr>\n");
}

static void add_moments(struct sft_page *page, int score)
{
    const struct sft_results *results = page->results;
    const int digits = digits_for(sft_sample_moments(sft_chart_sample(results, 0, score, SFT_ID_SET)).std);
    struct sft_text label = {0};
    sft_text_printf(&label, "Means and standard deviations of the scores, %s",
                    sft_score_title(results->score_names[score]));
    sft_html_open_scroll(&page->out, sft_text_string(&page->out, &label));
    sft_text_free(&label);
    sft_text_add(&page->out,
                 "<table class=\"plain\"><caption>Means and standard deviations of the scores</caption>\n"
                 "<thead><tr><th class=\"first\" scope=\"col\">Images</th>");
    for (int model = 0; model < results->models; model++) {
        const char *word = results->models < 2 ? "" : model == SFT_BEFORE ? " before" : " after";
        sft_text_printf(&page->out, "<th scope=\"col\">mean%s</th><th scope=\"col\">deviation%s</th>", word,
                        word);
    }
    if (results->models > 1) sft_text_add(&page->out, "<th scope=\"col\">shift of the mean</th>");
    sft_text_add(&page->out, "</tr></thead>\n<tbody>\n");
    for (int set = SFT_ID_SET; set < results->sets; set++) add_moments_row(page, score, set, digits);
    sft_text_add(&page->out, "</tbody></table></div>\n");
}

static void add_score_summary(struct sft_page *page, int score)
{
    const struct sft_metrics m = sft_results_average(page->results, page->results->models - 1, score);
    sft_text_printf(&page->out, "<details class=\"block\"%s><summary><h3>",
                    is_featured(page, score) ? " open" : "");
    sft_text_add_escaped(&page->out, sft_score_title(page->results->score_names[score]));
    sft_text_printf(&page->out, "</h3><span>%s %.2f, AUROC %.2f on average</span></summary>\n", page->fpr,
                    100 * m.fpr, 100 * m.auroc);
}

static enum sft_status add_score(struct sft_page *page, int score)
{
    if (!sft_page_has_densities(page->results, score)) return SFT_OK;
    add_score_summary(page, score);
    SFT_TRY(add_set_figures(page, score, sft_chart_densities, "density"));
    add_moments(page, score);
    sft_text_printf(&page->out, "<details%s><summary>ROC curves</summary>\n",
                    score == page->lead ? " open" : "");
    SFT_TRY(add_set_figures(page, score, sft_chart_roc, "roc"));
    sft_text_add(&page->out, "</details></details>\n");
    return SFT_OK;
}

enum sft_status sft_page_densities(struct sft_page *page)
{
    const struct sft_results *results = page->results;
    const double recall = 100 * results->measure.recall;
    const bool id = sft_id_is_positive(results->convention);
    sft_text_add(
        &page->out,
        "<p class=\"soft\">Histograms of the scores with Gaussian kernel densities (Scott&rsquo;s bandwidth) "
        "drawn over them; scores grow to the right.");
    if (id)
        sft_text_printf(&page->out,
                        " %.4g&nbsp;%% of the in-distribution images score more than the threshold.", recall);
    sft_text_printf(&page->out,
                    " In the ROC curves the dotted line is where %.4g&nbsp;%% of the %s images are "
                    "recognised.</p>\n",
                    recall, id ? "in-distribution" : "out-of-distribution");
    SFT_TRY(add_score(page, page->lead));
    for (int featured = 1; featured >= 0; featured--)
        for (int score = 0; score < page->results->scores; score++)
            if (score != page->lead && is_featured(page, score) == featured) SFT_TRY(add_score(page, score));
    return SFT_OK;
}

/* ---- training ---- */

enum sft_status sft_page_training(struct sft_page *page)
{
    const struct sft_report *report = page->report;
    sft_text_add(&page->out, "<div class=\"grid\">\n");
    for (int panel = 0; panel < SFT_CHART_PANELS; panel++) {
        struct sft_chart chart = {0};
        struct sft_text title = {0};
        int known;
        enum sft_status status = sft_chart_steps(&chart, panel, report->steps, report->step, &known);
        sft_text_append(&title, &chart.title);
        if (status == SFT_OK && known)
            status = add_figure(page, &page->out, &chart,
                                (struct place){sft_text_string(&page->out, &title), NULL,
                                               sft_chart_panel_name(panel), true, true});
        sft_chart_free(&chart);
        sft_text_free(&title);
        SFT_TRY(status);
    }
    sft_text_add(&page->out, "</div>\n");
    return SFT_OK;
}

/* ---- pictures ---- */

static void add_picture(struct sft_page *page, const struct sft_example_image *example)
{
    const char *score = sft_score_title(page->report->examples->score);
    sft_text_printf(&page->out, "<li><img width=\"%d\" height=\"%d\" alt=\"image %lld, ", SFT_EXAMPLE_SIDE,
                    SFT_EXAMPLE_SIDE, (long long)example->index);
    if (example->label) {
        sft_text_add_escaped(&page->out, example->label);
        sft_text_add(&page->out, ", ");
    }
    sft_text_add_escaped(&page->out, score);
    sft_text_printf(&page->out, " %.4g", example->score);
    if (isfinite(example->before)) sft_text_printf(&page->out, ", before %.4g", example->before);
    sft_text_printf(&page->out,
                    "\" src=\"data:image/png;base64,%s\"><span aria-hidden=\"true\">%.4g</span></li>\n",
                    example->png, example->score);
}

static void add_pictures(struct sft_page *page, const struct sft_example_set *set, enum sft_example_kind kind)
{
    static const char *const words[SFT_EXAMPLE_KINDS] = {
        [SFT_EXAMPLE_MOST] = "most like in-distribution", [SFT_EXAMPLE_LEAST] = "least like in-distribution"};
    if (set->count[kind] == 0) return;
    sft_text_printf(&page->out, "<p>%s</p><ul class=\"thumbs\">\n", words[kind]);
    for (int i = 0; i < set->count[kind]; i++) add_picture(page, &set->example[kind][i]);
    sft_text_add(&page->out, "</ul>\n");
}

void sft_page_examples(struct sft_page *page)
{
    const struct sft_examples *examples = page->report->examples;
    sft_text_add(&page->out, "<p class=\"soft\">The images that the score ");
    sft_text_add_escaped(&page->out, sft_score_title(examples->score));
    sft_text_add(&page->out,
                 " takes most and least for in-distribution, with their scores. Of an OOD set the first "
                 "are the mistakes, of the in-distribution images the last.</p>\n<div class=\"grid two\">\n");
    for (int i = 0; i < examples->sets; i++) {
        const struct sft_example_set *set = &examples->set[i];
        sft_text_add(&page->out, "<figure><figcaption>");
        sft_text_add_escaped(&page->out, strcmp(set->name, SFT_ID_NAME) == 0 ? "in-distribution" : set->name);
        sft_text_add(&page->out, "</figcaption>\n");
        for (int kind = 0; kind < SFT_EXAMPLE_KINDS; kind++)
            add_pictures(page, set, (enum sft_example_kind)kind);
        sft_text_add(&page->out, "</figure>\n");
    }
    sft_text_add(&page->out, "</div>\n");
}
