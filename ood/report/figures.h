/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of the page: charts, and pictures. Private to ood/report. */
#ifndef SFT_OOD_REPORT_FIGURES_H
#define SFT_OOD_REPORT_FIGURES_H

#include "ood/report/page.h"

/* From before to after, set by set. */
enum sft_status sft_page_changes(struct sft_page *page) SFT_MUST_CHECK;

/* Densities and ROC curves of every score; whether a score has any. */
int sft_page_has_densities(const struct sft_results *results, int score);
enum sft_status sft_page_densities(struct sft_page *page) SFT_MUST_CHECK;

/* Training curves. */
enum sft_status sft_page_training(struct sft_page *page) SFT_MUST_CHECK;

/* Images that the score takes most and least for in-distribution. */
void sft_page_examples(struct sft_page *page);

#endif
