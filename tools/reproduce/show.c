/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/reproduce/show.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ood/report/html.h"
#include "runtime/base/json.h"

/* ---- columns ---- */

static int columns_of(const struct sft_measured *measured) { return 2 * (measured->lab->ood.count + 2); }

/* A table of averages shows no single sets; CSV and JSON have them all the same. */
static int first_shown(const struct sft_measured *measured)
{
    return measured->table->averages_only ? 2 * measured->lab->ood.count : 0;
}

/* The set of a column: "average", or "id" for the accuracy. */
static const char *set_of(const struct sft_measured *measured, int column)
{
    int set = column / 2;
    if (set < measured->lab->ood.count) return measured->lab->sets.names[set];
    return set == measured->lab->ood.count ? SFT_AVERAGE_NAME : SFT_ID_NAME;
}

static const char *metric_of(const struct sft_measured *measured, int column)
{
    if (column < 2 * (measured->lab->ood.count + 1)) return sft_metric_rows[column % SFT_MAIN_METRICS].key;
    return column % 2 ? "accuracy_change" : sft_id_metric_rows[SFT_ACCURACY].key;
}

static const char *heading_of(const struct sft_measured *measured, int column)
{
    if (column < 2 * (measured->lab->ood.count + 1)) return column % 2 ? "AUROC" : "FPR95";
    return column % 2 ? "change" : "accuracy";
}

/* ---- lines of a row ---- */

enum line { MEAN, DEVIATION, PUBLISHED, DIFFERENCE, LINES };
static const char *const line_names[LINES] = {"measured", "deviation", "paper", "difference"};

static double value_of(const struct sft_cell *cell, enum line line)
{
    const double values[LINES] = {[MEAN] = cell->mean,
                                  [DEVIATION] = cell->deviation,
                                  [PUBLISHED] = cell->published,
                                  [DIFFERENCE] = cell->mean - cell->published};
    return values[line];
}

static bool has_line(const struct sft_measured *measured, const struct sft_measured_row *row, enum line line)
{
    for (int c = first_shown(measured); c < columns_of(measured); c++)
        if (!isnan(value_of(&row->cells[c], line))) return true;
    return line == MEAN;
}

static void format_value(double value, bool sign, char text[16])
{
    if (isnan(value))
        snprintf(text, 16, "-");
    else
        snprintf(text, 16, sign ? "%+.2f" : "%.2f", value);
}

static bool is_signed(const struct sft_measured *measured, int column, enum line line)
{
    return line == DIFFERENCE || (column == columns_of(measured) - 1 && line != DEVIATION);
}

/* Whether rows of more than one model have to be told apart. */
static bool has_models(const struct sft_measured *measured)
{
    for (size_t i = 1; i < measured->count; i++)
        if (strcmp(measured->rows[i].row->model, measured->rows[0].row->model) != 0) return true;
    return false;
}

static void row_name(const struct sft_measured *measured, const struct sft_measured_row *row, char text[128])
{
    if (has_models(measured))
        snprintf(text, 128, "%s: %s", row->row->model, row->row->name);
    else
        snprintf(text, 128, "%s", row->row->name);
}

/* ---- for people ---- */

enum { CELL = 8, LABEL = 12 };

static void add_padded(struct sft_text *out, const char *text, int width)
{
    sft_text_add(out, text);
    for (int i = sft_text_columns(text); i < width; i++) sft_text_add(out, " ");
}

static int name_width(const struct sft_measured *measured)
{
    char name[128];
    int width = 0;
    for (size_t i = 0; i < measured->count; i++) {
        row_name(measured, &measured->rows[i], name);
        if (sft_text_columns(name) > width) width = sft_text_columns(name);
    }
    return width + 2;
}

