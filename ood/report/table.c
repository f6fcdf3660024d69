/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the report: metrics, and settings. */
#include "ood/report/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ood/report/html.h"
#include "ood/scores/score.h"

/* ---- metrics ---- */

/* How many of the best values in a column are marked. */
enum { RANKS = 3 };

/* As the table shows it, in hundredths of a percent; rounded where printf() rounds percents. */
static double shown(const struct sft_results *results, int model, int score, int set, enum sft_metric metric)
{
    struct sft_metrics cell = sft_results_cell(results, model, score, set);
    return round(100 * (100 * *sft_metric_in(&cell, metric)));
}

/* The place of a cell among all scores and models of its column, 1 the best; equal numbers share one. */
static int place(const struct sft_results *results, int set, double value, enum sft_metric metric)
{
    const int sign = sft_metric_rows[metric].sign;
    int better = 0;
    for (int model = 0; model < results->models; model++)
        for (int score = 0; score < results->scores; score++)
            better += sign * shown(results, model, score, set, metric) > sign * value;
    return 1 + better;
}

static void add_cell(struct sft_page *page, int model, int score, int set, enum sft_metric metric)
{
    static const char *const words[RANKS] = {"best", "second", "third"};
    const struct sft_results *results = page->results;
    const int rows = results->models * results->scores;
    struct sft_metrics cell = sft_results_cell(results, model, score, set);
    double value = shown(results, model, score, set, metric);
    int at = place(results, set, value, metric);
    sft_text_printf(&page->out, "<td class=\"%s%s", metric == 0 ? "group" : "",
                    at == 1 && rows > 1 ? " first-place" : "");
    sft_text_printf(&page->out, "%s\">%.2f", at <= RANKS && at < rows ? " top" : "", value / 100);
    if (at <= RANKS && at < rows)
        sft_text_printf(&page->out, "<sup aria-hidden=\"true\">%d</sup><span class=\"vh\"> (%s)</span>", at,
                        words[at - 1]);
    sft_page_add_spread(page, *sft_metric_interval_in(&cell, metric), false);
    sft_text_add(&page->out, "</td>");
}

static void add_row(struct sft_page *page, int score, int model)
{
    const struct sft_results *results = page->results;
    sft_text_add(&page->out, model + 1 < results->models ? "<tr class=\"old\">" : "<tr>");
    if (model == 0) {
        sft_text_printf(&page->out, "<th class=\"first\" scope=\"%s\" rowspan=\"%d\">",
                        results->models > 1 ? "rowgroup" : "row", results->models);
        sft_html_add_breakable(&page->out, sft_score_title(results->score_names[score]));
        sft_text_add(&page->out, "</th>");
    }
    if (results->models > 1) sft_text_printf(&page->out, "<th scope=\"row\">%s</th>", sft_model_words[model]);
    for (int set = 0; set <= results->sets; set++)
        for (enum sft_metric m = 0; m < SFT_MAIN_METRICS; m++) add_cell(page, model, score, set, m);
    sft_text_add(&page->out, "</tr>\n");
}

static void add_metric_head(struct sft_page *page, enum sft_metric metric)
{
    char title[16];
    sft_text_printf(&page->out, "<th class=\"metric%s\" scope=\"col\">%s&nbsp;%s</th>",
                    metric == 0 ? " group" : "", sft_results_metric_title(page->results, metric, title),
                    sft_metric_rows[metric].sign > 0 ? "&uarr;" : "&darr;");
}

static void add_head(struct sft_page *page)
{
    const struct sft_results *results = page->results;
    sft_text_add(&page->out, "<thead><tr><th class=\"first\" rowspan=\"2\" scope=\"col\">Score</th>");
    if (results->models > 1) sft_text_add(&page->out, "<th rowspan=\"2\" scope=\"col\">Model</th>");
    for (int set = 0; set <= results->sets; set++) {
        sft_text_add(&page->out, "<th class=\"group\" colspan=\"2\" scope=\"colgroup\">");
        if (set < results->sets)
            sft_html_add_breakable(&page->out, results->set_names[set]);
        else
            sft_text_add(&page->out, "Average");
        sft_text_add(&page->out, "</th>");
    }
    sft_text_add(&page->out, "</tr>\n<tr>");
    for (int set = 0; set <= results->sets; set++)
        for (enum sft_metric m = 0; m < SFT_MAIN_METRICS; m++) add_metric_head(page, m);
    sft_text_add(&page->out, "</tr></thead>\n");
}

/* A number of each model's ID images. */
static void add_id_line(struct sft_page *page, const char *name, enum sft_id_metric metric)
{
    const double before = sft_results_id_metric(page->results, metric, SFT_BEFORE);
    const double after = sft_results_id_metric(page->results, metric, SFT_AFTER);
    const struct sft_interval spread = sft_page_interval_of_seeds(page, metric);
    if (isnan(before)) return;
    sft_text_printf(&page->out, "<p class=\"soft\">%s: %.2f&nbsp;%%", name, 100 * before);
    if (page->results->models > 1 && !isnan(after)) {
        sft_text_printf(&page->out, " before, %.2f&nbsp;%%", 100 * after);
        if (!isnan(spread.low))
            sft_text_printf(&page->out, " &plusmn; %.2f", 50 * (spread.high - spread.low));
        sft_text_add(&page->out, " after");
    }
    sft_text_add(&page->out, ".</p>\n");
}

