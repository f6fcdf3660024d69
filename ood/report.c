/* SPDX-License-Identifier: Apache-2.0 */
/* The page: what it says in words, its tables, and where the charts go. */
#include "ood/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ood/report_charts.h"
#include "ood/report_style.h"
#include "ood/score.h"
#include "ood/text.h"
#include "runtime/file.h"

/* A page in the making. */
struct page {
    const struct sft_report *report;
    const struct sft_results *results; /* NULL: none */
    struct sft_text out;
    int images; /* numbers the charts */
    int lead;   /* the score that summary and cards speak of */
};

static const char *title_of(const struct sft_results *results, int score)
{
    const struct sft_score *known = sft_score_find(results->score_names[score]);
    return known ? known->title : results->score_names[score];
}

static int last_model(const struct sft_results *results) { return results->models - 1; }

/* The score with the lowest average FPR at the end. */
static int best_score(const struct sft_results *results)
{
    int best = 0;
    for (int score = 1; score < results->scores; score++)
        if (sft_results_average(results, last_model(results), score).fpr <
            sft_results_average(results, last_model(results), best).fpr)
            best = score;
    return best;
}

static int id_is_positive(const struct sft_results *results)
{
    return strcmp(results->convention->positive, "id") == 0;
}

/* Words and cards */

static const char *direction(double change, const char *up, const char *down)
{
    return change > 5e-5 ? up : change < -5e-5 ? down : "stays";
}

static void add_accuracy_sentence(struct page *page)
{
    const double *accuracy = page->results->accuracy;
    double change = accuracy[SFT_AFTER] - accuracy[SFT_BEFORE];
    if (isnan(accuracy[SFT_BEFORE])) return;
    if (page->results->models < 2)
        sft_text_printf(&page->out,
                        " The model classifies <b>%.2f&nbsp;%%</b> of the in-distribution images correctly.",
                        100 * accuracy[SFT_BEFORE]);
    else if (!isnan(change))
        sft_text_printf(&page->out, " Accuracy on in-distribution images %s from %.2f&nbsp;%% to %.2f&nbsp;%%.",
                        direction(change, "rises", "falls"), 100 * accuracy[SFT_BEFORE], 100 * accuracy[SFT_AFTER]);
}

static void add_summary(struct page *page)
{
    const struct sft_results *results = page->results;
    struct sft_metrics before = sft_results_average(results, SFT_BEFORE, page->lead);
    struct sft_metrics after = sft_results_average(results, last_model(results), page->lead);
    int two = results->models > 1, id = id_is_positive(results);
    sft_text_add(&page->out, "<p class=\"lead\">");
    sft_text_add(&page->out, two ? "After fine-tuning, the " : "The ");
    sft_text_add_escaped(&page->out, title_of(results, page->lead));
    sft_text_printf(&page->out, " score takes <b>%.1f&nbsp;%%</b> of the %s images for %s ones", 100 * after.fpr,
                    id ? "out-of-distribution" : "in-distribution", id ? "in-distribution" : "out-of-distribution");
    if (two) sft_text_printf(&page->out, " instead of %.1f&nbsp;%%", 100 * before.fpr);
    sft_text_printf(&page->out, " when 95&nbsp;%% of the %s images are recognised (average over %d set%s).",
                    id ? "in-distribution" : "out-of-distribution", results->sets, results->sets == 1 ? "" : "s");
    if (two)
        sft_text_printf(&page->out, " Its AUROC %s from %.1f&nbsp;%% to <b>%.1f&nbsp;%%</b>.",
                        direction(after.auroc - before.auroc, "rises", "falls"), 100 * before.auroc, 100 * after.auroc);
    else
        sft_text_printf(&page->out, " Its AUROC is <b>%.1f&nbsp;%%</b>.", 100 * after.auroc);
    add_accuracy_sentence(page);
    sft_text_add(&page->out, "</p>\n");
}

/* `sign` is +1 where more is better, -1 where less is. */
static void add_card(struct page *page, const char *name, double before, double after, int sign)
{
    double change = 100 * (after - before);
    if (isnan(after)) return;
    sft_text_printf(&page->out, "<div class=\"card\"><span>%s</span><b>%.2f&nbsp;%%</b>", name, 100 * after);
    if (page->results->models > 1 && !isnan(before))
        sft_text_printf(&page->out, "<span class=\"%s\">%s%.2f points</span> <span>from %.2f&nbsp;%%</span>",
                        fabs(change) < 0.005 ? "same"
                        : change * sign > 0  ? "good"
                                             : "bad",
                        change < 0 ? "&minus;" : "+", fabs(change), 100 * before);
    sft_text_add(&page->out, "</div>\n");
}