/* Sets over pairs of columns, as far as there is room. */
static void add_headings(const struct sft_measured *measured, int width, struct sft_text *out)
{
    char name[2 * CELL];
    add_padded(out, "", width + LABEL);
    for (int c = first_shown(measured); c < columns_of(measured); c += 2) {
        sft_text_shorten(name, sizeof(name), c < columns_of(measured) - 2 ? set_of(measured, c) : "",
                         2 * CELL - 1);
        for (int i = sft_text_columns(name); i < 2 * CELL; i++) sft_text_add(out, " ");
        sft_text_add(out, name);
    }
    sft_text_add(out, "\n");
    add_padded(out, "", width + LABEL);
    for (int c = first_shown(measured); c < columns_of(measured); c++)
        sft_text_printf(out, "%*s", CELL + (c == columns_of(measured) - 2), heading_of(measured, c));
    sft_text_add(out, "\n");
}

static void add_line(const struct sft_measured *measured, const struct sft_measured_row *row, enum line line,
                     struct sft_text *out)
{
    char text[16];
    for (int c = first_shown(measured); c < columns_of(measured); c++) {
        format_value(value_of(&row->cells[c], line), is_signed(measured, c, line), text);
        sft_text_printf(out, "%*s", CELL + (c == columns_of(measured) - 2), text);
    }
    sft_text_add(out, "\n");
}

static int most_seeds(const struct sft_measured *measured)
{
    int most = 0;
    for (size_t i = 0; i < measured->count; i++)
        for (int c = 0; c < columns_of(measured); c++)
            if (measured->rows[i].cells[c].n > most) most = measured->rows[i].cells[c].n;
    return most;
}

static void add_remarks(const struct sft_measured *measured, struct sft_text *out)
{
    int seeds = most_seeds(measured);
    sft_text_add(out, "Percent.");
    if (seeds > 1) sft_text_printf(out, " Fine-tuned rows: mean and standard deviation of %d seeds.", seeds);
    if (measured->lab->job->limit)
        sft_text_printf(out, " Only the first %" PRId64 " images of each set.", measured->lab->job->limit);
    if (measured->lab->job->steps)
        sft_text_printf(out, " No fine-tuning has more than %" PRId64 " steps.", measured->lab->job->steps);
    if (measured->table->remark) sft_text_printf(out, " Note: %s.", measured->table->remark);
}

static void add_title(const struct sft_measured *measured, const char *mark, struct sft_text *out)
{
    sft_text_printf(out, "%s%s: %s\n\n", mark, measured->table->name, measured->table->title);
    add_remarks(measured, out);
    sft_text_add(out, "\n\n");
}

void sft_measured_text(const struct sft_measured *measured, struct sft_text *out)
{
    int width = name_width(measured);
    char name[128];
    add_title(measured, "", out);
    add_headings(measured, width, out);
    for (size_t i = 0; i < measured->count; i++) {
        row_name(measured, &measured->rows[i], name);
        for (enum line line = MEAN; line < LINES; line++) {
            if (!has_line(measured, &measured->rows[i], line)) continue;
            add_padded(out, line == MEAN ? name : "", width);
            add_padded(out, line_names[line], LABEL);
            add_line(measured, &measured->rows[i], line, out);
        }
    }
    sft_text_add(out, "\n");
}

static void add_markdown_line(const struct sft_measured *measured, const struct sft_measured_row *row,
                              enum line line, struct sft_text *out)
{
    char name[128], text[16];
    row_name(measured, row, name);
    sft_text_printf(out, "| %s | %s |", line == MEAN ? name : "", line_names[line]);
    for (int c = first_shown(measured); c < columns_of(measured); c++) {
        format_value(value_of(&row->cells[c], line), is_signed(measured, c, line), text);
        sft_text_printf(out, " %s |", text);
    }
    sft_text_add(out, "\n");
}

