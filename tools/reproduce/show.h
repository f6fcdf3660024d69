/* SPDX-License-Identifier: Apache-2.0 */
/* A measured table as people and programs read it. */
#ifndef SFT_REPRODUCE_SHOW_H
#define SFT_REPRODUCE_SHOW_H

#include "runtime/base/json.h"
#include "tools/reproduce/measure.h"

/* For a terminal, and as Markdown: for each row what was measured (the mean over the seeds and the standard
 * deviation), what the paper prints, and the difference; percent. */
void sft_measured_text(const struct sft_measured *measured, struct sft_text *out);
void sft_measured_markdown(const struct sft_measured *measured, struct sft_text *out);

/* The same as a section of a page (ood/report/html.h), whose id is the table's name. */
void sft_measured_html(const struct sft_measured *measured, struct sft_text *out);

/* In long form, with fractions:
 * table,model,row,score,tuning,steps,set,metric,seeds,mean,deviation,published,difference; with these names
 * first where `out` is empty. And as JSON, an object at the end of an array. */
void sft_measured_csv(const struct sft_measured *measured, struct sft_text *out);
void sft_measured_json(const struct sft_measured *measured, struct sft_json *json);

#endif