static void add_cards(struct page *page)
{
    const struct sft_results *results = page->results;
    struct sft_metrics before = sft_results_average(results, SFT_BEFORE, page->lead);
    struct sft_metrics after = sft_results_average(results, last_model(results), page->lead);
    sft_text_add(&page->out, "<div class=\"cards\">\n");
    add_card(page, "FPR95, average (lower is better)", before.fpr, after.fpr, -1);
    add_card(page, "AUROC, average (higher is better)", before.auroc, after.auroc, 1);
    add_card(page, "Accuracy on ID images", results->accuracy[SFT_BEFORE], results->accuracy[last_model(results)], 1);
    sft_text_add(&page->out, "</div>\n");
}

/* Table */

static struct sft_metrics cell(const struct sft_results *results, int model, int score, int set)
{
    return set < results->sets ? *sft_results_metrics(results, model, score, set)
                               : sft_results_average(results, model, score);
}

/* Whether this cell is the best of its set over all scores and models, as far as the table shows digits. */
static int is_best(const struct sft_results *results, int set, double value, int of_fpr)
{
    for (int model = 0; model < results->models; model++)
        for (int score = 0; score < results->scores; score++) {
            struct sft_metrics other = cell(results, model, score, set);
            if (of_fpr ? other.fpr < value - 5e-7 : other.auroc > value + 5e-7) return 0;
        }
    return 1;
}

static void add_cell(struct page *page, int set, double value, int of_fpr)
{
    int best = page->results->scores * page->results->models > 1 && is_best(page->results, set, value, of_fpr);
    sft_text_printf(&page->out, "<td%s>%.2f%s</td>", best ? " class=\"best\"" : "", 100 * value,
                    best ? "<span class=\"vh\"> (best)</span>" : "");
}

static void add_table_row(struct page *page, int score, int set)
{
    const struct sft_results *results = page->results;
    int is_mean = set == results->sets;
    sft_text_printf(&page->out, "<tr%s><th scope=\"row\">", is_mean ? " class=\"mean\"" : "");
    sft_text_add_escaped(&page->out, is_mean ? "average" : results->set_names[set]);
    sft_text_add(&page->out, "</th>");
    for (int of_fpr = 1; of_fpr >= 0; of_fpr--)
        for (int model = 0; model < results->models; model++) {
            struct sft_metrics m = cell(results, model, score, set);
            add_cell(page, set, of_fpr ? m.fpr : m.auroc, of_fpr);
        }
    sft_text_add(&page->out, "</tr>\n");
}

static void add_table_head(struct page *page)
{
    const int two = page->results->models > 1;
    sft_text_add(&page->out, "<thead>");
    if (two)
        sft_text_add(&page->out,
                     "<tr><th rowspan=\"2\" scope=\"col\" class=\"left\">OOD set</th><th colspan=\"2\" "
                     "scope=\"colgroup\">FPR95 &darr;</th>"
                     "<th colspan=\"2\" scope=\"colgroup\">AUROC &uarr;</th></tr>\n<tr><th scope=\"col\">before</th>"
                     "<th scope=\"col\">after</th><th scope=\"col\">before</th><th scope=\"col\">after</th></tr>");
    else
        sft_text_add(&page->out, "<tr><th scope=\"col\" class=\"left\">OOD set</th><th scope=\"col\">FPR95 &darr;</th>"
                                 "<th scope=\"col\">AUROC &uarr;</th></tr>");
    sft_text_add(&page->out, "</thead>\n");
}

