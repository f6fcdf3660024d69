/* SPDX-License-Identifier: Apache-2.0 */
/* The charts of the report, each one SVG image appended to `out`. `number` is the image's number in the page and is
 * counted on. Private to ood/. */
#ifndef SFT_OOD_REPORT_CHARTS_H
#define SFT_OOD_REPORT_CHARTS_H

#include "ood/report.h"
#include "ood/text.h"

/* Whether the scores of a set, and those of the ID set, are there for every model. */
int sft_chart_has_scores(const struct sft_results *results, int score, int set);

/* Densities of ID and OOD scores: before above, after below, on common bins; what is taken for ID is filled darker. */
enum sft_status sft_chart_densities(struct sft_text *out, int *number, const struct sft_results *results, int score,
                                    int set) SFT_MUST_CHECK;

/* ROC curves of both models, ID positive. */
enum sft_status sft_chart_roc(struct sft_text *out, int *number, const struct sft_results *results, int score,
                              int set) SFT_MUST_CHECK;

/* From before to after, a row a set and one for their average. */
enum sft_chart_metric { SFT_CHART_FPR, SFT_CHART_AUROC };
void sft_chart_change(struct sft_text *out, int *number, const struct sft_results *results, int score,
                      enum sft_chart_metric metric);

/* The training curves, one image each in a <figure>; those without a single known value are left out. */
enum sft_status sft_chart_steps(struct sft_text *out, int *number, size_t n,
                                const struct sft_report_step *steps) SFT_MUST_CHECK;

#endif
