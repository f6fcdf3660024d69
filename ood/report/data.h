/* SPDX-License-Identifier: Apache-2.0 */
/* What a report shows. Whoever makes one fills it; the parts of the page read it. */
#ifndef SFT_REPORT_DATA_H
#define SFT_REPORT_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "ood/report/examples.h"
#include "ood/results/seeds.h"

/* A line of metrics.jsonl. NaN where a value is not known. */
struct sft_report_step {
    int64_t step;
    double loss, loss_id, loss_ood, grad_norm, perturb_norm, lr;
};

/* What was asked, chosen or found. A key "options.lr" is shown as "lr" under the heading "options"; settings
 * with one heading should follow each other. */
struct sft_report_setting {
    const char *key, *value;
};

/* Borrowed, all of it. */
struct sft_report {
    const char *title;                 /* NULL: one that fits what is shown */
    const struct sft_results *results; /* NULL: none. Densities and ROC curves need the scores in it */
    const struct sft_seeds *seeds;     /* NULL: one run; else the results are their mean (sft_seeds_mean()) */
    size_t steps;
    const struct sft_report_step *step;
    size_t settings;
    const struct sft_report_setting *setting;
    const struct sft_examples *examples; /* NULL: none */
    const char *csv;                     /* results.csv or seeds.csv, to save from the page; NULL: none */
};

#endif