static void add_table(struct page *page)
{
    const struct sft_results *results = page->results;
    int id = id_is_positive(results);
    sft_text_add(&page->out, "<h2>Scores</h2>\n<div class=\"sheet\"><table>\n");
    sft_text_printf(&page->out,
                    "<caption>In percent. FPR95: share of the %s images taken for %s ones when 95&nbsp;%% of the %s "
                    "images are recognised; lower is better. AUROC: 50 is guessing, 100 is perfect. Green: the best of "
                    "its set.</caption>\n",
                    id ? "OOD" : "ID", id ? "ID" : "OOD", id ? "ID" : "OOD");
    add_table_head(page);
    for (int score = 0; score < results->scores; score++) {
        sft_text_printf(&page->out, "<tbody><tr><th colspan=\"%d\" scope=\"rowgroup\">", 1 + 2 * results->models);
        sft_text_add_escaped(&page->out, title_of(results, score));
        sft_text_add(&page->out, "</th></tr>\n");
        for (int set = 0; set <= results->sets; set++) add_table_row(page, score, set);
        sft_text_add(&page->out, "</tbody>\n");
    }
    sft_text_add(&page->out, "</table></div>\n");
}

/* Charts */

static void add_changes(struct page *page)
{
    static const char *const names[] = {"FPR95, % (lower is better)", "AUROC, % (higher is better)"};
    sft_text_add(&page->out, "<h2>");
    sft_text_add_escaped(&page->out, title_of(page->results, page->lead));
    sft_text_add(&page->out, ", set by set</h2>\n<div class=\"grid two\">\n");
    for (int metric = 0; metric < 2; metric++) {
        sft_text_printf(&page->out, "<figure><figcaption>%s</figcaption>\n", names[metric]);
        sft_chart_change(&page->out, &page->images, page->results, page->lead, (enum sft_chart_metric)metric);
        sft_text_add(&page->out, "</figure>\n");
    }
    sft_text_add(&page->out, "</div>\n");
}

typedef enum sft_status (*set_chart)(struct sft_text *out, int *number, const struct sft_results *results, int score,
                                     int set);

static enum sft_status add_set_charts(struct page *page, int score, set_chart chart)
{
    sft_text_add(&page->out, "<div class=\"grid\">\n");
    for (int set = 0; set < page->results->sets; set++) {
        if (!sft_chart_has_scores(page->results, score, set)) continue;
        sft_text_add(&page->out, "<figure><figcaption>");
        sft_text_add_escaped(&page->out, page->results->set_names[set]);
        sft_text_add(&page->out, "</figcaption>\n");
        SFT_TRY(chart(&page->out, &page->images, page->results, score, set));
        sft_text_add(&page->out, "</figure>\n");
    }
    sft_text_add(&page->out, "</div>\n");
    return SFT_OK;
}

static int has_charts(const struct sft_results *results, int score)
{
    for (int set = 0; set < results->sets; set++)
        if (sft_chart_has_scores(results, score, set)) return 1;
    return 0;
}

static enum sft_status add_score_charts(struct page *page, int score)
{
    if (!has_charts(page->results, score)) return SFT_OK;
    sft_text_printf(&page->out, "<details%s><summary>", score == page->lead ? " open" : "");
    sft_text_add_escaped(&page->out, title_of(page->results, score));
    sft_text_add(&page->out, "</summary>\n<h3>Densities of the scores</h3>\n<div class=\"legend\">"
                             "<span><i class=\"id\"></i>in-distribution</span>"
                             "<span><i class=\"ood\"></i>out-of-distribution</span>");
    if (id_is_positive(page->results))
        sft_text_add(&page->out, "<span><i class=\"taken\"></i>taken for in-distribution</span>"
                                 "<span><i class=\"bar\"></i>95 % of ID score more</span>");
    sft_text_add(&page->out, "</div>\n");
    SFT_TRY(add_set_charts(page, score, sft_chart_densities));
    sft_text_add(&page->out, "<h3>ROC curves</h3>\n");
    if (page->results->models > 1)
        sft_text_add(&page->out, "<div class=\"legend\"><span><i class=\"old\"></i>before</span>"
                                 "<span><i class=\"new\"></i>after</span></div>\n");
    SFT_TRY(add_set_charts(page, score, sft_chart_roc));
    sft_text_add(&page->out, "</details>\n");
    return SFT_OK;
}

static enum sft_status add_results(struct page *page)
{
    int any = 0;
    for (int score = 0; score < page->results->scores; score++) any |= has_charts(page->results, score);
    add_changes(page);
    add_table(page);
    if (any)
        sft_text_add(&page->out, "<h2>How the scores are distributed</h2>\n<p class=\"soft\">The more the two shapes "
                                 "part, the better. Scores grow to the right.</p>\n");
    SFT_TRY(add_score_charts(page, page->lead));
    for (int score = 0; score < page->results->scores; score++)
        if (score != page->lead) SFT_TRY(add_score_charts(page, score));
    return SFT_OK;
}