void sft_measured_markdown(const struct sft_measured *measured, struct sft_text *out)
{
    int last = columns_of(measured);
    add_title(measured, "### ", out);
    sft_text_add(out, "| row | |");
    for (int c = first_shown(measured); c < last; c++)
        sft_text_printf(out, " %s%s%s |", c < last - 2 ? set_of(measured, c) : "", c < last - 2 ? " " : "",
                        heading_of(measured, c));
    sft_text_add(out, "\n| --- | --- |");
    for (int c = first_shown(measured); c < last; c++) sft_text_add(out, " ---: |");
    sft_text_add(out, "\n");
    for (size_t i = 0; i < measured->count; i++)
        for (enum line line = MEAN; line < LINES; line++)
            if (has_line(measured, &measured->rows[i], line))
                add_markdown_line(measured, &measured->rows[i], line, out);
    sft_text_add(out, "\n");
}

/* ---- for a browser ---- */

/* The deviation stands beneath its mean and has no line of its own. */
static bool has_html_line(const struct sft_measured *measured, const struct sft_measured_row *row,
                          enum line line)
{
    return line != DEVIATION && has_line(measured, row, line);
}

static void add_html_head(const struct sft_measured *measured, struct sft_text *out)
{
    const int first = first_shown(measured), last = columns_of(measured);
    sft_text_add(out, "<thead><tr><th class=\"first\" rowspan=\"2\" scope=\"col\">Row</th><th rowspan=\"2\" "
                      "scope=\"col\">Number</th>");
    for (int c = first; c < last; c += 2) {
        sft_text_add(out, "<th class=\"group\" colspan=\"2\" scope=\"colgroup\">");
        sft_html_add_breakable(out, c < last - 2 ? set_of(measured, c) : "ID images");
        sft_text_add(out, "</th>");
    }
    sft_text_add(out, "</tr>\n<tr>");
    for (int c = first; c < last; c++)
        sft_text_printf(out, "<th class=\"metric%s\" scope=\"col\">%s</th>", c % 2 ? "" : " group",
                        heading_of(measured, c));
    sft_text_add(out, "</tr></thead>\n");
}

static void add_html_line(const struct sft_measured *measured, const struct sft_measured_row *row,
                          enum line line, struct sft_text *out)
{
    char text[16];
    sft_text_printf(out, "<th scope=\"row\">%s</th>", line_names[line]);
    for (int c = first_shown(measured); c < columns_of(measured); c++) {
        const struct sft_cell *cell = &row->cells[c];
        format_value(value_of(cell, line), is_signed(measured, c, line), text);
        sft_text_printf(out, "<td%s>%s", c % 2 ? "" : " class=\"group\"", text);
        if (line == MEAN && !isnan(cell->deviation))
            sft_text_printf(out, "<small>&plusmn;%.2f<span class=\"vh\"> over the seeds</span></small>",
                            cell->deviation);
        sft_text_add(out, "</td>");
    }
    sft_text_add(out, "</tr>\n");
}

static void add_html_row(const struct sft_measured *measured, const struct sft_measured_row *row,
                         struct sft_text *out)
{
    char name[128];
    int lines = 0;
    row_name(measured, row, name);
    for (enum line line = MEAN; line < LINES; line++) lines += has_html_line(measured, row, line);
    sft_text_printf(out, "<tbody><tr><th class=\"first\" scope=\"rowgroup\" rowspan=\"%d\">", lines);
    sft_html_add_breakable(out, name);
    sft_text_add(out, "</th>");
    for (enum line line = MEAN; line < LINES; line++) {
        if (!has_html_line(measured, row, line)) continue;
        if (line != MEAN) sft_text_add(out, "<tr class=\"old\">");
        add_html_line(measured, row, line, out);
    }
    sft_text_add(out, "</tbody>\n");
}

