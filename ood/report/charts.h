/* SPDX-License-Identifier: Apache-2.0 */
/* The charts of the report. Each fills `chart`, which starts as {0} and is the caller's to release with
 * sft_chart_free(), also on failure. All are 320 units wide, which is about what a telephone shows; wide
 * screens put several beside each other. Private to ood/report. */
#ifndef SFT_OOD_REPORT_CHARTS_H
#define SFT_OOD_REPORT_CHARTS_H

#include "ood/metrics/histogram.h"
#include "ood/report/data.h"
#include "ood/report/svg.h"

/* Whether the scores of a set, and those of the ID set, are there for every model. */
int sft_chart_has_scores(const struct sft_results *results, int score, int set);
struct sft_sample sft_chart_sample(const struct sft_results *results, int model, int score, int set);

/* Histograms of the ID and OOD scores with kernel densities drawn over them: before above, after below, on
 * common bins; what is taken for ID is filled darker. Figures 2 to 4 of the SFT paper. */
enum sft_status sft_chart_densities(struct sft_chart *chart, const struct sft_results *results, int score,
                                    int set) SFT_MUST_CHECK;

/* ROC curves of both models, ID positive, and a line at the recall that FPR is taken at. */
enum sft_status sft_chart_roc(struct sft_chart *chart, const struct sft_results *results, int score,
                              int set) SFT_MUST_CHECK;

/* A main metric from before to after, a row a set and one for their average, and the interval of the last
 * model where the results have one. */
void sft_chart_change(struct sft_chart *chart, const struct sft_results *results, int score,
                      enum sft_metric metric);

/* Training curve `panel` (0 .. SFT_CHART_PANELS-1); sets *known to whether the steps tell it and it varies
 * where it should (a learning rate), and draws nothing where not. */
enum { SFT_CHART_PANELS = 4 };
enum sft_status sft_chart_steps(struct sft_chart *chart, int panel, size_t n,
                                const struct sft_report_step *steps, int *known) SFT_MUST_CHECK;

/* A word for the panel's file ("loss"). */
const char *sft_chart_panel_name(int panel);

#endif
