/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the page. Private to ood/report. */
#ifndef SFT_OOD_REPORT_TABLE_H
#define SFT_OOD_REPORT_TABLE_H

#include "ood/report/page.h"

/* The metrics of every score on every set, averages of every seed, and the settings. */
void sft_page_scores(struct sft_page *page);
void sft_page_seeds(struct sft_page *page);
void sft_page_settings(struct sft_page *page);

#endif
