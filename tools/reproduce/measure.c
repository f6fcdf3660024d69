/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/reproduce/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/json.h"
#include "tools/reproduce/tuning.h"

/* ---- what a row takes ---- */

static struct sft_state as_it_is(const struct sft_lab_model *model)
{
    return (struct sft_state){.model = model};
}

/* Steps of a row, its epochs counted in the batches that --tune may set, and none more than --steps. */
static enum sft_status steps_of(const struct sft_lab *lab, const struct sft_table_row *row, int64_t *steps)
{
    const int64_t most = lab->values->steps;
    *steps = row->steps;
    if (row->steps < 0) {
        struct sft_tuning tuning;
        struct sft_state state = {sft_lab_model(lab, row->model), row->tuning, 1, 0};
        enum sft_status status = sft_tuning_parse(lab, state, 1, &state.steps, &tuning);
        if (status == SFT_OK) {
            int64_t batch = sft_tuning_values(&tuning)->batch, images = sft_dataset_count(lab->train_set);
            *steps = -row->steps * ((images + batch - 1) / batch);
        }
        sft_tuning_free(&tuning);
        SFT_TRY(status);
    }
    if (most && *steps > most) *steps = most;
    return SFT_OK;
}

/* Why a row cannot be computed, NULL where it can. */
static const char *why_left_out(const struct sft_lab *lab, const struct sft_table_row *row)
{
    if (!sft_lab_model(lab, row->model)) return ""; /* has been told of the model */
    if (!sft_score_find(row->score)) return "this build has no such score";
    if (row->steps < 0 && !lab->values->epochs) return "whole epochs are for --epochs";
    return NULL;
}

static int seeds_of(const struct sft_lab *lab, const struct sft_table_row *row)
{
    return row->tuning ? (int)lab->values->seeds : 1;
}

enum sft_status sft_table_plan(struct sft_lab *lab, const struct sft_table *table, struct sft_plan *plan)
{
    for (const struct sft_table_row *row = table->rows; row->model; row++) {
        struct sft_state state = as_it_is(sft_lab_model(lab, row->model));
        const struct sft_score *score = sft_score_find(row->score);
        const char *why = why_left_out(lab, row);
        if (why && *why) sft_lab_note(lab, "%s: no row %s: %s", table->name, row->name, why);
        if (why) continue;
        SFT_TRY(sft_plan_add(plan, state, score)); /* for the change of accuracy, too */
        state.tuning = row->tuning;
        SFT_TRY(steps_of(lab, row, &state.steps));
        for (; state.seed < seeds_of(lab, row); state.seed++) SFT_TRY(sft_plan_add(plan, state, score));
    }
    return SFT_OK;
}

/* ---- cells ---- */

/* Percent of a fraction; NaN where there is none. */
static double percent(const json_t *value) { return 100 * sft_json_number(value); }

static void read_values(const struct sft_lab *lab, const json_t *metrics, const json_t *before,
                        const char *score, double values[SFT_CELL_COLUMNS])
{
    const json_t *sets = json_object_get(json_object_get(metrics, "scores"), score);
    for (int set = 0; set <= lab->sets.sets; set++) {
        const json_t *cell =
            json_object_get(sets, set < lab->sets.sets ? lab->sets.names[set] : SFT_AVERAGE_NAME);
        for (int m = 0; m < SFT_MAIN_METRICS; m++)
            values[SFT_MAIN_METRICS * set + m] = percent(json_object_get(cell, sft_metric_rows[m].key));
    }
    values += 2 * (lab->sets.sets + 1);
    values[0] = percent(json_object_get(metrics, sft_id_metric_rows[SFT_ACCURACY].key));
    values[1] = values[0] - percent(json_object_get(before, sft_id_metric_rows[SFT_ACCURACY].key));
}

/* Mean and sample standard deviation of what is known. */
static void summarise(const double *values, int n, struct sft_cell *cell)
{
    double sum = 0, squares = 0;
    cell->n = 0;
    for (int i = 0; i < n; i++) {
        if (isnan(values[i])) continue;
        sum += values[i];
        cell->n++;
    }
    cell->mean = cell->n ? sum / cell->n : NAN;
    for (int i = 0; i < n; i++)
        if (!isnan(values[i])) squares += (values[i] - cell->mean) * (values[i] - cell->mean);
    cell->deviation = cell->n > 1 ? sqrt(squares / (cell->n - 1)) : NAN;
}

static double printed(double value) { return value == 0 ? NAN : value; }

/* Where columns are missing, the average is that of the columns that are there. */
static double published_average(const struct sft_lab *lab, const struct sft_table_row *row, int metric)
{
    const struct sft_set_places *sets = lab->experiment->collection->sets;
    double sum = 0;
    int all = 0;
    while (all < SFT_TABLE_MAX_SETS && sets[all].name) all++;
    if (lab->ood.count == all) return printed(row->average[metric]);
    for (int i = 0; i < lab->ood.count; i++) sum += row->sets[2 * lab->set_numbers[i] + metric];
    return printed(sum / lab->ood.count);
}

static void fill_published(const struct sft_lab *lab, const struct sft_table_row *row, struct sft_cell *cells)
{
    int sets = lab->ood.count;
    for (int metric = 0; metric < 2; metric++) {
        for (int set = 0; set < sets; set++)
            cells[2 * set + metric].published = printed(row->sets[2 * lab->set_numbers[set] + metric]);
        cells[2 * sets + metric].published = published_average(lab, row, metric);
    }
    cells[2 * sets + 2].published = printed(row->accuracy);
    cells[2 * sets + 3].published = printed(row->change);
}

static enum sft_status measure_row(const struct sft_lab *lab, const struct sft_plan *plan,
                                   struct sft_measured_row *measured)
{
    const struct sft_table_row *row = measured->row;
    const struct sft_state before = as_it_is(sft_lab_model(lab, row->model));
    const int seeds = seeds_of(lab, row), columns = 2 * (lab->sets.sets + 2);
    struct sft_state state = {before.model, row->tuning, measured->steps, 0};
    double read[SFT_CELL_COLUMNS], *values = sft_calloc((size_t)(seeds * columns), sizeof(*values));
    if (!values) return SFT_MEMORY;
    for (; state.seed < seeds; state.seed++) {
        read_values(lab, sft_plan_metrics(plan, state), sft_plan_metrics(plan, before), row->score, read);
        for (int c = 0; c < columns; c++) values[c * seeds + state.seed] = read[c];
    }
    for (int c = 0; c < columns; c++) summarise(values + c * seeds, seeds, &measured->cells[c]);
    fill_published(lab, row, measured->cells);
    free(values);
    return SFT_OK;
}

enum sft_status sft_table_measure(const struct sft_lab *lab, const struct sft_table *table,
                                  const struct sft_plan *plan, struct sft_measured *measured)
{
    *measured = (struct sft_measured){.table = table, .lab = lab};
    for (const struct sft_table_row *row = table->rows; row->model; row++) {
        struct sft_measured_row *next;
        if (why_left_out(lab, row)) continue;
        SFT_TRY(sft_grow(&measured->rows, &measured->capacity, measured->count + 1, sizeof(*measured->rows)));
        next = &measured->rows[measured->count++];
        next->row = row;
        SFT_TRY(steps_of(lab, row, &next->steps));
        SFT_TRY(measure_row(lab, plan, next));
    }
    return SFT_OK;
}

void sft_measured_free(struct sft_measured *measured)
{
    free(measured->rows);
    *measured = (struct sft_measured){0};
}
