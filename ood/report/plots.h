/* SPDX-License-Identifier: Apache-2.0 */
/* The charts of a report as files: NAME.svg, NAME.png and NAME.csv for each. Private to ood/report. */
#ifndef SFT_OOD_REPORT_PLOTS_H
#define SFT_OOD_REPORT_PLOTS_H

#include "ood/report/svg.h"

struct sft_plot_files {
    char *name; /* relative to the folder of plots, without extension; owned */
    struct sft_text svg, csv;
};

/* Starts as {0}. */
struct sft_plots {
    struct sft_plot_files *plot;
    size_t count, capacity;
};

/* Adds a chart under the name "FOLDER/STEM" or "STEM" (folder NULL); what cannot be part of a file name
 * becomes "_". Takes the chart's data. */
enum sft_status sft_plots_add(struct sft_plots *plots, const char *folder, const char *stem,
                              struct sft_chart *chart) SFT_MUST_CHECK;

/* Writes all of them below the folder "plots" of the run folder. Folders are made where they are missing; one
 * that is a link is not written through. SFT_WRITE; SFT_MEMORY or SFT_FAILED where no PNG files can be drawn.
 */
enum sft_status sft_plots_write(const struct sft_plots *plots, const char *folder) SFT_MUST_CHECK;
void sft_plots_free(struct sft_plots *plots);

#endif