static enum sft_status add_steps(struct page *page)
{
    if (page->report->steps == 0) return SFT_OK;
    sft_text_printf(&page->out, "<h2>Training</h2>\n<p class=\"soft\">%zu step%s.</p>\n<div class=\"grid\">\n",
                    page->report->steps, page->report->steps == 1 ? "" : "s");
    SFT_TRY(sft_chart_steps(&page->out, &page->images, page->report->steps, page->report->step));
    sft_text_add(&page->out, "</div>\n");
    return SFT_OK;
}

/* Settings */

/* The length of the heading in a key: "options" in "options.lr"; 0 without one. */
static size_t heading(const char *key)
{
    const char *dot = strchr(key, '.');
    return dot && dot[1] != '\0' ? (size_t)(dot - key) : 0;
}

static void add_setting(struct page *page, const struct sft_report_setting *setting, const char *previous)
{
    size_t length = heading(setting->key);
    if (length > 0 && (!previous || heading(previous) != length || strncmp(previous, setting->key, length) != 0)) {
        char name[128];
        snprintf(name, sizeof(name), "%.*s", length > 100 ? 100 : (int)length, setting->key);
        sft_text_add(&page->out, "<tr><th colspan=\"2\" scope=\"rowgroup\">");
        sft_text_add_escaped(&page->out, name);
        sft_text_add(&page->out, "</th></tr>\n");
    }
    sft_text_add(&page->out, "<tr><th scope=\"row\">");
    sft_text_add_escaped(&page->out, setting->key + (length > 0 ? length + 1 : 0));
    sft_text_add(&page->out, "</th><td>");
    sft_text_add_escaped(&page->out, setting->value);
    sft_text_add(&page->out, "</td></tr>\n");
}

static void add_settings(struct page *page)
{
    if (page->report->settings == 0) return;
    sft_text_add(&page->out, "<h2>Settings</h2>\n<details><summary>What was asked, chosen and found</summary>\n"
                             "<table class=\"keys\"><tbody>\n");
    for (size_t i = 0; i < page->report->settings; i++)
        add_setting(page, &page->report->setting[i], i > 0 ? page->report->setting[i - 1].key : NULL);
    sft_text_add(&page->out, "</tbody></table></details>\n");
}

/* Page */

static const char *page_title(const struct page *page)
{
    if (page->report->title) return page->report->title;
    if (!page->results) return "Training run";
    return page->results->models > 1 ? "OOD detection before and after fine-tuning" : "OOD detection";
}

static void add_head(struct page *page)
{
    const char *title = page_title(page);
    sft_text_add(&page->out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                             "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
    sft_text_add_escaped(&page->out, title);
    sft_text_add(&page->out, "</title>\n<style>\n");
    for (const char *const *piece = sft_report_style; *piece; piece++) sft_text_add(&page->out, *piece);
    sft_text_add(&page->out, "</style></head>\n<body><main>\n<h1>");
    sft_text_add_escaped(&page->out, title);
    sft_text_add(&page->out, "</h1>\n");
}

static void add_foot(struct page *page)
{
    sft_text_add(&page->out, "<footer>");
    if (page->results) {
        sft_text_printf(&page->out, "FPR convention <b>%s</b>: ", page->results->convention->name);
        sft_text_add_escaped(&page->out, page->results->convention->summary);
        sft_text_add(&page->out, ". ");
    }
    sft_text_add(&page->out,
                 "Made by sft-vk " SFT_VERSION "; <code>sft-vk report</code> makes this page again from its "
                 "run folder.</footer>\n</main></body></html>\n");
}

static enum sft_status build(struct page *page)
{
    add_head(page);
    if (page->results) {
        page->lead = best_score(page->results);
        add_summary(page);
        add_cards(page);
        SFT_TRY(add_results(page));
    }
    SFT_TRY(add_steps(page));
    add_settings(page);
    add_foot(page);
    return page->out.status;
}

enum sft_status sft_report_write(const struct sft_report *report, const char *path)
{
    struct page page = {.report = report};
    enum sft_status status;
    if (report->results && report->results->models > 0) page.results = report->results;
    status = build(&page);
    if (status == SFT_OK) status = sft_file_write(path, page.out.data, page.out.length);
    sft_text_free(&page.out);
    return status;
}
