/* SPDX-License-Identifier: Apache-2.0 */
/* The page: its frame, its parts in order, and what it says in words. */
#include "ood/report/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ood/report/figures.h"
#include "ood/report/html.h"
#include "ood/report/page.h"
#include "ood/report/table.h"
#include "ood/results/run_files.h"
#include "ood/scores/score.h"
#include "runtime/base/file.h"
#include "runtime/base/path.h"

#define MINUS "\xe2\x88\x92" /* U+2212 */

static int last_model(const struct sft_results *results) { return results->models - 1; }

/* The value of a setting; NULL where it is not known. */
static const char *setting(const struct sft_report *report, const char *key)
{
    for (size_t i = 0; i < report->settings; i++)
        if (strcmp(report->setting[i].key, key) == 0) return report->setting[i].value;
    return NULL;
}

/* ---- words ---- */

static const char *direction(double change)
{
    return change > 5e-5 ? "rises" : change < -5e-5 ? "falls" : "stays";
}

static void add_start(struct sft_page *page)
{
    const struct sft_report *report = page->report;
    if (page->results->models < 2)
        sft_text_add(&page->out, "The ");
    else if (report->seeds)
        sft_text_printf(&page->out, "After fine-tuning, on average over <b>%d seed%s</b>, the ",
                        report->seeds->n, report->seeds->n == 1 ? "" : "s");
    else if (report->steps > 0)
        sft_text_printf(&page->out, "After <b>%lld step%s</b> of fine-tuning, the ",
                        (long long)report->step[report->steps - 1].step,
                        report->step[report->steps - 1].step == 1 ? "" : "s");
    else
        sft_text_add(&page->out, "After fine-tuning, the ");
}

/* FPR in words, by the convention's positive kind. */
static void add_fpr_sentence(struct sft_page *page, double before, double after)
{
    const struct sft_results *results = page->results;
    const bool id = sft_id_is_positive(results->convention);
    static const char *const kinds[] = {"out-of-distribution", "in-distribution"};
    add_start(page);
    sft_text_add_escaped(&page->out, sft_score_title(results->score_names[page->lead]));
    sft_text_printf(&page->out, " score takes <b>%.1f&nbsp;%%</b> of the %s images for %s ones", 100 * after,
                    kinds[!id], kinds[id]);
    if (results->models > 1) sft_text_printf(&page->out, " instead of %.1f&nbsp;%%", 100 * before);
    sft_text_printf(
        &page->out, " when %.4g&nbsp;%% of the %s images are recognised (%s, averaged over %d set%s).",
        100 * results->measure.recall, kinds[id], page->fpr, results->sets, results->sets == 1 ? "" : "s");
}

static void add_auroc_sentence(struct sft_page *page, double before, double after)
{
    if (page->results->models > 1)
        sft_text_printf(&page->out, " Its AUROC %s from %.1f&nbsp;%% to <b>%.1f&nbsp;%%</b>.",
                        direction(after - before), 100 * before, 100 * after);
    else
        sft_text_printf(&page->out, " Its AUROC is <b>%.1f&nbsp;%%</b>.", 100 * after);
}

static void add_accuracy_sentence(struct sft_page *page)
{
    const double before = page->results->accuracy[SFT_BEFORE];
    const double after = page->results->accuracy[last_model(page->results)];
    if (isnan(before) || isnan(after)) return;
    if (page->results->models < 2)
        sft_text_printf(&page->out,
                        " The model classifies <b>%.1f&nbsp;%%</b> of the in-distribution images correctly.",
                        100 * before);
    else
        sft_text_printf(&page->out,
                        " Accuracy on in-distribution images %s from %.1f&nbsp;%% to <b>%.1f&nbsp;%%</b>.",
                        direction(after - before), 100 * before, 100 * after);
}

