/* SPDX-License-Identifier: Apache-2.0 */
/* A page in the making, and the parts that are made in files of their own. Private to ood/. */
#ifndef SFT_OOD_REPORT_PAGE_H
#define SFT_OOD_REPORT_PAGE_H

#include "ood/report.h"
#include "ood/report_plots.h"
#include "ood/text.h"

struct sft_page {
    const struct sft_report *report;
    const struct sft_results *results; /* NULL: none */
    struct sft_text out;
    int images;             /* numbers the charts */
    int lead;               /* the score that stands for all */
    struct sft_plots plots; /* the charts again, as files */
};

/* The tables of metrics and of settings. */
void sft_page_scores(struct sft_page *page);
void sft_page_settings(struct sft_page *page);

/* The charts, and the pictures. */
int sft_page_has_densities(const struct sft_results *results, int score);
enum sft_status sft_page_changes(struct sft_page *page) SFT_MUST_CHECK;
enum sft_status sft_page_densities(struct sft_page *page) SFT_MUST_CHECK;
enum sft_status sft_page_training(struct sft_page *page) SFT_MUST_CHECK;
void sft_page_examples(struct sft_page *page);

/* A region that scrolls sideways on its own, so that the page never does; keyboards reach it. */
void sft_page_open_scroll(struct sft_page *page, const char *label);

/* A link that saves `text` as a file, without a server. */
void sft_page_add_download(struct sft_text *out, const char *file, const char *words, const struct sft_text *text);

#endif
