/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report: one HTML file that shows a run to a person. It is self-contained (inline style, SVG and PNG, no
 * script, no network), follows light and dark, prints, fits a telephone and reads well aloud. Every text from
 * outside is escaped.
 *
 * It shows what it is given (ood/report/data.h): with results of one model, an evaluation; with two, before
 * and after; with those of several seeds, means and deviations; with step rows, the training curves; with
 * examples, pictures; without results, only the curves. The charts are also files of their own:
 *
 *   plots/SCORE/SET-density, plots/SCORE/SET-roc, plots/SCORE-fpr95 (at any recall), plots/SCORE-auroc,
 *   plots/loss, plots/grad_norm, plots/perturb_norm, plots/lr
 *
 * each as .svg, as .csv (what is drawn) and, where the build has librsvg, as .png.
 */
#ifndef SFT_REPORT_H
#define SFT_REPORT_H

#include "ood/report/data.h"

/* Writes FOLDER/report.html, atomically, and FOLDER/plots/. */
enum sft_status sft_report_write(const struct sft_report *report, const char *folder) SFT_MUST_CHECK;

/* Makes both again from results.json, results.csv, scores/, examples.json, metrics.jsonl and run.json in
 * `folder`, or from its seeds.json and seeds.csv and the folders of the seeds. What is missing is left out.
 * So is what is there and cannot be read, with a warning each, and SFT_DATA when the report is written;
 * SFT_DATA without one where nothing is left to show. */
enum sft_status sft_report_from_folder(const char *folder) SFT_MUST_CHECK;

#endif
