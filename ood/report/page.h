/* SPDX-License-Identifier: Apache-2.0 */
/* A page in the making: what its parts append to, and what they have in common. Private to ood/report. */
#ifndef SFT_OOD_REPORT_PAGE_H
#define SFT_OOD_REPORT_PAGE_H

#include <stdbool.h>

#include "ood/report/data.h"
#include "ood/report/plots.h"
#include "runtime/base/text.h"

struct sft_page {
    const struct sft_report *report;
    const struct sft_results *results; /* NULL: none */
    struct sft_text out;
    int images;             /* numbers the charts */
    int lead;               /* the score that stands for all */
    char fpr[16];           /* what FPR is called at the recall of the results: "FPR95" */
    struct sft_plots plots; /* the charts again, as files */
};

/* How sure a number is, in small print, in percent: an interval of the bootstrap or the deviation of the
 * seeds; nothing where the interval is not known. The words are there for all, or only for who listens. */
void sft_page_add_spread(struct sft_page *page, struct sft_interval interval, bool words);

/* From mean - sd to mean + sd of a number of ID images over the seeds; not known in a report of one run. */
struct sft_interval sft_page_interval_of_seeds(const struct sft_page *page, enum sft_id_metric metric);

/* A link that saves `text` as a file, without a server. */
void sft_page_add_download(struct sft_text *out, const char *file, const char *words,
                           const struct sft_text *text);

#endif
