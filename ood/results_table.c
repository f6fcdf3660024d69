/* SPDX-License-Identifier: Apache-2.0 */
/* The printed table. Built whole in memory, so that a row is never torn by a message on the same terminal. */
#include <math.h>
#include <string.h>

#include "ood/results.h"
#include "ood/score.h"
#include "ood/text.h"

enum { CELL = 7, GAP = 2, LABEL = 8 /* " before ", " change " */ };

static const char *title_of(const char *score_name)
{
    const struct sft_score *score = sft_score_find(score_name);
    return score ? score->title : score_name;
}

static void pad(struct sft_text *text, int columns)
{
    for (int i = 0; i < columns; i++) sft_text_add(text, " ");
}

/* The metrics of column group `set`; the last group is the average. */
static struct sft_metrics column(const struct sft_results *results, int model, int score, int set)
{
    return set < results->sets ? *sft_results_metrics(results, model, score, set)
                               : sft_results_average(results, model, score);
}

static const char *column_name(const struct sft_results *results, int set)
{
    return set < results->sets ? results->set_names[set] : "average";
}

static int column_width(const struct sft_results *results, int set)
{
    int name = sft_text_columns(column_name(results, set));
    return name > 2 * CELL ? name : 2 * CELL;
}

static int name_width(const struct sft_results *results)
{
    int width = 8;
    for (int score = 0; score < results->scores; score++) {
        int columns = sft_text_columns(title_of(results->score_names[score]));
        if (columns > width) width = columns;
    }
    return width;
}

static void add_header(struct sft_text *text, const struct sft_results *results, int indent)
{
    pad(text, indent);
    for (int set = 0; set <= results->sets; set++) {
        pad(text, GAP + column_width(results, set) - sft_text_columns(column_name(results, set)));
        sft_text_add(text, column_name(results, set));
    }
    sft_text_add(text, "\n");
    pad(text, indent);
    for (int set = 0; set <= results->sets; set++) {
        pad(text, GAP + column_width(results, set) - 2 * CELL);
        sft_text_printf(text, "%*s%*s", CELL, "FPR95", CELL, "AUROC");
    }
    sft_text_add(text, "\n");
}

static void add_cells(struct sft_text *text, const struct sft_results *results, int score, int model, int change)
{
    for (int set = 0; set <= results->sets; set++) {
        struct sft_metrics m = column(results, model, score, set);
        pad(text, GAP + column_width(results, set) - 2 * CELL);
        if (change) {
            struct sft_metrics before = column(results, SFT_BEFORE, score, set);
            sft_text_printf(text, "%+*.2f%+*.2f", CELL, 100 * (m.fpr - before.fpr), CELL,
                            100 * (m.auroc - before.auroc));
        } else {
            sft_text_printf(text, "%*.2f%*.2f", CELL, 100 * m.fpr, CELL, 100 * m.auroc);
        }
    }
    sft_text_add(text, "\n");
}

static void add_score(struct sft_text *text, const struct sft_results *results, int score, int width)
{
    const char *title = title_of(results->score_names[score]);
    sft_text_add(text, title);
    pad(text, width - sft_text_columns(title));
    if (results->models < 2) {
        add_cells(text, results, score, SFT_BEFORE, 0);
        return;
    }
    sft_text_add(text, " before ");
    add_cells(text, results, score, SFT_BEFORE, 0);
    pad(text, width);
    sft_text_add(text, " after  ");
    add_cells(text, results, score, SFT_AFTER, 0);
    pad(text, width);
    sft_text_add(text, " change ");
    add_cells(text, results, score, SFT_AFTER, 1);
}

static void add_accuracy(struct sft_text *text, const struct sft_results *results)
{
    double before = results->accuracy[SFT_BEFORE], after = results->accuracy[SFT_AFTER];
    if (isnan(before)) return;
    sft_text_printf(text, "accuracy on ID  %.2f", 100 * before);
    if (results->models > 1 && !isnan(after))
        sft_text_printf(text, " before, %.2f after (%+.2f)", 100 * after, 100 * (after - before));
    sft_text_add(text, "\n");
}

static void add_explanation(struct sft_text *text, const struct sft_results *results)
{
    int id = strcmp(results->convention->positive, "id") == 0;
    sft_text_printf(
        text,
        "In percent. FPR95 (lower is better): share of %s images taken for %s when 95 %% of the %s images are\n"
        "recognised, convention %s. AUROC: higher is better.\n",
        id ? "OOD" : "ID", id ? "ID" : "OOD", id ? "ID" : "OOD", results->convention->name);
}

enum sft_status sft_results_print(const struct sft_results *results, FILE *out)
{
    int width = name_width(results);
    struct sft_text text = {0};
    enum sft_status status;
    add_header(&text, results, width + (results->models > 1 ? LABEL : 0));
    for (int score = 0; score < results->scores; score++) add_score(&text, results, score, width);
    add_accuracy(&text, results);
    add_explanation(&text, results);
    status = text.status;
    if (status == SFT_OK && (fputs(text.data, out) < 0 || fflush(out) != 0))
        status = sft_fail(SFT_WRITE, "the table could not be printed");
    sft_text_free(&text);
    return status;
}