static void add_note(struct sft_page *page)
{
    const int replicates = page->results->measure.replicates;
    sft_text_add(&page->out,
                 "<p class=\"soft\">In percent. The best three of each column carry a 1, 2 or 3.");
    if (page->report->seeds)
        sft_text_printf(&page->out,
                        " After: the mean of %d seeds, and beneath it their sample standard deviation.",
                        page->report->seeds->n);
    else if (replicates)
        sft_text_printf(
            &page->out,
            " Beneath each number its 95&nbsp;%% interval, from %d bootstrap replicate%s of the images.",
            replicates, replicates == 1 ? "" : "s");
    sft_text_add(&page->out, "</p>\n");
}

void sft_page_scores(struct sft_page *page)
{
    add_note(page);
    sft_text_add(&page->out, "<div class=\"sheet\">");
    sft_html_open_scroll(&page->out, "Metrics of every score on every set");
    sft_text_add(&page->out, "<table class=\"scores\" aria-labelledby=\"scores\">\n");
    add_head(page);
    for (int score = 0; score < page->results->scores; score++) {
        sft_text_add(&page->out, "<tbody>");
        for (int model = 0; model < page->results->models; model++) add_row(page, score, model);
        sft_text_add(&page->out, "</tbody>\n");
    }
    sft_text_add(&page->out, "</table></div></div>\n");
    add_id_line(page, "Accuracy on ID images", SFT_ACCURACY);
    add_id_line(page, "Calibration error (ECE) on ID images", SFT_ECE);
}

/* ---- seeds ---- */

static void add_percent(struct sft_page *page, double value)
{
    if (isnan(value))
        sft_text_add(&page->out, "<td></td>");
    else
        sft_text_printf(&page->out, "<td>%.2f</td>", 100 * value);
}

static void add_seed(struct sft_page *page, int i)
{
    const struct sft_seeds *seeds = page->report->seeds;
    const struct sft_results *run = &seeds->runs[i];
    struct sft_metrics average = sft_results_average(run, SFT_AFTER, page->lead);
    const long long seed = (long long)(seeds->first + i);
    sft_text_printf(
        &page->out,
        "<tr><th class=\"first\" scope=\"row\"><a href=\"seed-%lld/report.html\">seed %lld</a></th>", seed,
        seed);
    for (enum sft_metric m = 0; m < SFT_MAIN_METRICS; m++) add_percent(page, *sft_metric_in(&average, m));
    for (enum sft_id_metric m = 0; m < SFT_ID_METRICS; m++)
        add_percent(page, sft_results_id_metric(run, m, SFT_AFTER));
    sft_text_add(&page->out, "</tr>\n");
}

void sft_page_seeds(struct sft_page *page)
{
    sft_text_add(&page->out, "<p class=\"soft\">The ");
    sft_text_add_escaped(&page->out, sft_score_title(page->results->score_names[page->lead]));
    sft_text_add(&page->out,
                 " score after fine-tuning with each seed, averaged over the sets, in percent. Each seed has "
                 "a report of its own.</p>\n<div class=\"sheet\">");
    sft_html_open_scroll(&page->out, "Averages of every seed");
    sft_text_printf(
        &page->out,
        "<table class=\"plain\" aria-labelledby=\"seeds\"><thead><tr><th class=\"first\" scope=\"col\">Report"
        "</th><th scope=\"col\">%s</th><th scope=\"col\">AUROC</th><th scope=\"col\">accuracy</th>"
        "<th scope=\"col\">ECE</th></tr></thead>\n<tbody>\n",
        page->fpr);
    for (int i = 0; i < page->report->seeds->n; i++) add_seed(page, i);
    sft_text_add(&page->out, "</tbody></table></div></div>\n");
}

/* ---- settings ---- */

/* The length of the heading in a key: "options" in "options.lr"; 0 without one. */
static size_t heading(const char *key)
{
    const char *dot = strchr(key, '.');
    return dot && dot[1] != '\0' ? (size_t)(dot - key) : 0;
}

static void add_setting(struct sft_page *page, const struct sft_report_setting *setting, const char *previous)
{
    size_t length = heading(setting->key);
    if (length > 0 &&
        (!previous || heading(previous) != length || strncmp(previous, setting->key, length) != 0)) {
        char name[128];
        snprintf(name, sizeof(name), "%.*s", length > 100 ? 100 : (int)length, setting->key);
        sft_text_add(&page->out, "</tbody><tbody><tr><th colspan=\"2\" scope=\"rowgroup\">");
        sft_text_add_escaped(&page->out, name);
        sft_text_add(&page->out, "</th></tr>\n");
    }
    sft_text_add(&page->out, "<tr><th scope=\"row\">");
    sft_text_add_escaped(&page->out, setting->key + (length > 0 ? length + 1 : 0));
    sft_text_add(&page->out, "</th><td>");
    sft_text_add_escaped(&page->out, setting->value);
    sft_text_add(&page->out, "</td></tr>\n");
}

void sft_page_settings(struct sft_page *page)
{
    sft_text_add(&page->out, "<details class=\"block\"><summary>What was asked, chosen and found</summary>\n"
                             "<table class=\"keys\"><tbody>\n");
    for (size_t i = 0; i < page->report->settings; i++)
        add_setting(page, &page->report->setting[i], i > 0 ? page->report->setting[i - 1].key : NULL);
    sft_text_add(&page->out, "</tbody></table></details>\n");
}