/* On how many sets FPR fell, and where it did not. An average alone would hide it. */
static void add_sets_sentence(struct sft_page *page)
{
    const struct sft_results *results = page->results;
    int worse = 0, named = 0;
    if (results->models < 2 || results->sets < 2) return;
    for (int set = 0; set < results->sets; set++)
        worse += sft_results_metrics(results, SFT_AFTER, page->lead, set)->fpr >
                 sft_results_metrics(results, SFT_BEFORE, page->lead, set)->fpr + 5e-5;
    if (worse == 0) {
        sft_text_printf(&page->out, " No set became worse in %s.", page->fpr);
        return;
    }
    sft_text_printf(&page->out, " In %s, %d of %d sets became worse", page->fpr, worse, results->sets);
    for (int set = 0; set < results->sets && worse < 4; set++) {
        if (sft_results_metrics(results, SFT_AFTER, page->lead, set)->fpr <=
            sft_results_metrics(results, SFT_BEFORE, page->lead, set)->fpr + 5e-5)
            continue;
        sft_text_add(&page->out, named++ ? ", " : ": ");
        sft_text_add_escaped(&page->out, results->set_names[set]);
    }
    sft_text_add(&page->out, ".");
}

static void add_best_sentence(struct sft_page *page)
{
    const struct sft_results *results = page->results;
    int best = page->lead;
    for (int score = 0; score < results->scores; score++)
        if (sft_results_average(results, last_model(results), score).fpr <
            sft_results_average(results, last_model(results), best).fpr)
            best = score;
    if (best == page->lead) return;
    sft_text_add(&page->out, " Of all scores ");
    sft_text_add_escaped(&page->out, sft_score_title(results->score_names[best]));
    sft_text_printf(&page->out, " has the lowest %s, %.1f&nbsp;%%.", page->fpr,
                    100 * sft_results_average(results, last_model(results), best).fpr);
}

static void add_summary(struct sft_page *page)
{
    const struct sft_metrics before = sft_results_average(page->results, SFT_BEFORE, page->lead);
    const struct sft_metrics after =
        sft_results_average(page->results, last_model(page->results), page->lead);
    sft_text_add(&page->out, "<p class=\"lead\">");
    add_fpr_sentence(page, before.fpr, after.fpr);
    add_auroc_sentence(page, before.auroc, after.auroc);
    add_accuracy_sentence(page);
    add_sets_sentence(page);
    add_best_sentence(page);
    sft_text_add(&page->out, "</p>\n");
}

/* A number that stands for the run. */
struct card {
    const char *name;
    double before, after;
    struct sft_interval spread;
    int sign; /* +1 where more is better, -1 where less is */
};

static void add_card_change(struct sft_page *page, const struct card *card)
{
    static const struct {
        const char *class_name, *words;
    } kinds[] = {{"same", ""}, {"good", ", better"}, {"bad", ", worse"}};
    const double change = 100 * (card->after - card->before);
    const int kind = fabs(change) < 0.005 ? 0 : change * card->sign > 0 ? 1 : 2;
    sft_text_printf(&page->out, "<span class=\"%s\">%s%.2f points%s</span> <span>from %.2f&nbsp;%%</span>",
                    kinds[kind].class_name, change < 0 ? MINUS : "+", fabs(change), kinds[kind].words,
                    100 * card->before);
}

static void add_card(struct sft_page *page, const struct card *card)
{
    if (isnan(card->after)) return;
    sft_text_printf(&page->out, "<div class=\"card\"><span>%s (%s is better)</span><b>%.2f&nbsp;%%</b>",
                    card->name, card->sign > 0 ? "higher" : "lower", 100 * card->after);
    sft_page_add_spread(page, card->spread, true);
    if (page->results->models > 1 && !isnan(card->before)) add_card_change(page, card);
    sft_text_add(&page->out, "</div>\n");
}

static void add_average_card(struct sft_page *page, enum sft_metric metric)
{
    const struct sft_results *results = page->results;
    struct sft_metrics before = sft_results_average(results, SFT_BEFORE, page->lead);
    struct sft_metrics after = sft_results_average(results, last_model(results), page->lead);
    char title[16], name[32];
    snprintf(name, sizeof(name), "%s, average", sft_results_metric_title(results, metric, title));
    add_card(page, &(struct card){.name = name,
                                  .before = *sft_metric_in(&before, metric),
                                  .after = *sft_metric_in(&after, metric),
                                  .spread = *sft_metric_interval_in(&after, metric),
                                  .sign = sft_metric_rows[metric].sign});
}

