/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/report/page.h"

#include <math.h>

void sft_page_add_spread(struct sft_page *page, struct sft_interval interval, bool words)
{
    if (isnan(interval.low)) return;
    if (page->report->seeds)
        sft_text_printf(&page->out, "<small>&plusmn;%.2f<span%s> over the seeds</span></small>",
                        50 * (interval.high - interval.low), words ? "" : " class=\"vh\"");
    else
        sft_text_printf(&page->out, "<small><span%s>95&nbsp;%% interval </span>%.2f&ndash;%.2f</small>",
                        words ? "" : " class=\"vh\"", 100 * interval.low, 100 * interval.high);
}

struct sft_interval sft_page_interval_of_seeds(const struct sft_page *page, enum sft_id_metric metric)
{
    struct sft_spread spread;
    if (!page->report->seeds) return (struct sft_interval){NAN, NAN};
    spread = sft_seeds_of_id(page->report->seeds, metric);
    return (struct sft_interval){spread.mean - spread.sd, spread.mean + spread.sd};
}

void sft_page_add_download(struct sft_text *out, const char *file, const char *words,
                           const struct sft_text *text)
{
    sft_text_add(out, "<a download=\"");
    sft_text_add_escaped(out, file);
    sft_text_add(out, "\" href=\"data:text/csv;charset=utf-8,");
    sft_text_add_uri(out, sft_text_string(out, text));
    sft_text_add(out, "\">");
    sft_text_add(out, words);
    sft_text_add(out, "</a>");
}
