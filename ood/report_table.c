/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the report: metrics, and settings. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ood/report_charts.h"
#include "ood/report_page.h"

void sft_page_open_scroll(struct sft_page *page, const char *label)
{
    sft_text_add(&page->out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
    sft_text_add_escaped(&page->out, label);
    sft_text_add(&page->out, "\">");
}

/* ---- metrics ---- */

/* So many values of a column are marked, as papers do. */
enum { RANKS = 3 };

/* As the table shows it, in hundredths of a percent; rounded where printf() rounds percents. */
static double shown(const struct sft_results *results, int model, int score, int set, int of_fpr)
{
    const struct sft_metrics m = sft_chart_metrics(results, model, score, set);
    return round(100 * (100 * (of_fpr ? m.fpr : m.auroc)));
}

/* The place of a cell among all scores and models of its column, 1 the best; equal numbers share one. */
static int place(const struct sft_results *results, int set, double value, int of_fpr)
{
    int better = 0;
    for (int model = 0; model < results->models; model++)
        for (int score = 0; score < results->scores; score++) {
            double other = shown(results, model, score, set, of_fpr);
            better += of_fpr ? other < value : other > value;
        }
    return 1 + better;
}

static void add_cell(struct sft_page *page, int model, int score, int set, int of_fpr)
{
    static const char *const words[RANKS] = {"best", "second", "third"};
    const struct sft_results *results = page->results;
    const int rows = results->models * results->scores;
    double value = shown(results, model, score, set, of_fpr);
    int at = place(results, set, value, of_fpr);
    sft_text_printf(&page->out, "<td class=\"%s%s", of_fpr ? "group" : "", at == 1 && rows > 1 ? " first-place" : "");
    sft_text_printf(&page->out, "%s\">%.2f", at <= RANKS && at < rows ? " top" : "", value / 100);
    if (at <= RANKS && at < rows)
        sft_text_printf(&page->out, "<sup aria-hidden=\"true\">%d</sup><span class=\"vh\"> (%s)</span>", at,
                        words[at - 1]);
    sft_text_add(&page->out, "</td>");
}

/* A name that may break after its separators. */
static void add_breakable(struct sft_text *out, const char *name)
{
    static const char separators[] = "_-./+ ";
    while (*name) {
        char piece[256];
        size_t length = strcspn(name, separators);
        length += strspn(name + length, separators);
        snprintf(piece, sizeof(piece), "%.*s", (int)(length < 255 ? length : 255), name);
        sft_text_add_escaped(out, piece);
        name += strlen(piece);
        if (*name) sft_text_add(out, "<wbr>");
    }
}

static void add_row(struct sft_page *page, int score, int model)
{
    static const char *const words[SFT_MODELS] = {"before", "after"};
    const struct sft_results *results = page->results;
    sft_text_add(&page->out, model + 1 < results->models ? "<tr class=\"old\">" : "<tr>");
    if (model == 0) {
        sft_text_printf(&page->out, "<th class=\"first\" scope=\"%s\" rowspan=\"%d\">",
                        results->models > 1 ? "rowgroup" : "row", results->models);
        add_breakable(&page->out, sft_score_words(results->score_names[score]));
        sft_text_add(&page->out, "</th>");
    }
    if (results->models > 1) sft_text_printf(&page->out, "<th scope=\"row\">%s</th>", words[model]);
    for (int set = 0; set <= results->sets; set++)
        for (int of_fpr = 1; of_fpr >= 0; of_fpr--) add_cell(page, model, score, set, of_fpr);
    sft_text_add(&page->out, "</tr>\n");
}

static void add_head(struct sft_page *page)
{
    const struct sft_results *results = page->results;
    sft_text_add(&page->out, "<thead><tr><th class=\"first\" rowspan=\"2\" scope=\"col\">Score</th>");
    if (results->models > 1) sft_text_add(&page->out, "<th rowspan=\"2\" scope=\"col\">Model</th>");
    for (int set = 0; set <= results->sets; set++) {
        sft_text_add(&page->out, "<th class=\"group\" colspan=\"2\" scope=\"colgroup\">");
        if (set < results->sets)
            add_breakable(&page->out, results->set_names[set]);
        else
            sft_text_add(&page->out, "Average");
        sft_text_add(&page->out, "</th>");
    }
    sft_text_add(&page->out, "</tr>\n<tr>");
    for (int set = 0; set <= results->sets; set++)
        sft_text_add(&page->out, "<th class=\"metric group\" scope=\"col\">FPR95&nbsp;&darr;</th>"
                                 "<th class=\"metric\" scope=\"col\">AUROC&nbsp;&uarr;</th>");
    sft_text_add(&page->out, "</tr></thead>\n");
}

static void add_accuracy(struct sft_page *page)
{
    const struct sft_results *results = page->results;
    const double *accuracy = results->accuracy;
    if (isnan(accuracy[0])) return;
    sft_text_printf(&page->out, "<p class=\"soft\">Accuracy on ID images: %.2f&nbsp;%%", 100 * accuracy[SFT_BEFORE]);
    if (results->models > 1 && !isnan(accuracy[SFT_AFTER]))
        sft_text_printf(&page->out, " before, %.2f&nbsp;%% after", 100 * accuracy[SFT_AFTER]);
    sft_text_add(&page->out, ".</p>\n");
}

void sft_page_scores(struct sft_page *page)
{
    sft_text_add(&page->out, "<p class=\"soft\">In percent. The best three of each column carry a 1, 2 or 3.</p>\n"
                             "<div class=\"sheet\">");
    sft_page_open_scroll(page, "Metrics of every score on every set");
    sft_text_add(&page->out, "<table class=\"scores\" aria-labelledby=\"scores\">\n");
    add_head(page);
    for (int score = 0; score < page->results->scores; score++) {
        sft_text_add(&page->out, "<tbody>");
        for (int model = 0; model < page->results->models; model++) add_row(page, score, model);
        sft_text_add(&page->out, "</tbody>\n");
    }
    sft_text_add(&page->out, "</table></div></div>\n");
    add_accuracy(page);
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
    if (length > 0 && (!previous || heading(previous) != length || strncmp(previous, setting->key, length) != 0)) {
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