static void add_id_card(struct sft_page *page, enum sft_id_metric metric)
{
    static const char *const names[SFT_ID_METRICS] = {
        [SFT_ACCURACY] = "Accuracy on ID", [SFT_ECE] = "Calibration error"};
    const struct sft_results *results = page->results;
    add_card(page, &(struct card){.name = names[metric],
                                  .before = sft_results_id_metric(results, metric, SFT_BEFORE),
                                  .after = sft_results_id_metric(results, metric, last_model(results)),
                                  .spread = sft_page_interval_of_seeds(page, metric),
                                  .sign = sft_id_metric_rows[metric].sign});
}

static void add_cards(struct sft_page *page)
{
    sft_text_add(&page->out, "<div class=\"cards\">\n");
    for (enum sft_metric metric = 0; metric < SFT_MAIN_METRICS; metric++) add_average_card(page, metric);
    for (enum sft_id_metric metric = 0; metric < SFT_ID_METRICS; metric++) add_id_card(page, metric);
    sft_text_add(&page->out, "</div>\n");
}

static void add_how_to_read(struct sft_page *page)
{
    const struct sft_convention *convention = page->results->convention;
    const bool id = sft_id_is_positive(convention);
    const double recall = 100 * page->results->measure.recall;
    sft_text_printf(
        &page->out,
        "<h3>How to read this</h3>\n<p>A score is a number for each image, higher for what looks like the "
        "images that the model was trained on (in-distribution, ID) and lower for others "
        "(out-of-distribution, OOD). %s is the share of %s images on the wrong side of the threshold "
        "that puts %.4g&nbsp;%% of the %s images on the right one: 0 is perfect, %.4g is guessing. AUROC "
        "is the probability that an ID image scores higher than an OOD image: 100 is perfect, 50 is "
        "guessing. Both are in percent. In the densities, the more the two shapes part, the better. %s is "
        "by the convention <b>%s</b>: ",
        page->fpr, id ? "OOD" : "ID", recall, id ? "ID" : "OOD", recall, page->fpr, convention->name);
    sft_text_add_escaped(&page->out, convention->summary);
    sft_text_add(&page->out, ". Numbers by other conventions are not comparable.");
    if (!isnan(page->results->ece[SFT_BEFORE]))
        sft_text_add(&page->out,
                     " The calibration error (ECE) is by how much the model&rsquo;s confidence in its "
                     "classes differs from how often it is right, on average over the in-distribution "
                     "images: 0 is perfect.");
    sft_text_add(&page->out, "</p>\n");
}

/* ---- frame ---- */

static const char *page_title(const struct sft_page *page)
{
    if (page->report->title) return page->report->title;
    if (!page->results) return "Training run";
    if (page->report->seeds) return "OOD detection before and after fine-tuning with several seeds";
    return page->results->models > 1 ? "OOD detection before and after fine-tuning" : "OOD detection";
}

/* Model, device and date in a line, as far as the settings tell them. */
static void add_facts(struct sft_page *page)
{
    static const struct {
        const char *key, *words;
    } facts[] = {
        {"architecture", ""},
        {"options.optimizer", "optimiser "},
        {"id_data.spec", "trained on "},
        {"device.name", ""},
        {"device.driver", ""},
        {"started", ""},
    };
    int any = 0;
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        const char *value = setting(page->report, facts[i].key);
        if (!value || !*value) continue;
        sft_text_printf(&page->out, "%s<span>%s", any ? " &middot; " : "<p class=\"facts\">", facts[i].words);
        sft_text_add_escaped(&page->out, value);
        sft_text_add(&page->out, "</span>");
        any = 1;
    }
    if (any) sft_text_add(&page->out, "</p>\n");
}

/* A part of the page: where it stands, whether there is something to show, and what makes it. */
struct section {
    const char *id, *title;
    int (*wanted)(const struct sft_page *page);
    enum sft_status (*make)(struct sft_page *page);
};

static int has_results(const struct sft_page *page) { return page->results != NULL; }
static int has_seeds(const struct sft_page *page) { return page->report->seeds != NULL; }
static int has_steps(const struct sft_page *page) { return page->report->steps > 0; }
static int has_settings(const struct sft_page *page) { return page->report->settings > 0; }

static int has_examples(const struct sft_page *page)
{
    return page->report->examples && page->report->examples->sets > 0;
}