void sft_measured_html(const struct sft_measured *measured, struct sft_text *out)
{
    const struct sft_table *table = measured->table;
    struct sft_text remarks = {0};
    add_remarks(measured, &remarks);
    sft_text_printf(out, "<section aria-labelledby=\"%s\"><h2 id=\"%s\">%s: ", table->name, table->name,
                    table->name);
    sft_text_add_escaped(out, table->title);
    sft_text_add(out, "</h2>\n<p class=\"soft\">");
    sft_text_add_escaped(out, sft_text_string(out, &remarks));
    sft_text_add(out, "</p>\n<div class=\"sheet\">");
    sft_html_open_scroll(out, table->title);
    sft_text_printf(out, "<table class=\"scores\" aria-labelledby=\"%s\">\n", table->name);
    add_html_head(measured, out);
    for (size_t i = 0; i < measured->count; i++) add_html_row(measured, &measured->rows[i], out);
    sft_text_add(out, "</table></div></div></section>\n");
    sft_text_free(&remarks);
}

/* ---- for programs ---- */

static void add_fraction(struct sft_text *out, double percent)
{
    sft_text_add(out, ",");
    if (!isnan(percent)) sft_text_printf(out, "%.6g", percent / 100);
}

void sft_measured_csv(const struct sft_measured *measured, struct sft_text *out)
{
    if (out->length == 0)
        sft_text_add(
            out, "table,model,row,score,tuning,steps,set,metric,seeds,mean,deviation,published,difference\n");
    for (size_t i = 0; i < measured->count; i++)
        for (int c = 0; c < columns_of(measured); c++) {
            const struct sft_measured_row *row = &measured->rows[i];
            const char *const fields[] = {measured->table->name, row->row->model, row->row->name,
                                          row->row->score, row->row->tuning ? row->row->tuning->name : ""};
            for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
                sft_text_add_csv(out, fields[f]);
                sft_text_add(out, ",");
            }
            sft_text_printf(out, "%" PRId64 ",", row->steps);
            sft_text_add_csv(out, set_of(measured, c));
            sft_text_printf(out, ",%s,%d", metric_of(measured, c), row->cells[c].n);
            for (enum line line = MEAN; line < LINES; line++)
                add_fraction(out, value_of(&row->cells[c], line));
            sft_text_add(out, "\n");
        }
}

static void add_cell_json(const struct sft_cell *cell, const char *metric, struct sft_json *json)
{
    sft_json_object(json, metric);
    sft_json_integer(json, "seeds", cell->n);
    sft_json_real(json, "mean", cell->mean / 100);
    sft_json_real(json, "deviation", cell->deviation / 100);
    sft_json_real(json, "published", cell->published / 100);
    sft_json_end(json);
}

/* A set has two columns. */
static void add_cells_json(const struct sft_measured *measured, const struct sft_measured_row *row,
                           struct sft_json *json)
{
    sft_json_object(json, "sets");
    for (int c = 0; c < columns_of(measured); c += 2) {
        sft_json_object(json, set_of(measured, c));
        add_cell_json(&row->cells[c], metric_of(measured, c), json);
        add_cell_json(&row->cells[c + 1], metric_of(measured, c + 1), json);
        sft_json_end(json);
    }
    sft_json_end(json);
}

static void add_row_json(const struct sft_measured *measured, const struct sft_measured_row *row,
                         struct sft_json *json)
{
    sft_json_object(json, NULL);
    sft_json_text(json, "model", row->row->model);
    sft_json_text(json, "row", row->row->name);
    sft_json_text(json, "score", row->row->score);
    sft_json_text(json, "tuning", row->row->tuning ? row->row->tuning->name : NULL);
    sft_json_integer(json, "steps", row->steps);
    add_cells_json(measured, row, json);
    sft_json_end(json);
}

void sft_measured_json(const struct sft_measured *measured, struct sft_json *json)
{
    sft_json_object(json, NULL);
    sft_json_text(json, "name", measured->table->name);
    sft_json_text(json, "title", measured->table->title);
    sft_json_text(json, "remark", measured->table->remark);
    sft_json_array(json, "rows");
    for (size_t i = 0; i < measured->count; i++) add_row_json(measured, &measured->rows[i], json);
    sft_json_end(json);
    sft_json_end(json);
}
