/* SPDX-License-Identifier: Apache-2.0 */
/* The printed table. Built whole in memory, so that a row is never torn by a message on the same terminal. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ood/results/results.h"
#include "ood/scores/score.h"
#include "runtime/base/text.h"

enum { CELL = 7, GAP = 2, LABEL = 8 /* " before ", " change ", " 97.5 %" */ };

static void pad(struct sft_text *text, int columns)
{
    for (int i = 0; i < columns; i++) sft_text_add(text, " ");
}

/* A group of columns for each set, and the last one for the average: as wide as the numbers or the name. */
static int column_width(const struct sft_results *results, int set)
{
    struct sft_text name = {0};
    int width;
    sft_text_add_visible(&name, sft_results_set_name(results, set));
    width = name.data ? sft_text_columns(name.data) : 0;
    sft_text_free(&name);
    return width > 2 * CELL ? width : 2 * CELL;
}

/* Right-aligned over its group. */
static void add_column_name(struct sft_text *text, const struct sft_results *results, int set)
{
    struct sft_text name = {0};
    sft_text_add_visible(&name, sft_results_set_name(results, set));
    pad(text, GAP + column_width(results, set) - sft_text_columns(sft_text_string(text, &name)));
    sft_text_append(text, &name);
    sft_text_free(&name);
}

static int name_width(const struct sft_results *results)
{
    int width = 8;
    for (int score = 0; score < results->scores; score++) {
        int columns = sft_text_columns(sft_score_title(results->score_names[score]));
        if (columns > width) width = columns;
    }
    return width;
}

static void add_header(struct sft_text *text, const struct sft_results *results, int indent)
{
    pad(text, indent);
    for (int set = 0; set <= results->sets; set++) add_column_name(text, results, set);
    sft_text_add(text, "\n");
    pad(text, indent);
    for (int set = 0; set <= results->sets; set++) {
        char title[16];
        pad(text, GAP + column_width(results, set) - 2 * CELL);
        for (enum sft_metric metric = 0; metric < SFT_MAIN_METRICS; metric++)
            sft_text_printf(text, "%*s", CELL, sft_results_metric_title(results, metric, title));
    }
    sft_text_add(text, "\n");
}

/* What a row of cells shows of its score. */
enum row { VALUES, CHANGE, LOW, HIGH };

static void add_cells(struct sft_text *text, const struct sft_results *results, int score, int model,
                      enum row row)
{
    for (int set = 0; set <= results->sets; set++) {
        const struct sft_metrics m = sft_results_cell(results, model, score, set);
        const struct sft_metrics before = sft_results_cell(results, SFT_BEFORE, score, set);
        const double pairs[][2] = {[VALUES] = {m.fpr, m.auroc},
                                   [CHANGE] = {m.fpr - before.fpr, m.auroc - before.auroc},
                                   [LOW] = {m.fpr_interval.low, m.auroc_interval.low},
                                   [HIGH] = {m.fpr_interval.high, m.auroc_interval.high}};
        pad(text, GAP + column_width(results, set) - 2 * CELL);
        sft_text_printf(text, row == CHANGE ? "%+*.2f%+*.2f" : "%*.2f%*.2f", CELL, 100 * pairs[row][0], CELL,
                        100 * pairs[row][1]);
    }
    sft_text_add(text, "\n");
}

/* A row of values, and its intervals where there are some. */
static void add_values(struct sft_text *text, const struct sft_results *results, int score, int model,
                       int width)
{
    add_cells(text, results, score, model, VALUES);
    if (!results->measure.replicates) return;
    for (enum row row = LOW; row <= HIGH; row++) {
        pad(text, width);
        sft_text_add(text, row == LOW ? "  2.5 % " : " 97.5 % ");
        add_cells(text, results, score, model, row);
    }
}

static bool has_labels(const struct sft_results *results)
{
    return results->models > 1 || results->measure.replicates;
}

static void add_score(struct sft_text *text, const struct sft_results *results, int score, int width)
{
    static const char *const labels[SFT_MODELS] = {[SFT_BEFORE] = " before ", [SFT_AFTER] = " after  "};
    const char *title = sft_score_title(results->score_names[score]);
    sft_text_add(text, title);
    pad(text, width - sft_text_columns(title));
    for (int model = 0; model < results->models; model++) {
        if (model > 0) pad(text, width);
        if (results->models > 1)
            sft_text_add(text, labels[model]);
        else if (has_labels(results))
            pad(text, LABEL);
        add_values(text, results, score, model, width);
    }
    if (results->models < 2) return;
    pad(text, width);
    sft_text_add(text, " change ");
    add_cells(text, results, score, SFT_AFTER, CHANGE);
}

/* "TITLE  93.00 before, 92.50 after (-0.50)" of what is known of the ID images. */
static void add_id_line(struct sft_text *text, const struct sft_results *results, enum sft_id_metric metric)
{
    double before = sft_results_id_metric(results, metric, SFT_BEFORE);
    double after = sft_results_id_metric(results, metric, SFT_AFTER);
    if (isnan(before)) return;
    sft_text_printf(text, "%s  %.2f", sft_id_metric_rows[metric].title, 100 * before);
    if (results->models > 1 && !isnan(after))
        sft_text_printf(text, " before, %.2f after (%+.2f)", 100 * after, 100 * (after - before));
    sft_text_add(text, "\n");
}

static void add_explanation(struct sft_text *text, const struct sft_results *results)
{
    const bool id = sft_id_is_positive(results->convention);
    char fpr[16];
    sft_text_printf(text,
                    "In percent. %s (lower is better): share of %s images taken for %s when %.4g %% of the "
                    "%s images are\n"
                    "recognised, convention %s. AUROC: higher is better.\n",
                    sft_results_metric_title(results, SFT_FPR, fpr), id ? "OOD" : "ID", id ? "ID" : "OOD",
                    100 * results->measure.recall, id ? "ID" : "OOD", results->convention->name);
    if (results->measure.replicates)
        sft_text_printf(text,
                        "2.5 %% and 97.5 %%: the ends of the 95 %% interval of %d bootstrap replicates.\n",
                        results->measure.replicates);
}

enum sft_status sft_results_print(const struct sft_results *results, FILE *out)
{
    int width = name_width(results);
    struct sft_text text = {0};
    enum sft_status status;
    add_header(&text, results, width + (has_labels(results) ? LABEL : 0));
    for (int score = 0; score < results->scores; score++) add_score(&text, results, score, width);
    for (enum sft_id_metric metric = 0; metric < SFT_ID_METRICS; metric++)
        add_id_line(&text, results, metric);
    add_explanation(&text, results);
    status = sft_text_print(&text, out);
    sft_text_free(&text);
    return status;
}