static int has_densities(const struct sft_page *page)
{
    for (int score = 0; page->results && score < page->results->scores; score++)
        if (sft_page_has_densities(page->results, score)) return 1;
    return 0;
}

static enum sft_status make_scores(struct sft_page *page)
{
    sft_page_scores(page);
    add_how_to_read(page);
    return SFT_OK;
}

static enum sft_status make_seeds(struct sft_page *page)
{
    sft_page_seeds(page);
    return SFT_OK;
}

static enum sft_status make_examples(struct sft_page *page)
{
    sft_page_examples(page);
    return SFT_OK;
}

static enum sft_status make_settings(struct sft_page *page)
{
    sft_page_settings(page);
    return SFT_OK;
}

static const struct section sections[] = {
    {"sets", "Set by set", has_results, sft_page_changes},
    {"scores", "Scores", has_results, make_scores},
    {"seeds", "Seeds", has_seeds, make_seeds},
    {"densities", "Distributions", has_densities, sft_page_densities},
    {"images", "Images", has_examples, make_examples},
    {"training", "Training", has_steps, sft_page_training},
    {"settings", "Settings", has_settings, make_settings},
};
enum { SECTIONS = sizeof(sections) / sizeof(sections[0]) };

static void add_navigation(struct sft_page *page)
{
    sft_text_add(&page->out, "<nav aria-label=\"On this page\"><ul>\n");
    for (int i = 0; i < SECTIONS; i++)
        if (sections[i].wanted(page))
            sft_text_printf(&page->out, "<li><a href=\"#%s\">%s</a></li>\n", sections[i].id,
                            sections[i].title);
    if (page->report->csv) {
        const struct sft_text csv = {.data = (char *)page->report->csv, .length = strlen(page->report->csv)};
        sft_text_add(&page->out, "<li>");
        sft_page_add_download(&page->out, page->report->seeds ? SFT_FILE_SEEDS_CSV : SFT_FILE_RESULTS_CSV,
                              "Save the results as CSV", &csv);
        sft_text_add(&page->out, "</li>\n");
    }
    sft_text_add(&page->out, "</ul></nav>\n");
}

static void add_head(struct sft_page *page)
{
    sft_html_begin(&page->out, page_title(page));
    add_facts(page);
    add_navigation(page);
    sft_html_main(&page->out);
}

#define FOOTER "<code>sft-vk report</code> makes this page again from its run folder."

static void add_foot(struct sft_page *page)
{
    sft_html_end(
        &page->out,
        page->plots.count > 0
            ? "Every chart is in the run&rsquo;s folder <code>plots</code> as a picture and as CSV. " FOOTER
            : FOOTER);
}

static enum sft_status build(struct sft_page *page)
{
    add_head(page);
    if (page->results) {
        add_summary(page);
        add_cards(page);
    }
    for (int i = 0; i < SECTIONS; i++) {
        if (!sections[i].wanted(page)) continue;
        sft_text_printf(&page->out, "<section aria-labelledby=\"%s\"><h2 id=\"%s\">%s</h2>\n", sections[i].id,
                        sections[i].id, sections[i].title);
        SFT_TRY(sections[i].make(page));
        sft_text_add(&page->out, "</section>\n");
    }
    add_foot(page);
    return page->out.status;
}

static enum sft_status write_page(const struct sft_page *page, const char *folder)
{
    char *path = sft_path_join(folder, SFT_FILE_REPORT);
    enum sft_status status = path ? sft_file_write(path, page->out.data, page->out.length) : SFT_MEMORY;
    free(path);
    return status == SFT_OK ? sft_plots_write(&page->plots, folder) : status;
}

enum sft_status sft_report_write(const struct sft_report *report, const char *folder)
{
    struct sft_page page = {.report = report};
    enum sft_status status;
    if (report->results && report->results->models > 0) page.results = report->results;
    if (page.results) {
        page.lead = sft_results_lead(page.results);
        sft_results_metric_title(page.results, SFT_FPR, page.fpr);
    }
    status = build(&page);
    if (status == SFT_OK) status = write_page(&page, folder);
    sft_plots_free(&page.plots);
    sft_text_free(&page.out);
    return status;
}
